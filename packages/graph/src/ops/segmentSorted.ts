/**
 * Segment ops whose ids ascend: row `s` of the result combines the rows with id `s`. There are as many as the last
 * id tells, so the shape is known only where the ids are.
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type GradFn, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { dimOf, knownElements, withShapeOf } from './arrayHost.js';
import type { Ops } from './index.js';

/** The number of segments that ascending ids (input `i`) speak of: one more than the last. Rejects other ids. */
export function segmentCount(c: InferContext, i: number): Dim {
  const value = c.constant(i);
  const ids = knownElements(value);
  if (ids?.some((id, k) => id < (k === 0 ? 0 : (ids[k - 1] ?? 0))) === true) {
    c.fail(`segment_ids must ascend from 0 or more, got [${ids.join(',')}]`);
  }
  if (value === null) return null;
  return dimOf(value.data.length === 0 ? 0 : (value.data.at(-1) ?? NaN) + 1);
}

function inferSegments(c: InferContext): TensorShape[] {
  const [data, ids] = [withRankAtLeast(c, 0, 1, 'data'), withRank(c, 1, 1, 'segment_ids')];
  const [rows, length] = [data.rank === null ? null : data.dim(0), ids.dim(0)];
  if (rows !== null && length !== null && rows !== length) {
    c.fail(`segment_ids has ${length} elements, data ${data.toString()} has ${rows} rows`);
  }
  return [new TensorShape([segmentCount(c, 1)]).concat(data.slice(1))];
}

/** dy of the segment of each row */
const sumGrad: GradFn = ({ ops, input, dy }) => [withShapeOf(ops.gather(dy, input(1)), input(0)), null];

/** As `sumGrad`, with dy divided by the number of rows of its segment. */
function meanGrad({ ops, input, dy }: GradContext): (Tensor | null)[] {
  const ids = input(1);
  const counts = ops.segmentSum(thickOnes(ops, ids, input(0), dy), ids);
  return [withShapeOf(ops.gather(ops.divNoNan(dy, counts), ids), input(0)), null];
}

/** Ones for each id, of the dtype of `dy` and with as many dimensions as `data`. */
function thickOnes(ops: Ops, ids: Tensor, data: Tensor, dy: Tensor): Tensor {
  const extra = ops.expandDims(ops.sub(ops.rank(data), 1), 0);
  const shape = ops.concat([ops.shape(ids), ops.fill(extra, ops.constant(1, { dtype: 'int32' }))], 0);
  return ops.fill(shape, ops.cast(ops.constant(1), dy.dtype));
}

/** dy is shared equally among the elements that are the extreme of their segment. */
function extremeGrad({ ops, input, output, dy }: GradContext): (Tensor | null)[] {
  const [data, ids] = [input(0), input(1)];
  const selected = ops.equal(data, ops.gather(output(0), ids));
  const share = ops.divNoNan(dy, ops.segmentSum(ops.cast(selected, dy.dtype), ids));
  const rows = ops.gather(share, ids);
  return [withShapeOf(ops.where(selected, rows, ops.zerosLike(rows)), data), null];
}

/** dy · the product of the others: product / element, or for the only zero of a segment that of the rest. */
function prodGrad({ ops, input, output, dy }: GradContext): (Tensor | null)[] {
  const [data, ids] = [input(0), input(1)];
  const isZero = ops.equal(data, ops.zerosLike(data));
  const zeros = ops.segmentSum(ops.cast(isZero, 'int32'), ids);
  const flowing = ops.where(ops.greater(zeros, 1), ops.zerosLike(dy), dy);
  const nonZero = ops.where(isZero, ops.onesLike(data), data);
  const rest = ops.gather(ops.segmentProd(nonZero, ids), ids);
  const others = ops.where(isZero, rest, ops.div(ops.gather(output(0), ids), nonZero));
  return [withShapeOf(ops.mul(ops.gather(flowing, ids), others), data), null];
}

function segments(summary: string, grad: GradFn, type = 'numeric'): OpDef {
  return op({
    summary,
    inputs: ['data: T', 'segment_ids: Tindices'],
    outputs: ['output: T'],
    attrs: [`T: ${type}`, 'Tindices: index'],
    infer: inferSegments,
    grad,
  });
}

const REAL =
  '{float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';

export const SEGMENT_SORTED = {
  SegmentSum: segments('Sums of rows with equal ids, which ascend.', sumGrad),
  SegmentMean: segments('Means of rows with equal ids, which ascend.', meanGrad),
  SegmentProd: segments('Products of rows with equal ids, which ascend.', prodGrad),
  SegmentMax: segments('Maxima of rows with equal ids, which ascend.', extremeGrad, REAL),
  SegmentMin: segments('Minima of rows with equal ids, which ascend.', extremeGrad, REAL),
};

function segmentBuilder(type: string) {
  return (data: TensorLike, segmentIds: TensorLike, { name }: NameOptions = {}): Tensor =>
    apply(type, [convertToTensor(data), segmentIds], { name });
}

/**
 * Row `s` of the result is the sum of the rows of `data` whose id is `s` (`tf.math.segment_sum`).
 * `segmentIds` is a vector, one ascending id per row of `data`; the result has as many rows as the last id plus one.
 * An id that does not occur gives 0. Throws for constant ids that do not ascend; others are not checked.
 */
export const segmentSum = segmentBuilder('SegmentSum');
/** As `segmentSum`, with means (`tf.math.segment_mean`). */
export const segmentMean = segmentBuilder('SegmentMean');
/** As `segmentSum`, with products (`tf.math.segment_prod`); an id that does not occur gives 1. */
export const segmentProd = segmentBuilder('SegmentProd');
/** As `segmentSum`, with maxima (`tf.math.segment_max`). The gradient is shared equally among equal elements. */
export const segmentMax = segmentBuilder('SegmentMax');
/** As `segmentSum`, with minima (`tf.math.segment_min`). The gradient is shared equally among equal elements. */
export const segmentMin = segmentBuilder('SegmentMin');
