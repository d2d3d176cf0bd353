/** Factorization into a lower and an upper triangle with exchanged rows, and what is made of it. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { op, type GradContext, type OpDef } from '../opDef.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { gather } from './arrayIndex.js';
import { ones } from './fill.js';
import { squareInput } from './linalgShapes.js';
import { batchMatMul } from './matrix.js';
import { composedOf } from './matrixComposed.js';
import { matrixBandPart, matrixSetDiag } from './matrixDiag.js';
import { shape } from './shape.js';
import { argsort } from './sort.js';

/** The unit lower triangle of factors in one matrix. */
function unitLower(lu: Tensor): Tensor {
  const below = matrixBandPart(lu, -1, 0);
  const diagonal = ones(apply('StridedSlice', [shape(lu), [0], [-1], [1]], { attrs: { begin_mask: 1 } }), {
    dtype: lu.dtype,
  });
  return matrixSetDiag(below, diagonal);
}

/** Rows of `x` [..., n, k] in the order `rows` [..., n], the leading dimensions being equal. */
function takeRows(x: Tensor, rows: Tensor): Tensor {
  return gather(x, rows, { axis: -2, batchDims: -1 });
}

/**
 * With p a = l u: da = pᵀ l⁻ᵀ (below(lᵀ dl) + above(du uᵀ)) u⁻ᵀ, below the diagonal and from it on.
 */
function luGrad({ ops, output, dys: [dlu] }: GradContext): (Tensor | null)[] {
  if (dlu === null || dlu === undefined) return [null];
  const [lu, p] = [output(0), output(1)];
  const above = (x: Tensor): Tensor => ops.matrixBandPart(x, 0, -1);
  const below = (x: Tensor): Tensor => ops.sub(x, above(x));
  const [l, u] = [unitLower(lu), above(lu)];
  const inner = ops.add(
    below(ops.batchMatMul(l, below(dlu), { adjX: true })),
    above(ops.batchMatMul(above(dlu), u, { adjY: true })),
  );
  const left = ops.matrixTriangularSolve(l, inner, { adjoint: true });
  const right = ops.matrixTriangularSolve(u, ops.matrixTranspose(left), { lower: false });
  return [takeRows(ops.matrixTranspose(right), ops.argsort(p))];
}

export const LINALG_LU = {
  Lu: op({
    summary: 'Factors of square matrices: l below the diagonal, u from it on, and the order of the rows.',
    inputs: ['input: T'],
    outputs: ['lu: T', 'p: output_idx_type'],
    attrs: [
      'output_idx_type: {int32, int64} = int32',
      'T: {float64, float32, float16, complex64, complex128}',
    ],
    infer: (c) => {
      const x = squareInput(c, 0, 'input');
      return [x, x.rank === null ? x : x.slice(0, -1)];
    },
    grad: luGrad,
  }),
} satisfies Record<string, OpDef>;

/**
 * The factorization p a = l u of square matrices [..., n, n] (`tf.linalg.lu`) by elimination with partial pivoting: `lu`
 * holds the unit lower triangle l below the diagonal and u from it on, `p` [..., n] the numbers of the rows of a in their new
 * order. A singular matrix, an error in TensorFlow, gives NaN.
 */
export function lu(
  input: TensorLike,
  {
    outputIdxType = 'int32',
    name,
  }: NameOptions & { readonly outputIdxType?: 'int32' | 'int64' | undefined } = {},
): { lu: Tensor; p: Tensor } {
  const node = applyOp('Lu', [input], { name, attrs: { output_idx_type: outputIdxType } });
  return { lu: node.output(0), p: node.output(1) };
}

/** A permutation as a tensor of integers. */
function rowOrder(perm: TensorLike): Tensor {
  return perm instanceof Tensor ? perm : convertToTensor(perm, { dtype: 'int32' });
}

/** Solutions x [..., n, k] of a x = `rhs`, given what `lu` makes of a (`tf.linalg.lu_solve`). */
export function luSolve(
  lowerUpper: TensorLike,
  perm: TensorLike,
  rhs: TensorLike,
  { name = 'lu_solve' }: NameOptions = {},
): Tensor {
  return composedOf(name, lowerUpper, (factors) => {
    const rows = takeRows(convertToTensor(rhs), rowOrder(perm));
    const middle = apply('MatrixTriangularSolve', [unitLower(factors), rows]);
    return apply('MatrixTriangularSolve', [factors, middle], { attrs: { lower: false } });
  });
}

/** The matrices of which `lu` made these factors (`tf.linalg.lu_reconstruct`). */
export function luReconstruct(
  lowerUpper: TensorLike,
  perm: TensorLike,
  { name = 'lu_reconstruct' }: NameOptions = {},
): Tensor {
  return composedOf(name, lowerUpper, (factors) => {
    const product = batchMatMul(unitLower(factors), matrixBandPart(factors, 0, -1));
    return takeRows(product, argsort(rowOrder(perm)));
  });
}

/** The inverses of matrices, given what `lu` makes of them (`tf.linalg.lu_matrix_inverse`). */
export function luMatrixInverse(
  lowerUpper: TensorLike,
  perm: TensorLike,
  { name = 'lu_matrix_inverse' }: NameOptions = {},
): Tensor {
  return composedOf(name, lowerUpper, (factors) => {
    const diagonal = ones(
      apply('StridedSlice', [shape(factors), [0], [-1], [1]], { attrs: { begin_mask: 1 } }),
    );
    return luSolve(factors, perm, apply('MatrixDiag', [diagonal]));
  });
}
