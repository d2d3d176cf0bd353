/** Records and builders of non-maximum suppression. */
import { apply, applyOp, type NameOptions } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import {
  notDifferentiable,
  op,
  type EvaluateContext,
  type InferContext,
  type OpDef,
  type OpSpec,
} from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { boxRows, suppress, suppressClasses, type Selection } from './imageSuppressionHost.js';

const noGradient = notDifferentiable('which boxes are selected does not change with small changes of them');
const FLOAT = 'T: {float16, float32} = float32';
const THRESHOLD = 'T_threshold: {float16, float32} = float32';
const PAD = 'pad_to_max_output_size: bool = false';

function scalarInput(c: InferContext, i: number, name: string): number {
  const { rank } = c.shape(i);
  if (rank !== null && rank !== 0) c.fail(`${name} must be a scalar, got shape ${c.shape(i).toString()}`);
  return c.constant(i)?.data[0] ?? NaN;
}

/** Checks all inputs and returns the shape of what is selected. */
function inferSelection(c: InferContext): TensorShape {
  const [boxes, scores] = [withRank(c, 0, 2, 'boxes'), withRank(c, 1, 1, 'scores')];
  if (boxes.dim(1) !== null && boxes.dim(1) !== 4) {
    c.fail(`boxes must be rows [y1, x1, y2, x2], got shape ${boxes.toString()}`);
  }
  if (boxes.slice(0, 1).mergeWith(scores) === null) {
    c.fail(`boxes ${boxes.toString()} need one score each, scores have shape ${scores.toString()}`);
  }
  const limit = scalarInput(c, 2, 'max_output_size');
  if (limit < 0) c.fail(`max_output_size must not be negative, got ${limit}`);
  const names = ['', '', '', 'iou_threshold', 'score_threshold', 'soft_nms_sigma'];
  const values = names.slice(0, c.shapes.length).map((name, i) => (i < 3 ? NaN : scalarInput(c, i, name)));
  const [, , , iou = NaN, , sigma = NaN] = values;
  const threshold = c.attrs.has('iou_threshold') ? c.attrs.float('iou_threshold') : iou;
  if (threshold < 0 || threshold > 1) c.fail(`iou_threshold must be in [0, 1], got ${threshold}`);
  if (sigma < 0) c.fail(`soft_nms_sigma must not be negative, got ${sigma}`);
  if (isPadded(c)) return new TensorShape([Number.isNaN(limit) ? null : limit]);
  const inputs = Array.from({ length: c.shapes.length }, (_, i) => c.constant(i));
  const selection = selectFrom(c, inputs);
  return new TensorShape([selection === null ? null : selection.indices.length]);
}

function isPadded({ attrs }: Pick<InferContext, 'attrs'>): boolean {
  return attrs.has('pad_to_max_output_size') && attrs.bool('pad_to_max_output_size');
}

/** The selection where every input is known. */
function selectFrom(
  { attrs }: Pick<InferContext, 'attrs'>,
  inputs: readonly (HostValue | null)[],
): Selection | null {
  const known = inputs.filter((input) => input !== null);
  const [boxes, scores, limit, iou, score, sigma] = known;
  if (known.length < inputs.length || boxes === undefined || scores === undefined) return null;
  const most = limit?.data[0] ?? NaN;
  if (Number.isNaN(most)) return null;
  return suppress(boxRows(boxes), scores.data, {
    limit: Math.min(most, scores.data.length),
    iouThreshold: attrs.has('iou_threshold') ? attrs.float('iou_threshold') : (iou?.data[0] ?? NaN),
    scoreThreshold: score?.data[0] ?? -Infinity,
    softSigma: sigma?.data[0] ?? 0,
  });
}

function evaluateSelection(c: EvaluateContext): readonly HostValue[] | null {
  const inputs = c.shapes.map((_, i) => c.value(i));
  const selection = selectFrom(c, inputs);
  if (selection === null) return null;
  const { indices, scores } = selection;
  const length = isPadded(c) ? (inputs[2]?.data[0] ?? 0) : indices.length;
  const vector = (dtype: HostValue['dtype'], list: readonly number[]): HostValue => {
    const data = new Float64Array(length);
    data.set(list);
    return { dtype, shape: [length], data };
  };
  const valid: HostValue = { dtype: 'int32', shape: [], data: Float64Array.of(indices.length) };
  const selected = vector('int32', indices);
  if (c.outputs.length === 3) return [selected, vector(c.outputs[1] ?? 'float32', scores), valid];
  return c.outputs.length === 2 ? [selected, valid] : [selected];
}

const BOXES = ['boxes: T', 'scores: T', 'max_output_size: int32'] as const;

/** A suppression that gives indices only. */
function indicesOnly(spec: Pick<OpSpec, 'summary' | 'inputs' | 'attrs'>): OpDef {
  return op({
    outputs: ['selected_indices: int32'],
    infer: (c) => [inferSelection(c)],
    evaluate: evaluateSelection,
    grad: noGradient,
    ...spec,
  });
}

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

export const IMAGE_SUPPRESSION = {
  NonMaxSuppression: indicesOnly({
    summary: 'Indices of the best boxes that overlap no better one.',
    inputs: ['boxes: float32', 'scores: float32', 'max_output_size: int32'],
    attrs: ['iou_threshold: float = 0.5'],
  }),
  NonMaxSuppressionV2: indicesOnly({
    summary: 'Indices of the best boxes that overlap no better one beyond a threshold.',
    inputs: [...BOXES, 'iou_threshold: T_threshold'],
    attrs: [FLOAT, THRESHOLD],
  }),
  NonMaxSuppressionV3: indicesOnly({
    summary: 'Indices of the best boxes above a score that overlap no better one beyond a threshold.',
    inputs: [...BOXES, 'iou_threshold: T_threshold', 'score_threshold: T_threshold'],
    attrs: [FLOAT, THRESHOLD],
  }),
  NonMaxSuppressionV4: op({
    summary: 'As NonMaxSuppressionV3, padded to a fixed length if wanted, with the number of boxes.',
    inputs: [...BOXES, 'iou_threshold: T_threshold', 'score_threshold: T_threshold'],
    outputs: ['selected_indices: int32', 'valid_outputs: int32'],
    attrs: [FLOAT, THRESHOLD, PAD],
    infer: (c) => [inferSelection(c), TensorShape.SCALAR],
    evaluate: evaluateSelection,
    grad: noGradient,
  }),
  NonMaxSuppressionV5: op({
    summary: 'As NonMaxSuppressionV4, with scores, which may sink in place of dropping boxes.',
    inputs: [...BOXES, 'iou_threshold: T', 'score_threshold: T', 'soft_nms_sigma: T'],
    outputs: ['selected_indices: int32', 'selected_scores: T', 'valid_outputs: int32'],
    attrs: [FLOAT, PAD],
    infer: (c) => {
      const selected = inferSelection(c);
      return [selected, selected, TensorShape.SCALAR];
    },
    evaluate: evaluateSelection,
    grad: notDifferentiable(
      'TensorFlow defines no gradient of the selected scores; gather them by the indices',
    ),
  }),
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

export interface SuppressionOptions extends NameOptions {
  /** Boxes that overlap a better one by more, intersection by union, are dropped; default 0.5. */
  readonly iouThreshold?: TensorLike;
  /** Boxes of lower or equal score are left out; default: none. */
  readonly scoreThreshold?: TensorLike;
}

/**
 * Indices of boxes to keep, best first (`tf.image.non_max_suppression`): `boxes` `[n, 4]` of two opposite corners
 * `[y1, x1, y2, x2]`, `scores` `[n]`, `maxOutputSize` a scalar. The length of the result depends on the values, so
 * the session evaluates this op on the host.
 */
export function nonMaxSuppression(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSize: TensorLike,
  { iouThreshold = 0.5, scoreThreshold = -Infinity, name }: SuppressionOptions = {},
): Tensor {
  const inputs = [boxes, scores, maxOutputSize, iouThreshold, scoreThreshold];
  return apply('NonMaxSuppressionV3', inputs, { name: name ?? 'non_max_suppression' });
}

/**
 * As `nonMaxSuppression`, with the number of boxes (`tf.image.non_max_suppression_padded`); with
 * `padToMaxOutputSize` the indices are filled up with zeros to that length.
 */
export function nonMaxSuppressionPadded(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSize: TensorLike,
  {
    iouThreshold = 0.5,
    scoreThreshold = -Infinity,
    padToMaxOutputSize = false,
    name,
  }: SuppressionOptions & { readonly padToMaxOutputSize?: boolean } = {},
): [selectedIndices: Tensor, validOutputs: Tensor] {
  const inputs = [boxes, scores, maxOutputSize, iouThreshold, scoreThreshold];
  const attrs = { pad_to_max_output_size: padToMaxOutputSize };
  const node = applyOp('NonMaxSuppressionV4', inputs, { name: name ?? 'non_max_suppression_padded', attrs });
  return [node.output(0), node.output(1)];
}

/**
 * As `nonMaxSuppression`, with the scores (`tf.image.non_max_suppression_with_scores`). With a `softNmsSigma`
 * above 0 boxes that overlap are not dropped; their score sinks (Bodla et al., "Soft-NMS", 2017).
 */
export function nonMaxSuppressionWithScores(
  boxes: TensorLike,
  scores: TensorLike,
  maxOutputSize: TensorLike,
  {
    iouThreshold = 0.5,
    scoreThreshold = -Infinity,
    softNmsSigma = 0,
    name,
  }: SuppressionOptions & { readonly softNmsSigma?: TensorLike } = {},
): [selectedIndices: Tensor, selectedScores: Tensor] {
  const inputs = [boxes, scores, maxOutputSize, iouThreshold, scoreThreshold, softNmsSigma];
  const node = applyOp('NonMaxSuppressionV5', inputs, { name: name ?? 'non_max_suppression_with_scores' });
  return [node.output(0), node.output(1)];
}

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
