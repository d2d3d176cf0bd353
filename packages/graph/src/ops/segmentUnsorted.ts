/**
 * Segment ops whose ids are in any order. The number of segments is an input; rows with negative ids, or
 * ids that are too large, belong nowhere.
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { op, type GradContext, type GradFn, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { knownScalar, requireSingle, withShapeOf } from './arrayHost.js';
import type { Ops } from './index.js';

function inferSegments(c: InferContext): TensorShape[] {
  const [data, ids] = [c.shape(0), c.shape(1)];
  requireSingle(c, 2, 'num_segments');
  const segments = knownScalar(c.constant(2));
  if (segments !== null && segments < 0) c.fail(`num_segments must not be negative, got ${segments}`);
  if (data.rank === null || ids.rank === null) return [TensorShape.UNKNOWN];
  if (!data.slice(0, ids.rank).isCompatibleWith(ids) || data.rank < ids.rank) {
    c.fail(`data ${data.toString()} does not begin with the shape of segment_ids ${ids.toString()}`);
  }
  return [new TensorShape([segments]).concat(data.slice(ids.rank))];
}

/** Whether each element of `data` belongs to a segment, in a shape that broadcasts with `data`. */
function belongs(ops: Ops, ids: Tensor, data: Tensor): Tensor {
  const taken = ops.greaterEqual(ids, 0);
  if (ids.shape.rank !== null && ids.shape.rank === data.shape.rank) return taken;
  const extra = ops.expandDims(ops.sub(ops.rank(data), ops.rank(ids)), 0);
  const thick = ops.concat([ops.shape(ids), ops.fill(extra, ops.constant(1, { dtype: 'int32' }))], 0);
  return ops.reshape(taken, thick);
}

/** The row of `x` of each element's segment, zeros for rows that belong to none. */
function ofSegment({ ops, input }: GradContext, x: Tensor): Tensor {
  const [data, ids] = [input(0), input(1)];
  const rows = ops.gather(x, ops.maximum(ids, 0));
  return withShapeOf(ops.whereV2(belongs(ops, ids, data), rows, ops.zerosLike(rows)), data);
}

/** d data = dy of each element's segment */
const sumGrad: GradFn = (c) => [ofSegment(c, c.dy), null, null];

/** dy is shared equally among the elements that are the extreme of their segment. */
function extremeGrad(c: GradContext): (Tensor | null)[] {
  const { ops, input, output, dy } = c;
  const [data, ids, segments] = [input(0), input(1), input(2)];
  const extremes = ops.gather(output(0), ops.maximum(ids, 0));
  const selected = ops.logicalAnd(ops.equal(data, extremes), belongs(ops, ids, data));
  const marks = ops.cast(selected, dy.dtype);
  const share = ops.divNoNan(dy, ops.unsortedSegmentSum(marks, ids, segments));
  const rows = ops.gather(share, ops.maximum(ids, 0));
  return [withShapeOf(ops.where(selected, rows, ops.zerosLike(rows)), data), null, null];
}

/**
 * d data = dy · the product of the others: product / element, or for the only zero of a segment the product
 * of the rest; nothing where a segment has several zeros.
 */
function prodGrad(c: GradContext): (Tensor | null)[] {
  const { ops, input, output } = c;
  const [data, ids, segments] = [input(0), input(1), input(2)];
  const isZero = ops.equal(data, ops.zerosLike(data));
  const zeros = ops.unsortedSegmentSum(ops.cast(isZero, 'int32'), ids, segments);
  const dy = ops.where(ops.greater(zeros, 1), ops.zerosLike(c.dy), c.dy);
  const nonZero = ops.where(isZero, ops.onesLike(data), data);
  const rest = ops.unsortedSegmentProd(nonZero, ids, segments);
  const own = ops.maximum(ids, 0);
  const others = ops.where(isZero, ops.gather(rest, own), ops.div(ops.gather(output(0), own), nonZero));
  return [ops.mul(ofSegment(c, dy), others), null, null];
}

function unsorted(summary: string, grad: GradFn, type = 'numeric'): OpDef {
  return op({
    summary,
    inputs: ['data: T', 'segment_ids: Tindices', 'num_segments: Tnumsegments'],
    outputs: ['output: T'],
    attrs: [`T: ${type}`, 'Tindices: index', 'Tnumsegments: index = int32'],
    infer: inferSegments,
    grad,
  });
}

const REAL =
  '{float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';

export const SEGMENT_UNSORTED = {
  UnsortedSegmentSum: unsorted('Sums of the rows that belong to each segment.', sumGrad),
  UnsortedSegmentProd: unsorted('Products of the rows that belong to each segment.', prodGrad),
  UnsortedSegmentMax: unsorted('Maxima of the rows that belong to each segment.', extremeGrad, REAL),
  UnsortedSegmentMin: unsorted('Minima of the rows that belong to each segment.', extremeGrad, REAL),
};

function unsortedBuilder(type: string) {
  return (
    data: TensorLike,
    segmentIds: TensorLike,
    numSegments: TensorLike,
    { name }: NameOptions = {},
  ): Tensor => apply(type, [convertToTensor(data), segmentIds, numSegments], { name });
}

/**
 * Row `s` of the result is the sum of the rows of `data` whose segment id is `s`
 * (`tf.math.unsorted_segment_sum`). `segmentIds` has the leading dimensions of `data`. Negative ids and ids
 * that are too large are left out; a segment without rows is 0.
 */
export const unsortedSegmentSum = unsortedBuilder('UnsortedSegmentSum');

/** As `unsortedSegmentSum`, with products (`tf.math.unsorted_segment_prod`); a segment without rows is 1. */
export const unsortedSegmentProd = unsortedBuilder('UnsortedSegmentProd');

/**
 * As `unsortedSegmentSum`, with maxima (`tf.math.unsorted_segment_max`); a segment without rows has the
 * lowest number of the dtype. The gradient is shared equally among equal elements.
 */
export const unsortedSegmentMax = unsortedBuilder('UnsortedSegmentMax');

/** As `unsortedSegmentMax`, with minima (`tf.math.unsorted_segment_min`) and the highest number. */
export const unsortedSegmentMin = unsortedBuilder('UnsortedSegmentMin');

/** The mean of the rows of each segment (`tf.math.unsorted_segment_mean`); a segment without rows is 0. */
export function unsortedSegmentMean(
  data: TensorLike,
  segmentIds: TensorLike,
  numSegments: TensorLike,
  { name = 'UnsortedSegmentMean' }: NameOptions = {},
): Tensor {
  const { sum, counts } = sumAndCounts(data, segmentIds, numSegments);
  return apply('RealDiv', [sum, counts], { name });
}

/** The sum of the rows of each segment, divided by the root of their number (`tf.math.unsorted_segment_sqrt_n`). */
export function unsortedSegmentSqrtN(
  data: TensorLike,
  segmentIds: TensorLike,
  numSegments: TensorLike,
  { name = 'UnsortedSegmentSqrtN' }: NameOptions = {},
): Tensor {
  const { sum, counts } = sumAndCounts(data, segmentIds, numSegments);
  return apply('RealDiv', [sum, apply('Sqrt', [counts])], { name });
}

/** The sums of segments, and their numbers of rows, at least 1, in a shape that broadcasts with the sums. */
function sumAndCounts(
  data: TensorLike,
  segmentIds: TensorLike,
  numSegments: TensorLike,
): { sum: Tensor; counts: Tensor } {
  const x = convertToTensor(data);
  const ids = convertToTensor(segmentIds, Array.isArray(segmentIds) ? { dtype: 'int32' } : {});
  const ones = apply('Cast', [apply('OnesLike', [ids])], { attrs: { DstT: x.dtype } });
  const counts = apply('UnsortedSegmentSum', [ones, ids, numSegments]);
  const sum = apply('UnsortedSegmentSum', [x, ids, numSegments]);
  const thin = apply('Maximum', [counts, apply('OnesLike', [counts])]);
  // [segments] becomes [segments, 1, …, 1]: as many ones as a row has dimensions.
  const extra = apply('Sub', [apply('Rank', [sum]), 1]);
  const ones1 = apply('Fill', [apply('ExpandDims', [extra, 0]), apply('OnesLike', [extra])]);
  const shape = apply('ConcatV2', [[apply('Shape', [thin]), ones1], 0]);
  return { sum, counts: apply('Reshape', [thin, shape]) };
}
