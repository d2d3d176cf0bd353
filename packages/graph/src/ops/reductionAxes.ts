/** What reductions share: reading the axes, the reduced shape, and undoing a reduction in gradients. */
import { normalizeAxis } from '../inferHelpers.js';
import type { EvaluateContext, GradContext, InferContext } from '../opDef.js';
import { sizeOf, stridesOf, TensorShape, type Dim } from '../shape.js';
import type { Ops } from './index.js';
import { constantValue } from '../constantValue.js';
import type { Tensor } from '../tensor.js';
import type { HostValue } from '../value.js';

/** Sorted axes in `[0, rank)`; `null` when not known. Rejects axes out of range and duplicates. */
export function reductionAxes(
  c: InferContext,
  value: HostValue | null,
  rank: number | null,
): number[] | null {
  if (value === null || rank === null || value.data.some(Number.isNaN)) return null;
  const axes = Array.from(value.data, (axis) => normalizeAxis(c, axis, rank) ?? 0);
  const repeated = axes.find((axis, i) => axes.indexOf(axis) !== i);
  if (repeated !== undefined)
    c.fail(`axis ${repeated} is reduced twice by axes [${Array.from(value.data).join(',')}]`);
  return axes.sort((a, b) => a - b);
}

/** Shape rule of all reductions: input 1 holds the axes, `keep_dims` leaves them as 1. */
export function inferReduction(c: InferContext): TensorShape[] {
  const [x, axisShape] = [c.shape(0), c.shape(1)];
  if (axisShape.rank !== null && axisShape.rank > 1) {
    c.fail(`the axes must be a scalar or a vector, got shape ${axisShape.toString()}`);
  }
  const keep = c.attrs.bool('keep_dims');
  const axes = reductionAxes(c, c.constant(1), x.rank);
  if (x.dims !== null && axes !== null) return [reducedShape(x.dims, axes, keep)];
  if (x.rank === null) return [TensorShape.UNKNOWN];
  if (keep) return [TensorShape.ofRank(x.rank)];
  const count = axisShape.size;
  return [count === null || count > x.rank ? TensorShape.UNKNOWN : TensorShape.ofRank(x.rank - count)];
}

function reducedShape(dims: readonly Dim[], axes: readonly number[], keep: boolean): TensorShape {
  if (keep) return new TensorShape(dims.map((dim, i) => (axes.includes(i) ? 1 : dim)));
  return new TensorShape(dims.filter((_, i) => !axes.includes(i)));
}

/** Reduces groups of elements on the host: `reduce` gets the elements of each group in row-major order. */
export function evaluateReduction(
  c: EvaluateContext,
  reduce: (elements: readonly number[], dtype: string) => number,
): HostValue[] | null {
  const [x, axis] = [c.value(0), c.value(1)];
  const [dtype] = c.outputs;
  if (x === null || axis === null || dtype === undefined || axis.data.some(Number.isNaN)) return null;
  const rank = x.shape.length;
  const axes = Array.from(axis.data, (a) => (a < 0 ? a + rank : a));
  const kept = x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
  const groups: number[][] = Array.from({ length: sizeOf(kept) }, () => []);
  const [from, to] = [stridesOf(x.shape), stridesOf(kept)];
  x.data.forEach((element, flat) => {
    let rest = flat;
    let group = 0;
    from.forEach((stride, i) => {
      if (!axes.includes(i)) group += Math.floor(rest / stride) * (to[i] ?? 0);
      rest %= stride;
    });
    groups[group]?.push(element);
  });
  const shape = c.attrs.bool('keep_dims') ? kept : kept.filter((_, i) => !axes.includes(i));
  return [{ dtype, shape, data: Float64Array.from(groups, (group) => reduce(group, dtype)) }];
}

/** The sorted static axes of a reduction node, or `null`. */
export function staticAxes(c: GradContext): number[] | null {
  const value = constantValue(c.input(1));
  const rank = c.input(0).shape.rank;
  if (value === null || rank === null || value.data.some(Number.isNaN)) return null;
  return Array.from(value.data, (axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

/** `t`, of the reduced shape, with the reduced dimensions back as 1, so that it broadcasts with the input. */
export function withKeptDims(c: GradContext, t: Tensor): Tensor {
  const { ops, attrs } = c;
  const x = c.input(0);
  if (attrs.bool('keep_dims')) return t;
  const axes = staticAxes(c);
  if (axes === null || x.shape.dims === null) return ops.reshape(t, keptShape(ops, x, c.input(1)));
  const kept = x.shape.dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
  if (!kept.includes(null)) return ops.reshape(t, kept as number[]);
  return axes.reduce((expanded, axis) => ops.expandDims(expanded, axis), t);
}

/** The shape of `x` with ones at `axes`, computed when the graph runs. */
function keptShape(ops: Ops, x: Tensor, axes: Tensor): Tensor {
  const rank = ops.rank(x);
  const flat = ops.reshape(ops.floorMod(ops.cast(axes, 'int32'), rank), [-1]);
  const positions = ops.expandDims(ops.range(0, rank), 1);
  const reduced = ops.reduceAny(ops.equal(positions, flat), { axis: 1 });
  const shape = ops.shape(x);
  return ops.where(reduced, ops.onesLike(shape), shape);
}

/** `t`, of the reduced shape, repeated to the shape of the input. */
export function spread(c: GradContext, t: Tensor): Tensor {
  const { ops } = c;
  const x = c.input(0);
  return ops.broadcastTo(withKeptDims(c, t), x.shape.isFullyDefined ? x.shape.toStatic() : ops.shape(x));
}
