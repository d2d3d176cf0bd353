/** Singular value decompositions and what is made of them: pseudo-inverses and ranks. */
import { applyOp, type NameOptions } from '../apply.js';
import { UnimplementedError } from '../errors.js';
import { withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

function inferSvd(c: InferContext): TensorShape[] {
  const x = withRankAtLeast(c, 0, 2, 'input');
  const vectors = c.attrs.bool('compute_uv');
  const none = new TensorShape([0]);
  if (x.rank === null) {
    return [TensorShape.UNKNOWN, ...(vectors ? [TensorShape.UNKNOWN, TensorShape.UNKNOWN] : [none, none])];
  }
  const [rows, columns, batch] = [x.dim(-2), x.dim(-1), x.slice(0, -2)];
  const shorter: Dim = rows === null || columns === null ? null : Math.min(rows, columns);
  if (!vectors) return [batch.concat([shorter]), none, none];
  const full = c.attrs.bool('full_matrices');
  return [
    batch.concat([shorter]),
    batch.concat([rows, full ? rows : shorter]),
    batch.concat([columns, full ? columns : shorter]),
  ];
}

/** u, s, v of matrices a = u diag(s) vᵀ that have no more rows than columns, with the gradients flowing in. */
interface Wide {
  readonly rows: number;
  readonly columns: number;
  readonly s: Tensor;
  readonly u: Tensor;
  readonly v: Tensor;
  readonly ds: Tensor | null;
  readonly du: Tensor | null;
  readonly dv: Tensor | null;
}

/** The first `rows` columns of v, which belong to singular values, and the others. */
function cutColumns({ ops }: GradContext, x: Tensor, { rows, columns }: Wide): [Tensor, Tensor | null] {
  if (x.shape.dim(-1) === rows) return [x, null];
  const [own = x, other = null] = ops.split(x, [rows, columns - rows], { axis: -1 });
  return [own, other];
}

/**
 * da = u (diag(ds) + sym(f ∘ uᵀ du) s + s sym(f ∘ vᵀ dv)) vᵀ + u s⁻¹ (dvᵀ (1 - v vᵀ) - vᵀ dw wᵀ), where f is
 * 1 / (s_j² - s_i²) off the diagonal, sym(x) = x + xᵀ, and w the columns that complete v (Giles, 2008; Townsend, 2016).
 */
function wideGrad(c: GradContext, wide: Wide): Tensor {
  const { ops } = c;
  const { s, u, ds, du, dv } = wide;
  const squares = ops.square(s);
  const gaps = ops.sub(ops.expandDims(squares, -2), ops.expandDims(squares, -1));
  const f = ops.matrixSetDiag(ops.reciprocal(ops.matrixSetDiag(gaps, ops.onesLike(s))), ops.zerosLike(s));
  const sym = (x: Tensor): Tensor => ops.add(x, ops.matrixTranspose(x));
  const turn = (x: Tensor, dx: Tensor): Tensor => sym(ops.mul(f, ops.batchMatMul(x, dx, { adjX: true })));
  const [v, w] = cutColumns(c, wide.v, wide);
  const [dv1, dw] = dv === null ? [null, null] : cutColumns(c, dv, wide);
  let middle = ops.matrixDiag(ds ?? ops.zerosLike(s));
  if (du !== null) middle = ops.add(middle, ops.mul(turn(u, du), ops.expandDims(s, -2)));
  if (dv1 !== null) middle = ops.add(middle, ops.mul(ops.expandDims(s, -1), turn(v, dv1)));
  const within = ops.batchMatMul(u, ops.batchMatMul(middle, v, { adjY: true }));
  if (dv1 === null || wide.rows === wide.columns) return within;
  const along = ops.batchMatMul(ops.batchMatMul(dv1, v, { adjX: true }), v, { adjY: true });
  let outside = ops.sub(ops.matrixTranspose(dv1), along);
  if (w !== null && dw !== null) {
    const mixed = ops.batchMatMul(ops.batchMatMul(v, dw, { adjX: true }), w, { adjY: true });
    outside = ops.sub(outside, mixed);
  }
  return ops.add(within, ops.batchMatMul(ops.div(u, ops.expandDims(s, -2)), outside));
}

function svdGrad(c: GradContext): Tensor[] {
  const { ops } = c;
  const x = c.input(0);
  const [ds, du, dv] = [c.dys[0] ?? null, c.dys[1] ?? null, c.dys[2] ?? null];
  if (!c.attrs.bool('compute_uv')) {
    // ds alone: da = u diag(ds) vᵀ
    const { u, v } = ops.svd(x);
    const scaled = ops.mul(u, ops.expandDims(ds ?? ops.zerosLike(c.output(0)), -2));
    return [ops.batchMatMul(scaled, v, { adjY: true })];
  }
  const { shape } = x;
  const [rows, columns] = shape.rank === null ? [null, null] : [shape.dim(-2), shape.dim(-1)];
  if (rows === null || columns === null) {
    throw new UnimplementedError(
      `the gradient of Svd needs the numbers of rows and columns, got ${shape.toString()}`,
    );
  }
  if (c.attrs.bool('full_matrices') && Math.abs(rows - columns) > 1) {
    throw new UnimplementedError(
      `the gradient of Svd with full matrices is not defined where rows and columns differ by more than 1, got ${shape.toString()}`,
    );
  }
  const [s, u, v] = [c.output(0), c.output(1), c.output(2)];
  if (rows <= columns) return [wideGrad(c, { rows, columns, s, u, v, ds, du, dv })];
  const flipped = wideGrad(c, { rows: columns, columns: rows, s, u: v, v: u, ds, du: dv, dv: du });
  return [ops.matrixTranspose(flipped)];
}

export const LINALG_SVD = {
  Svd: op({
    summary: 'Singular values, falling, and singular vectors of matrices.',
    inputs: ['input: T'],
    outputs: ['s: T', 'u: T', 'v: T'],
    attrs: [
      'compute_uv: bool = true',
      'full_matrices: bool = false',
      'T: {float64, float32, float16, complex64, complex128}',
    ],
    infer: inferSvd,
    grad: svdGrad,
  }),
};

export interface SvdOptions extends NameOptions {
  /** All columns of the orthogonal matrices: u [..., m, m], v [..., n, n]. Default false: min(m, n) columns. */
  readonly fullMatrices?: boolean | undefined;
}

/** Singular values s, left singular vectors u and right ones v, as columns. */
export interface Svd {
  readonly s: Tensor;
  readonly u: Tensor;
  readonly v: Tensor;
}

/**
 * Singular values s [..., min(m, n)], falling, and singular vectors u [..., m, min(m, n)] and v [..., n, min(m, n)], as
 * columns, of matrices a = u diag(s) vᵀ [..., m, n] (`tf.linalg.svd`), by Jacobi's rotations from one side (Hestenes,
 * 1958). With `computeUv: false` the singular values alone. Vectors are unique up to their signs: here the largest
 * element of each vector v is positive, or of each u where m < n. A matrix with NaN or infinity gives NaN.
 * The gradient of the vectors needs known sizes and distinct singular values, with `fullMatrices` also |m - n| <= 1.
 */
export function svd(tensor: TensorLike, options: SvdOptions & { readonly computeUv: false }): Tensor;
export function svd(
  tensor: TensorLike,
  options?: SvdOptions & { readonly computeUv?: true | undefined },
): Svd;
export function svd(
  tensor: TensorLike,
  { fullMatrices = false, computeUv = true, name }: SvdOptions & { computeUv?: boolean | undefined } = {},
): Tensor | Svd {
  const node = applyOp('Svd', [tensor], {
    name,
    attrs: { compute_uv: computeUv, full_matrices: fullMatrices },
  });
  if (!computeUv) return node.output(0);
  return { s: node.output(0), u: node.output(1), v: node.output(2) };
}
