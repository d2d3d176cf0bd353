/** Eigenvalues and eigenvectors of symmetric matrices. */
import { applyOp, type NameOptions } from '../apply.js';
import { withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

/**
 * da = v (diag(de) + f ∘ vᵀ dv) vᵀ, f being 1 / (e_j - e_i) off the diagonal; folded into the lower triangle, which
 * alone is read.
 */
function eigGrad(c: GradContext): Tensor[] {
  const { ops } = c;
  const computeV = c.attrs.bool('compute_v');
  const { e, v } = computeV ? { e: c.output(0), v: c.output(1) } : ops.selfAdjointEig(c.input(0));
  const de = ops.matrixDiag(c.dys[0] ?? ops.zerosLike(e));
  const dv = computeV ? (c.dys[1] ?? null) : null;
  let middle = de;
  if (dv !== null) {
    const gaps = ops.sub(ops.expandDims(e, -2), ops.expandDims(e, -1));
    const f = ops.matrixSetDiag(ops.reciprocal(ops.matrixSetDiag(gaps, ops.onesLike(e))), ops.zerosLike(e));
    middle = ops.add(de, ops.mul(f, ops.batchMatMul(v, dv, { adjX: true })));
  }
  const da = ops.batchMatMul(v, ops.batchMatMul(middle, v, { adjY: true }));
  const folded = ops.matrixBandPart(ops.add(da, ops.matrixTranspose(da)), -1, 0);
  return [ops.matrixSetDiag(folded, ops.mul(ops.matrixDiagPart(folded), 0.5))];
}

export const LINALG_EIG = {
  SelfAdjointEigV2: op({
    summary: 'Eigenvalues, rising, and eigenvectors of symmetric matrices.',
    inputs: ['input: T'],
    outputs: ['e: T', 'v: T'],
    attrs: ['compute_v: bool = true', 'T: {float64, float32, float16, complex64, complex128}'],
    infer: (c) => {
      const x = withRankAtLeast(c, 0, 2, 'input');
      const open = c.attrs.bool('compute_v') ? x : new TensorShape([0]);
      if (x.rank === null) return [TensorShape.UNKNOWN, open];
      const [rows, columns] = [x.dim(-2), x.dim(-1)];
      if (rows !== null && columns !== null && rows !== columns) {
        c.fail(`input must hold square matrices, got shape ${x.toString()}`);
      }
      const [batch, side] = [x.slice(0, -2), rows ?? columns];
      return [batch.concat([side]), c.attrs.bool('compute_v') ? batch.concat([side, side]) : open];
    },
    grad: eigGrad,
  }),
};

/**
 * Eigenvalues e [..., n], rising, and eigenvectors v [..., n, n], as columns, of symmetric matrices (`tf.linalg.eigh`,
 * `tf.self_adjoint_eig`), by Jacobi's rotations. Reads the lower triangle. The largest element of each eigenvector
 * is positive. The gradient of eigenvectors needs distinct eigenvalues.
 */
export function selfAdjointEig(tensor: TensorLike, { name }: NameOptions = {}): { e: Tensor; v: Tensor } {
  const node = applyOp('SelfAdjointEigV2', [tensor], { name });
  return { e: node.output(0), v: node.output(1) };
}

/** Eigenvalues alone of symmetric matrices (`tf.linalg.eigvalsh`, `tf.self_adjoint_eigvals`); see `selfAdjointEig`. */
export function selfAdjointEigvals(tensor: TensorLike, { name }: NameOptions = {}): Tensor {
  return applyOp('SelfAdjointEigV2', [tensor], { name, attrs: { compute_v: false } }).output(0);
}
