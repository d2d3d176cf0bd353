/** The record and builder of non-maximum suppression within classes. */
import { applyOp } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { scalarInput, type SuppressionOptions } from './imageSuppression.js';
import { suppressClasses } from './imageSuppressionHost.js';

function inferCombined(c: InferContext): TensorShape[] {
  const [boxes, scores] = [withRank(c, 0, 4, 'boxes'), withRank(c, 1, 3, 'scores')];
  if (boxes.dim(3) !== null && boxes.dim(3) !== 4) {
    c.fail(`boxes must be rows [y1, x1, y2, x2], got shape ${boxes.toString()}`);
  }
  const [variants, classes] = [boxes.dim(2), scores.dim(2)];
  const each = variants === null || variants === 1 || classes === null || variants === classes;
  const images = boxes.slice(0, 2).mergeWith(scores.slice(0, 2));
  if (!each || images === null) {
    c.fail(`boxes of shape ${boxes.toString()} do not fit scores of shape ${scores.toString()}`);
  }
  const perClass = scalarInput(c, 2, 'max_output_size_per_class');
  const total = scalarInput(c, 3, 'max_total_size');
  if (perClass <= 0) c.fail(`max_output_size_per_class must be positive, got ${perClass}`);
  if (total <= 0) c.fail(`max_total_size must be positive, got ${total}`);
  const iou = scalarInput(c, 4, 'iou_threshold');
  if (iou < 0 || iou > 1) c.fail(`iou_threshold must be in [0, 1], got ${iou}`);
  scalarInput(c, 5, 'score_threshold');
  const rows = combinedRows(c, perClass, total, classes);
  const batch = images.dim(0);
  return [
    new TensorShape([batch, rows, 4]),
    new TensorShape([batch, rows]),
    new TensorShape([batch, rows]),
    new TensorShape([batch]),
  ];
}

function combinedRows(
  { attrs }: Pick<InferContext, 'attrs'>,
  perClass: number,
  total: number,
  classes: Dim,
): Dim {
  if (!attrs.bool('pad_per_class')) return Number.isNaN(total) ? null : total;
  const rows = Math.min(total, perClass * (classes ?? NaN));
  return Number.isNaN(rows) ? null : rows;
}

function evaluateCombined(c: EvaluateContext): readonly HostValue[] | null {
  const [boxes, scores] = [c.value(0), c.value(1)];
  const [perClass = NaN, total = NaN, iou = NaN, score = NaN] = [2, 3, 4, 5].map((i) => c.value(i)?.data[0]);
  if (boxes === null || scores === null || Number.isNaN(perClass + total + iou + score)) return null;
  const [batch = 0, , classes = 0] = scores.shape;
  const rows = combinedRows(c, perClass, total, classes) ?? 0;
  const found = suppressClasses(boxes, scores, {
    limit: perClass,
    iouThreshold: iou,
    scoreThreshold: score,
    rows,
    clip: c.attrs.bool('clip_boxes'),
  });
  return [
    { dtype: 'float32', shape: [batch, rows, 4], data: found.boxes },
    { dtype: 'float32', shape: [batch, rows], data: found.scores },
    { dtype: 'float32', shape: [batch, rows], data: found.classes },
    { dtype: 'int32', shape: [batch], data: found.valid },
  ];
}

export const IMAGE_SUPPRESSION_CLASSES = {
  CombinedNonMaxSuppression: op({
    summary: 'The best boxes of each image, suppressed within each class.',
    inputs: [
      'boxes: float32',
      'scores: float32',
      'max_output_size_per_class: int32',
      'max_total_size: int32',
      'iou_threshold: float32',
      'score_threshold: float32',
    ],
    outputs: [
      'nmsed_boxes: float32',
      'nmsed_scores: float32',
      'nmsed_classes: float32',
      'valid_detections: int32',
    ],
    attrs: ['pad_per_class: bool = false', 'clip_boxes: bool = true'],
    infer: inferCombined,
    evaluate: evaluateCombined,
    grad: notDifferentiable('TensorFlow defines no gradient of the boxes selected'),
  }),
} satisfies Record<string, OpDef>;

export interface CombinedSuppressionOptions extends SuppressionOptions {
  /** At most so many rows for each class, not `maxTotalSize` whatever the number of classes. */
  readonly padPerClass?: boolean;
  /** Boxes are cut to [0, 1]; default true. */
  readonly clipBoxes?: boolean;
}

/** What `combinedNonMaxSuppression` gives: rows that are not valid are zero. */
export interface CombinedSuppression {
  readonly nmsedBoxes: Tensor;
  readonly nmsedScores: Tensor;
  readonly nmsedClasses: Tensor;
  readonly validDetections: Tensor;
}

/**
 * Suppression within each class of each image (`tf.image.combined_non_max_suppression`): `boxes`
 * `[batch, n, 1 or classes, 4]`, `scores` `[batch, n, classes]`.
 */
export function combinedNonMaxSuppression(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSizePerClass: TensorLike,
  maxTotalSize: TensorLike,
  {
    iouThreshold = 0.5,
    scoreThreshold = -Infinity,
    padPerClass = false,
    clipBoxes = true,
    name,
  }: CombinedSuppressionOptions = {},
): CombinedSuppression {
  const inputs = [boxes, scores, maxOutputSizePerClass, maxTotalSize, iouThreshold, scoreThreshold];
  const node = applyOp('CombinedNonMaxSuppression', inputs, {
    name: name ?? 'combined_non_max_suppression',
    attrs: { pad_per_class: padPerClass, clip_boxes: clipBoxes },
  });
  return {
    nmsedBoxes: node.output(0),
    nmsedScores: node.output(1),
    nmsedClasses: node.output(2),
    validDetections: node.output(3),
  };
}
