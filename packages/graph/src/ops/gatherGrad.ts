/**
 * Gradients of gathers with respect to what they read. They add rows up by `UnsortedSegmentSum`, whose
 * kernel takes time for the rows that were read, not for all that there are times that.
 */
import { baseDType } from '../dtype.js';
import { IndexedSlices } from '../indexedSlices.js';
import type { Tensor } from '../tensor.js';
import { withShapeOf } from './arrayHost.js';
import type { Ops } from './index.js';

/** Where a gather reads: both not negative. */
export interface GatherPlace {
  readonly axis: number;
  readonly batch: number;
}

/** dy, rows gathered from `params` at `indices`, added up in the shape of `params`. */
export function rowsGrad(ops: Ops, dy: Tensor, params: Tensor, indices: Tensor): Tensor {
  const shape = ops.shape(params);
  const rows = ops.stridedSlice(shape, [0], [1], { shrinkAxisMask: 1 });
  return withShapeOf(ops.reshape(ops.unsortedSegmentSum(dy, indices, rows), shape), params);
}

/** dy, rows gathered at `indices` from a tensor of shape `shape`, as rows that belong there. */
export function rowSlices(ops: Ops, dy: Tensor, shape: Tensor, indices: Tensor): IndexedSlices {
  const count = ops.expandDims(ops.size(indices), 0);
  const inner = ops.stridedSlice(shape, [1], [0], { endMask: 1 });
  const values = ops.reshape(dy, ops.concat([count, inner], 0));
  return new IndexedSlices(values, ops.reshape(indices, count), shape);
}

/**
 * The gradient of a gather with respect to params: dy added up at the rows that were read. With
 * params seen as [B, O, A, N] and indices as [B, I], row b·A + index gets the rows (b, i) of dy. Both ranks
 * must be known.
 */
export function gatherGrad(
  ops: Ops,
  dy: Tensor,
  params: Tensor,
  indices: Tensor,
  { axis, batch }: GatherPlace,
): Tensor {
  const [B, O] = [extent(ops, params, 0, batch), extent(ops, params, batch, axis)];
  const [A, N] = [extent(ops, params, axis, axis + 1), extent(ops, params, axis + 1, params.shape.rank ?? 0)];
  const I = extent(ops, indices, batch, indices.shape.rank ?? 0);
  const swap = (x: Tensor): Tensor => (axis === batch ? x : ops.transpose(x, { perm: [0, 2, 1, 3] }));
  const rows = ops.reshape(
    swap(ops.reshape(dy, ops.stack([B, O, I, N]))),
    ops.stack([ops.mul(B, I), ops.mul(O, N)]),
  );
  const numbers = batch === 0 ? ops.reshape(indices, [-1]) : rowNumbers(ops, indices, A, B, I);
  const sums = ops.unsortedSegmentSum(rows, numbers, ops.mul(B, A));
  const boxed = swap(ops.reshape(sums, ops.stack([B, A, O, N])));
  return withShapeOf(ops.reshape(boxed, ops.shape(params)), params);
}

/**
 * The same, without batches, where the axis is computed or ranks are not known: params are seen as [O, A, N], the shape
 * arithmetic is left to the run.
 */
export function openGatherGrad(ops: Ops, dy: Tensor, params: Tensor, indices: Tensor, axis: Tensor): Tensor {
  const shape = ops.shape(params);
  const one = (x: Tensor): Tensor => ops.reshape(x, [1]);
  const place = ops.floorMod(one(ops.cast(axis, 'int32')), one(ops.rank(params)));
  const outer = one(ops.reduceProd(ops.slice(shape, [0], place)));
  const inner = one(ops.reduceProd(ops.slice(shape, ops.add(place, 1), [-1])));
  const swap = (x: Tensor): Tensor => ops.transpose(x, { perm: [1, 0, 2] });
  const rows = swap(ops.reshape(dy, ops.concat([outer, one(ops.size(indices)), inner], 0)));
  const count = ops.reshape(ops.slice(shape, place, [1]), []);
  const sums = ops.unsortedSegmentSum(rows, ops.reshape(indices, [-1]), count);
  return withShapeOf(ops.reshape(swap(sums), shape), params);
}

/** The product of dimensions `from` to `to` of `x` as an int32 scalar: a constant where they are known. */
function extent(ops: Ops, x: Tensor, from: number, to: number): Tensor {
  const part = x.shape.slice(from, to).size;
  if (part !== null) return ops.constant(part, { dtype: 'int32' });
  return ops.reduceProd(ops.stridedSlice(ops.shape(x), [from], [to]));
}

/**
 * Row numbers b·A + index of all indices, as a vector. An index that is out of range must not lead into
 * another batch: it becomes -1, which is left out of the sums.
 */
function rowNumbers(ops: Ops, indices: Tensor, A: Tensor, B: Tensor, I: Tensor): Tensor {
  const starts = ops.expandDims(ops.mul(ops.range(0, B), A), 1);
  const rows = ops.reshape(indices, ops.stack([B, I]));
  const dtype = baseDType(indices.dtype);
  const inside = ops.logicalAnd(ops.greaterEqual(rows, 0), ops.less(rows, ops.cast(A, dtype)));
  const numbers = ops.add(rows, ops.cast(starts, dtype));
  return ops.reshape(ops.where(inside, numbers, ops.neg(ops.onesLike(numbers))), [-1]);
}
