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
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { boxRows, overlapOf, suppress, type Overlap, type Selection } from './imageSuppressionHost.js';

const noGradient = notDifferentiable('which boxes are selected does not change with small changes of them');
const FLOAT = 'T: {float16, float32} = float32';
const THRESHOLD = 'T_threshold: {float16, float32} = float32';
const PAD = 'pad_to_max_output_size: bool = false';

/** The value of a scalar input, NaN where it is not known. Rejects other shapes. */
export function scalarInput(c: InferContext, i: number, name: string): number {
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
  return inferLimited(c, boxes, scores, ofBoxes);
}

/** Overlaps of every pair are given in place of boxes. */
function inferWithOverlaps(c: InferContext): TensorShape[] {
  const [overlaps, scores] = [withRank(c, 0, 2, 'overlaps'), withRank(c, 1, 1, 'scores')];
  if (overlaps.slice(0, 1).mergeWith(overlaps.slice(1)) === null) {
    c.fail(`overlaps must be a square matrix, got shape ${overlaps.toString()}`);
  }
  return [inferLimited(c, overlaps, scores, ofMatrix)];
}

type OverlapsOf = (value: HostValue) => Overlap;
const ofBoxes: OverlapsOf = (value) => overlapOf(boxRows(value));
const ofMatrix: OverlapsOf = ({ data, shape }) => {
  return (i, j) => data[i * (shape[1] ?? 1) + j] ?? NaN;
};

/** Checks what all forms have in common. */
function inferLimited(
  c: InferContext,
  boxes: TensorShape,
  scores: TensorShape,
  overlaps: OverlapsOf,
): TensorShape {
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
  const selection = selectFrom(c, inputs, overlaps);
  return new TensorShape([selection === null ? null : selection.indices.length]);
}

function isPadded({ attrs }: Pick<InferContext, 'attrs'>): boolean {
  return attrs.has('pad_to_max_output_size') && attrs.bool('pad_to_max_output_size');
}

/** The selection where every input is known. */
function selectFrom(
  { attrs }: Pick<InferContext, 'attrs'>,
  inputs: readonly (HostValue | null)[],
  overlaps: OverlapsOf,
): Selection | null {
  const known = inputs.filter((input) => input !== null);
  const [boxes, scores, limit, iou, score, sigma] = known;
  if (known.length < inputs.length || boxes === undefined || scores === undefined) return null;
  const most = limit?.data[0] ?? NaN;
  if (Number.isNaN(most)) return null;
  return suppress(overlaps(boxes), scores.data, {
    limit: Math.min(most, scores.data.length),
    iouThreshold: attrs.has('iou_threshold') ? attrs.float('iou_threshold') : (iou?.data[0] ?? NaN),
    scoreThreshold: score?.data[0] ?? -Infinity,
    softSigma: sigma?.data[0] ?? 0,
  });
}

function evaluateSelection(c: EvaluateContext, overlaps: OverlapsOf = ofBoxes): readonly HostValue[] | null {
  const inputs = c.shapes.map((_, i) => c.value(i));
  const selection = selectFrom(c, inputs, overlaps);
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
    evaluate: (c) => evaluateSelection(c),
    grad: noGradient,
    ...spec,
  });
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
    evaluate: (c) => evaluateSelection(c),
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
    evaluate: (c) => evaluateSelection(c),
    grad: notDifferentiable(
      'TensorFlow defines no gradient of the selected scores; gather them by the indices',
    ),
  }),
  NonMaxSuppressionWithOverlaps: op({
    summary: 'As NonMaxSuppressionV3, with the overlaps of all pairs of boxes given.',
    inputs: [
      'overlaps: float32',
      'scores: float32',
      'max_output_size: int32',
      'overlap_threshold: float32',
      'score_threshold: float32',
    ],
    outputs: ['selected_indices: int32'],
    infer: inferWithOverlaps,
    evaluate: (c) => evaluateSelection(c, ofMatrix),
    grad: noGradient,
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

/**
 * As `nonMaxSuppression`, with `overlaps` `[n, n]` of all pairs of boxes in place of the boxes
 * (`tf.image.non_max_suppression_overlaps`).
 */
export function nonMaxSuppressionOverlaps(
  overlaps: TensorLike,
  scores: TensorLike,
  maxOutputSize: TensorLike,
  {
    overlapThreshold = 0.5,
    scoreThreshold = -Infinity,
    name,
  }: Omit<SuppressionOptions, 'iouThreshold'> & { readonly overlapThreshold?: TensorLike } = {},
): Tensor {
  const inputs = [overlaps, scores, maxOutputSize, overlapThreshold, scoreThreshold];
  return apply('NonMaxSuppressionWithOverlaps', inputs, { name: name ?? 'non_max_suppression_overlaps' });
}
