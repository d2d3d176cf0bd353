/** What singular values tell of a matrix that may have no inverse: its pseudo-inverse and its rank. */
import type { NameOptions } from '../apply.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { stridedSlice } from './arraySlice.js';
import { expandDims } from './arrayView.js';
import { div, mul } from './binary.js';
import { greater } from './comparison.js';
import { zerosLike } from './fill.js';
import { svd } from './linalgSvd.js';
import { batchMatMul } from './matrix.js';
import { composedOf } from './matrixComposed.js';
import { reduceMax, reduceSum } from './reduction.js';
import { whereV2 } from './selection.js';
import { shape as shapeOf } from './shape.js';
import { cast } from './unary.js';

/** Distance from 1 to the next float32. */
const EPSILON = 2 ** -23;

/** The larger number of rows and columns, as a number or a float32 scalar. */
function longerSide(a: Tensor): number | Tensor {
  const [rows, columns] = a.shape.rank === null ? [null, null] : [a.shape.dim(-2), a.shape.dim(-1)];
  if (rows !== null && columns !== null) return Math.max(rows, columns);
  return cast(reduceMax(stridedSlice(shapeOf(a), [-2], [0], { endMask: 1 })), a.dtype);
}

export interface PinvOptions extends NameOptions {
  /**
   * Singular values of at most `rcond` times the largest count as 0: a number, or one per matrix [...].
   * Default 10 max(m, n) ε.
   */
  readonly rcond?: TensorLike | undefined;
}

/**
 * Pseudo-inverses [..., n, m] of matrices [..., m, n] (`tf.linalg.pinv`; Moore, 1920; Penrose, 1955), by `svd`. The
 * gradient is that of the decomposition: it needs known sizes and distinct singular values.
 */
export function pinv(a: TensorLike, { rcond, name = 'pinv' }: PinvOptions = {}): Tensor {
  return composedOf(name, a, (x) => {
    const { s, u, v } = svd(x);
    const relative = rcond ?? mul(longerSide(x), 10 * EPSILON);
    const least = mul(reduceMax(s, { axis: [-1] }), relative);
    const counts = greater(s, expandDims(least, -1));
    // where values do not count they must not divide either, or the gradient is NaN
    const inverse = whereV2(counts, div(1, whereV2(counts, s, 1)), zerosLike(s));
    return batchMatMul(mul(v, expandDims(inverse, -2)), u, { adjY: true });
  });
}

/**
 * Numbers of singular values above `tol` (`tf.linalg.matrix_rank`), by default max(m, n) ε times the largest: int32
 * [...] for matrices [..., m, n].
 */
export function matrixRank(
  a: TensorLike,
  { tol, name = 'matrix_rank' }: NameOptions & { readonly tol?: TensorLike | undefined } = {},
): Tensor {
  return composedOf(name, a, (x) => {
    const s = svd(x, { computeUv: false });
    const largest = reduceMax(s, { axis: [-1], keepDims: true });
    const least = tol ?? mul(largest, mul(longerSide(x), EPSILON));
    return reduceSum(cast(greater(s, least), 'int32'), { axis: [-1] });
  });
}
