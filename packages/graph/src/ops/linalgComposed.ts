/** Linear algebra that is made of factorizations: logarithms of determinants, least squares, norms. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { transpose } from './arrayMove.js';
import { expandDims, reshape, squeeze } from './arrayView.js';
import { add, mul, pow, realDiv } from './binary.js';
import { cholesky, matrixTriangularSolve, svd } from './linalg.js';
import { batchMatMul } from './matrix.js';
import { composedOf, matrixTranspose } from './matrixComposed.js';
import { matrixBandPart, matrixDiagPart, matrixSetDiag } from './matrixDiag.js';
import { reduceMax, reduceSum } from './reduction.js';
import { log, sqrt } from './transcendental.js';
import { abs, square } from './unary.js';

/** log det of symmetric positive definite matrices [..., n, n] (`tf.linalg.logdet`), by `cholesky`: [...]. */
export function logdet(matrix: TensorLike, { name = 'logdet' }: NameOptions = {}): Tensor {
  return composedOf(name, matrix, (x) => mul(reduceSum(log(matrixDiagPart(cholesky(x))), { axis: [-1] }), 2));
}

/**
 * Solutions of a x = `rhs` [..., n, k], `chol` being the Cholesky factors of a (`tf.linalg.cholesky_solve`).
 */
export function choleskySolve(
  chol: TensorLike,
  rhs: TensorLike,
  { name = 'cholesky_solve' }: NameOptions = {},
): Tensor {
  return composedOf(name, chol, (l) =>
    matrixTriangularSolve(l, matrixTriangularSolve(l, rhs), { adjoint: true }),
  );
}

export interface LstsqOptions extends NameOptions {
  /** Weight of the squares of the solution. Default 0. */
  readonly l2Regularizer?: number | undefined;
  /**
   * By Cholesky's factorization of the normal equations, the default; `false`: by `svd`, for matrices of any rank, without
   * `l2Regularizer` and without gradient.
   */
  readonly fast?: boolean | undefined;
}

/**
 * Least-squares solutions of `matrix` [..., m, n] x = `rhs` [..., m, k] (`tf.linalg.lstsq`, `tf.matrix_solve_ls`): with
 * m >= n those that minimize |matrix x - rhs|² + l2Regularizer |x|², else the shortest that solve the system. Throws
 * `InvalidArgumentError` where m and n are not known, unless `fast` is false.
 */
export function lstsq(matrix: TensorLike, rhs: TensorLike, options: LstsqOptions = {}): Tensor {
  const { l2Regularizer = 0, fast = true, name = 'matrix_solve_ls' } = options;
  return composedOf(name, matrix, (a) => {
    const b = convertToTensor(rhs, rhs instanceof Tensor ? {} : { dtype: a.dtype });
    if (!fast) return apply('MatrixSolveLs', [a, b, l2Regularizer], { attrs: { fast } });
    const [m, n] = a.shape.rank === null ? [null, null] : [a.shape.dim(-2), a.shape.dim(-1)];
    if (m === null || n === null) {
      throw new InvalidArgumentError(
        `lstsq: the sizes of matrix must be known, got shape ${a.shape.toString()}`,
      );
    }
    const over = m >= n;
    const gram = batchMatMul(a, a, over ? { adjX: true } : { adjY: true });
    const regular =
      l2Regularizer === 0 ? gram : matrixSetDiag(gram, add(matrixDiagPart(gram), l2Regularizer));
    const factor = cholesky(regular);
    if (over) return choleskySolve(factor, batchMatMul(a, b, { adjX: true }));
    return batchMatMul(a, choleskySolve(factor, b), { adjX: true });
  });
}

export type NormOrder = 'euclidean' | 'fro' | number;

export interface NormOptions extends NameOptions {
  /** Default `euclidean`. */
  readonly ord?: NormOrder | undefined;
  /** Default: the norm of all elements as one vector. Two axes make matrices. */
  readonly axis?: number | readonly [number, number] | null | undefined;
  readonly keepDims?: boolean | undefined;
}

/**
 * Norms of vectors along one axis (or of all elements), or of matrices over two (`tf.norm`). Vectors: `euclidean`,
 * or the p-norm for a number p > 0, Infinity being the largest absolute value. Matrices: `euclidean` and `fro` the
 * root of the sum of squares, 1 and Infinity the largest sum of a column or row; 2 the largest singular
 * value.
 * The gradient of a Euclidean norm that is 0 is NaN, as in TensorFlow.
 */
export function norm(tensor: TensorLike, options: NormOptions = {}): Tensor {
  const { ord = 'euclidean', axis = null, keepDims = false, name = 'norm' } = options;
  checkNorm(ord, axis);
  return composedOf(name, tensor, (x) => {
    if (ord === 2 && typeof axis === 'object' && axis !== null) return spectralNorm(x, axis, keepDims);
    const kept = normKept(x, ord, axis);
    if (keepDims) return kept;
    return axis === null
      ? reshape(kept, [])
      : squeeze(kept, { axis: typeof axis === 'number' ? [axis] : [...axis] });
  });
}

/**
 * `tensor` divided by its norms, and these with dimensions of size 1 (`tf.linalg.normalize`); `ord` and `axis` as in `norm`.
 */
export function normalize(
  tensor: TensorLike,
  { ord, axis, name = 'normalize' }: Omit<NormOptions, 'keepDims'> = {},
): { normalized: Tensor; norm: Tensor } {
  const x = convertToTensor(tensor);
  const norms = norm(x, { ord, axis, keepDims: true, name });
  return { normalized: realDiv(x, norms), norm: norms };
}

function checkNorm(ord: NormOrder, axis: NormOptions['axis']): void {
  if (typeof axis === 'object' && axis !== null) {
    if (new Set(axis).size !== 2 || axis.at(2) !== undefined) {
      throw new InvalidArgumentError(
        `norm: axis must be one axis or two different ones, got [${axis.join()}]`,
      );
    }
    if (!['euclidean', 'fro', 1, 2, Infinity].includes(ord)) {
      throw new InvalidArgumentError(
        `norm: ord of matrices must be euclidean, fro, 1, 2 or Infinity, got ${ord}`,
      );
    }
    return;
  }
  if (ord === 'fro' || (typeof ord === 'number' && !(ord > 0))) {
    throw new InvalidArgumentError(`norm: ord of vectors must be euclidean or a number above 0, got ${ord}`);
  }
}

/** The norm with its axes kept as 1. */
function normKept(x: Tensor, ord: NormOrder, axis: number | readonly [number, number] | null): Tensor {
  const axes = axis === null ? undefined : typeof axis === 'number' ? [axis] : [...axis];
  const matrix = axes?.length === 2;
  const kept = { axis: axes, keepDims: true };
  if (typeof ord === 'string' || ord === 2) return sqrt(reduceSum(square(x), kept));
  const size = abs(x);
  const [first, last] = [axes?.slice(0, 1), axes?.slice(-1)];
  if (ord === 1) {
    const sums = reduceSum(size, { axis: first, keepDims: true });
    return matrix ? reduceMax(sums, { axis: last, keepDims: true }) : sums;
  }
  if (ord === Infinity) {
    const sums = matrix ? reduceSum(size, { axis: last, keepDims: true }) : size;
    return reduceMax(sums, { axis: first, keepDims: true });
  }
  return pow(reduceSum(pow(size, ord), kept), 1 / ord);
}

/** The largest singular value of matrices over two axes. */
function spectralNorm(x: Tensor, axis: readonly [number, number], keepDims: boolean): Tensor {
  const { rank } = x.shape;
  if (rank === null)
    throw new InvalidArgumentError('norm: the rank must be known for the norm 2 of matrices');
  const [row = 0, column = 1] = axis.map((a) => (a < 0 ? a + rank : a));
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== row && i !== column);
  const matrices = transpose(x, { perm: [...others, row, column] });
  const largest = reduceMax(svd(matrices, { computeUv: false }), { axis: [-1] });
  if (!keepDims) return largest;
  return expandDims(expandDims(largest, Math.min(row, column)), Math.max(row, column));
}

/**
 * The gradient of `cholesky` for factors `l` and an upstream `dl`: sym(l⁻ᵀ Φ(lᵀ dl) l⁻¹), Φ taking the lower triangle
 * with half of the diagonal (Murray, 2016).
 */
export function choleskyBackprop(l: Tensor, dl: Tensor): Tensor {
  const product = batchMatMul(l, dl, { adjX: true });
  const halved = matrixSetDiag(product, mul(matrixDiagPart(product), 0.5));
  const middle = matrixBandPart(halved, -1, 0);
  const left = matrixTriangularSolve(l, middle, { adjoint: true });
  const da = matrixTranspose(matrixTriangularSolve(l, matrixTranspose(left), { adjoint: true }));
  return mul(add(da, matrixTranspose(da)), 0.5);
}
