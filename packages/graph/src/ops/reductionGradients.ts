/** Gradients of reductions that take more than a line. */
import type { GradContext } from '../opDef.js';
import { sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Ops } from './index.js';
import { spread, staticAxes, withKeptDims } from './reductionAxes.js';

/** Number of elements that each output element combines, as a scalar of the dtype of `x`. */
export function reducedCount({ ops, input, output }: GradContext): Tensor | number {
  const [all, left] = [input(0).shape.size, output(0).shape.size];
  if (all !== null && left !== null) return all / Math.max(left, 1);
  const count = ops.floorDiv(ops.size(input(0)), ops.maximum(ops.size(output(0)), 1));
  return ops.cast(count, input(0).dtype);
}

/** Max and Min: all elements equal to the extreme share the gradient equally. */
export function extremeGrad(c: GradContext): (Tensor | null)[] {
  const { ops, input, output, dy } = c;
  const x = input(0);
  const chosen = ops.cast(ops.equal(x, withKeptDims(c, output(0))), x.dtype);
  const count = ops.reduceSum(chosen, { axis: input(1), keepDims: true });
  return [ops.mul(ops.div(chosen, count), withKeptDims(c, dy)), null]; // dx = [x = y] / count * dy
}

/**
 * Prod: dx_i = dy * product of the other elements, without dividing, so that it holds at zeros and can
 * be differentiated again. The reduced dimensions are brought to the front and multiplied up from both
 * sides.
 */
export function prodGrad(c: GradContext): (Tensor | null)[] {
  const { ops, input, dy } = c;
  const x = input(0);
  const { perm, back, matrixShape, shape } = reducedFirst(c);
  const front = ops.transpose(x, { perm });
  const matrix = ops.reshape(front, matrixShape);
  const others = ops.mul(exclusiveProduct(ops, matrix, false), exclusiveProduct(ops, matrix, true));
  const inPlace = ops.transpose(ops.reshape(others, shape ?? ops.shape(front)), { perm: back });
  return [ops.mul(inPlace, spread(c, dy)), null];
}

interface ReducedFirst {
  /** The permutation that puts the reduced dimensions first, and its inverse. */
  readonly perm: readonly number[] | Tensor;
  readonly back: readonly number[] | Tensor;
  /** Numbers of elements in the reduced and in the other dimensions. */
  readonly matrixShape: readonly number[] | Tensor;
  /** The permuted shape, where it is known. */
  readonly shape: readonly number[] | null;
}

function reducedFirst(c: GradContext): ReducedFirst {
  const x = c.input(0);
  const axes = staticAxes(c);
  if (axes === null || !x.shape.isFullyDefined) return dynamicReducedFirst(c.ops, x, c.input(1));
  const dims = x.shape.toStatic();
  const others = dims.map((_, i) => i).filter((i) => !axes.includes(i));
  const perm = [...axes, ...others];
  const size = (positions: readonly number[]): number => sizeOf(positions.map((i) => dims[i] ?? 1));
  return {
    perm,
    back: dims.map((_, i) => perm.indexOf(i)),
    matrixShape: [size(axes), size(others)],
    shape: perm.map((i) => dims[i] ?? 1),
  };
}

function dynamicReducedFirst(ops: Ops, x: Tensor, axis: Tensor): ReducedFirst {
  const rank = ops.rank(x);
  const axes = ops.reshape(ops.floorMod(ops.cast(axis, 'int32'), rank), [-1]);
  const matches = ops.cast(ops.equal(ops.expandDims(ops.range(0, rank), 1), axes), 'int32');
  const isReduced = ops.reduceSum(matches, { axis: 1 }); // 1 for reduced dimensions, 0 for the others
  const isKept = ops.sub(1, isReduced);
  const shape = ops.shape(x);
  const size = (flags: Tensor): Tensor =>
    ops.reduceProd(ops.where(ops.equal(flags, 1), shape, ops.onesLike(shape)), { axis: 0 });
  const before = (flags: Tensor): Tensor => ops.cumsum(flags, { axis: 0, exclusive: true });
  const keptPlace = ops.add(before(isKept), ops.reduceSum(isReduced, { axis: 0 }));
  const back = ops.where(ops.equal(isReduced, 1), before(isReduced), keptPlace);
  return {
    perm: ops.invertPermutation(back),
    back,
    matrixShape: ops.stack([size(isReduced), size(isKept)]),
    shape: null,
  };
}

/** Products of the rows before (or after) each row of `matrix`, by doubling; by a scan where the length is not known. */
function exclusiveProduct(ops: Ops, matrix: Tensor, reverse: boolean): Tensor {
  const length = matrix.shape.rank === 2 ? matrix.shape.dim(0) : null;
  if (length === null) return ops.cumprod(matrix, { axis: 0, exclusive: true, reverse });
  let product = shifted(ops, matrix, Math.min(1, length), length, reverse);
  for (let distance = 1; distance < length; distance *= 2) {
    product = ops.mul(product, shifted(ops, product, distance, length, reverse));
  }
  return product;
}

/** Rows moved down (or up) by `distance`, ones moving in. */
function shifted(ops: Ops, matrix: Tensor, distance: number, length: number, reverse: boolean): Tensor {
  const ones = ops.onesLike(ops.slice(matrix, [0, 0], [distance, -1]));
  const rest = ops.slice(matrix, [reverse ? distance : 0, 0], [length - distance, -1]);
  return ops.concat(reverse ? [rest, ones] : [ones, rest], 0);
}
