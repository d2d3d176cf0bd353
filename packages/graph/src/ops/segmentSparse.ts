/** Segment ops over rows that are picked by indices, as for bags of words: gather and combine in one. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';
import {
  gradientMissing,
  op,
  type ComposeContext,
  type EvaluateContext,
  type GradFn,
  type InferContext,
  type OpDef,
} from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { knownElements, knownScalar, requireSingle, withShapeOf } from './arrayHost.js';
import { vectorOf, wholeValue } from './dynamicHost.js';
import { segmentCount } from './segmentSorted.js';

function checkPicks(c: InferContext): void {
  const [indices, ids] = [withRank(c, 1, 1, 'indices'), withRank(c, 2, 1, 'segment_ids')];
  const [a, b] = [indices.dim(0), ids.dim(0)];
  if (a !== null && b !== null && a !== b) c.fail(`indices has ${a} elements, segment_ids has ${b}`);
}

/** The number of rows from the ids, or from input 3. */
function inferPicked(c: InferContext): TensorShape[] {
  const data = withRankAtLeast(c, 0, 1, 'data');
  checkPicks(c);
  const needed = segmentCount(c, 2);
  if (c.shapes.length < 4) return [new TensorShape([needed]).concat(data.slice(1))];
  requireSingle(c, 3, 'num_segments');
  const given = knownScalar(c.constant(3));
  if (given !== null && (given < 0 || (needed ?? 0) > given)) {
    c.fail(`num_segments is ${given}, segment_ids speak of ${needed ?? '?'}`);
  }
  return [new TensorShape([given]).concat(data.slice(1))];
}

function inferPickedGrad(c: InferContext): TensorShape[] {
  const grad = withRankAtLeast(c, 0, 1, 'grad');
  checkPicks(c);
  requireSingle(c, 3, 'output_dim0');
  const rows = knownScalar(c.constant(3));
  if (rows !== null && rows < 0) c.fail(`output_dim0 must not be negative, got ${rows}`);
  return [new TensorShape([rows]).concat(grad.slice(1))];
}

type Kind = 'Sum' | 'Mean' | 'SqrtN';

/** d data: the rows of dy of the segments, weighted as their mean was, added up at the indices. */
function pickedGrad(kind: Kind): GradFn {
  return ({ ops, inputs, input, dy }) => {
    const rows = ops.stridedSlice(ops.shape(input(0)), [0], [1], { shrinkAxisMask: 1 });
    const dx =
      kind === 'Sum'
        ? ops.unsortedSegmentSum(ops.gather(dy, input(2)), input(1), rows)
        : apply(`SparseSegment${kind}Grad`, [dy, input(1), input(2), rows]);
    return inputs.map((_, i) => (i === 0 ? withShapeOf(dx, input(0)) : null));
  };
}

/** The op is linear in grad: its own gradient combines the rows that were picked. */
function ownGrad(kind: Kind): GradFn {
  return ({ ops, input, dy }) => {
    const segments = ops.stridedSlice(ops.shape(input(0)), [0], [1], { shrinkAxisMask: 1 });
    const ddy = apply(`SparseSegment${kind}WithNumSegments`, [dy, input(1), input(2), segments]);
    return [withShapeOf(ddy, input(0)), null, null, null];
  };
}

const FLOATS = 'T: {float32, float64}';
const REAL =
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';
const TIDX = ['Tidx: index = int32', 'Tsegmentids: index = int32'];

function picked(summary: string, kind: Kind): OpDef {
  return op({
    summary: `${summary} of rows that are picked by indices, by ascending ids.`,
    inputs: ['data: T', 'indices: Tidx', 'segment_ids: Tsegmentids'],
    outputs: ['output: T'],
    attrs: [kind === 'Sum' ? REAL : FLOATS, ...TIDX],
    infer: inferPicked,
    grad: pickedGrad(kind),
  });
}

function pickedInto(summary: string, kind: Kind): OpDef {
  return op({
    summary: `${summary} of rows that are picked by indices, by ascending ids, for a given number of them.`,
    inputs: ['data: T', 'indices: Tidx', 'segment_ids: Tsegmentids', 'num_segments: Tnumsegments'],
    outputs: ['output: T'],
    attrs: [kind === 'Sum' ? REAL : FLOATS, ...TIDX, 'Tnumsegments: index = int32'],
    infer: inferPicked,
    grad: pickedGrad(kind),
  });
}

/** d data of a sum: rows of grad by their segments, added up at the indices. */
function composeSumGrad({ ops, input }: ComposeContext): Tensor[] {
  return [ops.unsortedSegmentSum(ops.gather(input(0), input(2)), input(1), input(3))];
}

const LOW = 'T: {float16, bfloat16, float32, float64}';

/** Rows only where indices point, with these indices: as many as differ. */
function inferRowsGrad(c: InferContext): TensorShape[] {
  const grad = withRankAtLeast(c, 0, 1, 'grad');
  checkPicks(c);
  requireSingle(c, 3, 'dense_output_dim0');
  const known = knownElements(c.constant(1));
  const rows = knownScalar(c.constant(3));
  const wrong = known?.findIndex((index) => index < 0 || index >= (rows ?? Infinity)) ?? -1;
  if (wrong >= 0) c.fail(`indices[${wrong}] is ${known?.[wrong] ?? '?'}, there are ${rows ?? '?'} rows`);
  const count = new TensorShape([known === null ? null : new Set(known).size]);
  return [count.concat(grad.slice(1)), count];
}

function evaluateRowsGrad(c: EvaluateContext, kind: Kind): HostValue[] | null {
  const [grad, indices, ids] = [0, 1, 2].map((i) => wholeValue(c, i));
  if (!grad || !indices || !ids) return null;
  const width = grad.shape.slice(1).reduce((a, b) => a * b, 1);
  const counts = new Float64Array(grad.shape[0] ?? 0);
  for (const id of ids.data) counts[id] = (counts[id] ?? 0) + 1;
  const rows = [...new Set(indices.data)].sort((a, b) => a - b);
  const places = new Map(rows.map((row, i) => [row, i]));
  const data = new Float64Array(rows.length * width);
  indices.data.forEach((index, k) => {
    const [place = 0, id = 0] = [places.get(index), ids.data[k]];
    const count = counts[id] ?? 1;
    const divisor = kind === 'Sum' ? 1 : kind === 'Mean' ? count : Math.sqrt(count);
    for (let n = 0; n < width; n++) {
      const to = place * width + n;
      data[to] = (data[to] ?? 0) + (grad.data[id * width + n] ?? NaN) / divisor;
    }
  });
  const [dtype = grad.dtype, own = indices.dtype] = c.outputs;
  return [{ dtype, shape: [rows.length, ...grad.shape.slice(1)], data }, vectorOf(own, rows)];
}

/** The gradient as rows, which TensorFlow makes since 2.15: how many there are depends on the indices. */
function rowsGradOf(kind: Kind): OpDef {
  return op({
    summary: `Gradient of SparseSegment${kind} as rows and their sorted indices.`,
    inputs: ['grad: T', 'indices: Tidx', 'segment_ids: Tsegmentids', 'dense_output_dim0: int32'],
    outputs: ['output: T', 'sorted_unique_indices: Tidx'],
    attrs: [LOW, ...TIDX],
    infer: inferRowsGrad,
    evaluate: (c) => evaluateRowsGrad(c, kind),
    grad: gradientMissing('TensorFlow has none; that of SparseSegmentSumGrad and its kin is of every order'),
  });
}

function gradOf(kind: Kind): OpDef {
  return op({
    summary: `Gradient of SparseSegment${kind}.`,
    inputs: ['grad: T', 'indices: Tidx', 'segment_ids: Tsegmentids', 'output_dim0: int32'],
    outputs: ['output: T'],
    attrs: [kind === 'Sum' ? LOW : FLOATS, ...TIDX],
    infer: inferPickedGrad,
    grad: ownGrad(kind),
    ...(kind === 'Sum' ? { compose: composeSumGrad } : {}),
  });
}

export const SEGMENT_SPARSE = {
  SparseSegmentSum: picked('Sums', 'Sum'),
  SparseSegmentMean: picked('Means', 'Mean'),
  SparseSegmentSqrtN: picked('Sums, divided by the root of their number,', 'SqrtN'),
  SparseSegmentSumWithNumSegments: pickedInto('Sums', 'Sum'),
  SparseSegmentMeanWithNumSegments: pickedInto('Means', 'Mean'),
  SparseSegmentSqrtNWithNumSegments: pickedInto('Sums, divided by the root of their number,', 'SqrtN'),
  SparseSegmentSumGrad: gradOf('Sum'),
  SparseSegmentMeanGrad: gradOf('Mean'),
  SparseSegmentSqrtNGrad: gradOf('SqrtN'),
  SparseSegmentSumGradV2: rowsGradOf('Sum'),
  SparseSegmentMeanGradV2: rowsGradOf('Mean'),
  SparseSegmentSqrtNGradV2: rowsGradOf('SqrtN'),
};

export interface SparseSegmentOptions extends NameOptions {
  /** Default: one more than the last id. */
  readonly numSegments?: TensorLike;
}

function pickedBuilder(type: string) {
  return (
    data: TensorLike,
    indices: TensorLike,
    segmentIds: TensorLike,
    { numSegments, name }: SparseSegmentOptions = {},
  ): Tensor => {
    const inputs = [convertToTensor(data), indices, segmentIds];
    if (numSegments === undefined) return apply(type, inputs, { name });
    return apply(`${type}WithNumSegments`, [...inputs, numSegments], { name });
  };
}

/**
 * Row `s` of the result is the sum of the rows `data[indices[k]]` over the `k` with `segmentIds[k] = s`
 * (`tf.sparse.segment_sum`). Ids ascend; without `numSegments` the last one tells how many there are. An
 * index out of range gives zeros. An id that does not occur gives 0.
 */
export const sparseSegmentSum = pickedBuilder('SparseSegmentSum');
/** As `sparseSegmentSum`, with means (`tf.sparse.segment_mean`). */
export const sparseSegmentMean = pickedBuilder('SparseSegmentMean');
/** As `sparseSegmentSum`, divided by the root of the number of rows (`tf.sparse.segment_sqrt_n`). */
export const sparseSegmentSqrtN = pickedBuilder('SparseSegmentSqrtN');
