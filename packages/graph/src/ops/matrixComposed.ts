/** Builders of linear algebra that are made of other ops: transposes, products over chosen axes, norms, traces. */
import { convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Dim } from '../shape.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { concat } from './arrayJoin.js';
import { transpose } from './arrayMove.js';
import { gather } from './arrayIndex.js';
import { slice } from './arraySlice.js';
import { expandDims, reshape, squeeze } from './arrayView.js';
import { minimum, sub } from './binary.js';
import { ones, range, zeros } from './fill.js';
import { batchMatMul, matMul } from './matrix.js';
import { matrixDiag, matrixDiagPart, matrixSetDiag } from './matrixDiag.js';
import { reduceProd, reduceSum } from './reduction.js';
import { rank, shape as shapeOf } from './shape.js';

/** Runs `build` in a name scope of the graph of `input`. */
export function composedOf<R>(name: string, input: TensorLike, build: (x: Tensor) => R): R {
  const x = convertToTensor(input);
  return withGraphOf(x, () => nameScope(name, () => build(x)));
}

/**
 * `a` [..., m, n] with its last two dimensions exchanged (`tf.linalg.matrix_transpose`). Throws
 * `InvalidArgumentError` for a rank below 2.
 */
export function matrixTranspose(a: TensorLike, { name = 'matrix_transpose' }: NameOptions = {}): Tensor {
  return composedOf(name, a, (x) => {
    const known = x.shape.rank;
    if (known === null) return transpose(x, { perm: lastTwoExchanged(x) });
    if (known < 2) {
      throw new InvalidArgumentError(
        `matrixTranspose: a must have rank 2 or more, got ${x.shape.toString()}`,
      );
    }
    const leading = Array.from({ length: known - 2 }, (_, i) => i);
    return transpose(x, { perm: [...leading, known - 1, known - 2] });
  });
}

function lastTwoExchanged(x: Tensor): Tensor {
  const n = rank(x);
  return concat([range(0, sub(n, 2)), expandDims(sub(n, 1), 0), expandDims(sub(n, 2), 0)], 0);
}

/** The conjugate transpose of matrices (`tf.linalg.adjoint`): of real ones the transpose. */
export function adjoint(matrix: TensorLike, { name = 'adjoint' }: NameOptions = {}): Tensor {
  return matrixTranspose(matrix, { name });
}

export interface MatvecOptions extends NameOptions {
  readonly transposeA?: boolean | undefined;
  readonly adjointA?: boolean | undefined;
}

/**
 * Products of matrices `a` [..., m, n] with vectors `b` [..., n] (`tf.linalg.matvec`); leading dimensions
 * broadcast.
 */
export function matvec(
  a: TensorLike,
  b: TensorLike,
  { transposeA = false, adjointA = false, name = 'MatVec' }: MatvecOptions = {},
): Tensor {
  return composedOf(name, a, (x) => {
    const column = expandDims(convertToTensor(b, b instanceof Tensor ? {} : { dtype: x.dtype }), -1);
    const known = x.shape.rank === 2 && column.shape.rank === 2;
    const adjX = transposeA || adjointA;
    const y = known ? matMul(x, column, { transposeA: adjX }) : batchMatMul(x, column, { adjX });
    return squeeze(y, { axis: [-1] });
  });
}

/** The sums of the main diagonals of matrices [..., m, n] (`tf.linalg.trace`, `tf.trace`): [...]. */
export function trace(x: TensorLike, { name = 'Trace' }: NameOptions = {}): Tensor {
  return composedOf(name, x, (matrix) => reduceSum(matrixDiagPart(matrix), { axis: [-1] }));
}

export interface EyeOptions extends NameOptions {
  /** Default: as many as rows. */
  readonly numColumns?: number | Tensor | undefined;
  /** Leading dimensions; default none. */
  readonly batchShape?: readonly number[] | Tensor | undefined;
  /** Default float32. */
  readonly dtype?: DType | undefined;
}

/** Identity matrices [...batchShape, numRows, numColumns] (`tf.eye`). */
export function eye(numRows: number | Tensor, options: EyeOptions = {}): Tensor {
  const { numColumns, batchShape = [], dtype = 'float32', name = 'eye' } = options;
  return nameScope(name, () => {
    const lead = batchShape instanceof Tensor ? [batchShape] : [...batchShape];
    if (numColumns === undefined) return matrixDiag(ones(vectorOf([...lead, numRows]), { dtype }));
    const shape = vectorOf([...lead, numRows, numColumns]);
    const fixed = typeof numRows === 'number' && typeof numColumns === 'number';
    const length = fixed ? Math.min(numRows, numColumns) : minimum(numRows, numColumns);
    return matrixSetDiag(zeros(shape, { dtype }), ones(vectorOf([...lead, length]), { dtype }));
  });
}

/** Numbers, or tensors among them, as a vector of int32; vectors among them are joined in. */
function vectorOf(parts: readonly (number | Tensor)[]): TensorLike {
  const numbers = parts.filter((part) => typeof part === 'number');
  if (numbers.length === parts.length) return convertToTensor(numbers, { dtype: 'int32' });
  const vectors = parts.map((part) => {
    if (typeof part === 'number') return convertToTensor([part], { dtype: 'int32' });
    return part.shape.rank === 1 ? part : expandDims(part, 0);
  });
  return concat(vectors, 0);
}

/** How many axes, or which of `a` and of `b`. */
export type TensordotAxes = number | readonly [a: number | readonly number[], b: number | readonly number[]];

/**
 * The products of `a` and `b` summed over pairs of axes (`tf.tensordot`): over the last `axes` of a and the first of
 * b, or over the axes listed for each. The result has the other axes of a, then those of b. With lists of axes
 * the ranks must be known. Throws `InvalidArgumentError` for axes out of range or sizes that differ.
 */
export function tensordot(
  a: TensorLike,
  b: TensorLike,
  axes: TensordotAxes,
  { name = 'Tensordot' }: NameOptions = {},
): Tensor {
  return composedOf(name, a, (x) => {
    const y = convertToTensor(b, b instanceof Tensor ? {} : { dtype: x.dtype });
    const [left, right] = typeof axes === 'number' ? countedAxes(x, y, axes) : listedAxes(x, y, axes);
    checkPairs(left, right);
    const product = matMul(reshape(left.ordered, [-1, left.size]), reshape(right.ordered, [right.size, -1]));
    const dims = [...left.free, ...right.free];
    if (dims.every((dim) => typeof dim === 'number'))
      return reshape(product, convertToTensor(dims, { dtype: 'int32' }));
    return reshape(product, vectorOf(dims));
  });
}

/** An operand with the summed axes last (a) or first (b), their total size, and the other sizes. */
interface DotFactor {
  readonly ordered: Tensor;
  readonly sizes: readonly Dim[];
  readonly size: number | Tensor;
  readonly free: readonly (number | Tensor)[];
}

function checkPairs(a: DotFactor, b: DotFactor): void {
  const differs =
    a.sizes.length !== b.sizes.length ||
    a.sizes.some((dim, i) => dim !== null && (b.sizes[i] ?? dim) !== dim);
  if (differs) {
    const show = (sizes: readonly Dim[]): string => sizes.map((dim) => dim ?? '?').join();
    throw new InvalidArgumentError(
      `tensordot: sizes of the axes differ: a [${show(a.sizes)}], b [${show(b.sizes)}]`,
    );
  }
}

function listedAxes(x: Tensor, y: Tensor, [a, b]: Exclude<TensordotAxes, number>): [DotFactor, DotFactor] {
  return [orderedFactor(x, 'a', [a].flat(), true), orderedFactor(y, 'b', [b].flat(), false)];
}

function countedAxes(x: Tensor, y: Tensor, count: number): [DotFactor, DotFactor] {
  if (!Number.isInteger(count) || count < 0) {
    throw new InvalidArgumentError(
      `tensordot: axes must be a whole number from 0 or two lists, got ${count}`,
    );
  }
  const upTo = Array.from({ length: count }, (_, i) => i);
  const left =
    x.shape.rank === null
      ? openFactor(x, count, true)
      : orderedFactor(
          x,
          'a',
          upTo.map((i) => i - count),
          true,
        );
  return [left, y.shape.rank === null ? openFactor(y, count, false) : orderedFactor(y, 'b', upTo, false)];
}

function orderedFactor(x: Tensor, what: string, axes: readonly number[], last: boolean): DotFactor {
  const { rank: dims } = x.shape;
  if (dims === null)
    throw new InvalidArgumentError(`tensordot: the rank of ${what} must be known for lists of axes`);
  const summed = axes.map((axis) => (axis < 0 ? axis + dims : axis));
  if (summed.some((axis, i) => !(axis >= 0 && axis < dims) || summed.indexOf(axis) !== i)) {
    throw new InvalidArgumentError(
      `tensordot: axes [${axes.join()}] of ${what} do not fit shape ${x.shape.toString()}`,
    );
  }
  const free = Array.from({ length: dims }, (_, i) => i).filter((i) => !summed.includes(i));
  const perm = last ? [...free, ...summed] : [...summed, ...free];
  const ordered = perm.every((axis, i) => axis === i) ? x : transpose(x, { perm });
  const size = (axis: number): number | Tensor => x.shape.dim(axis) ?? gather(shapeOf(x), axis);
  const sizes = summed.map((axis) => x.shape.dim(axis));
  const known = sizes.filter((dim) => dim !== null);
  const total = known.reduce((n, dim) => n * dim, 1);
  const product = known.length === sizes.length ? total : reduceProd(gather(shapeOf(x), summed));
  return { ordered, sizes, size: product, free: free.map(size) };
}

/** A factor of unknown rank, whose summed axes lie together already. */
function openFactor(x: Tensor, count: number, last: boolean): DotFactor {
  const dims = shapeOf(x);
  const rest = sub(rank(x), count);
  const [free, summed] = last
    ? [slice(dims, [0], expandDims(rest, 0)), slice(dims, expandDims(rest, 0), [count])]
    : [slice(dims, [count], [-1]), slice(dims, [0], [count])];
  return { ordered: x, sizes: new Array<null>(count).fill(null), size: reduceProd(summed), free: [free] };
}
