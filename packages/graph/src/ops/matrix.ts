/** Records and builders of matrix products. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { broadcastShapes, TensorShape, type Dim } from '../shape.js';
import { isTensorConvertible, Tensor, type TensorLike } from '../tensor.js';
import { EINSUM } from './einsum.js';
import { fusedMatMul } from './fused.js';
import { MATRIX_DIAG } from './matrixDiag.js';
import { TENSOR_DIAG } from './tensorDiag.js';

export * from './einsum.js';
export * from './matrixDiag.js';
export * from './tensorDiag.js';

const TYPES = 'T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}';

/** Rows and columns of a product of the last two dimensions, `[..., rows, columns]`. */
function productDims(
  c: InferContext,
  [a, b]: readonly [TensorShape, TensorShape],
  [transposeA, transposeB]: readonly [boolean, boolean],
): [Dim, Dim] {
  const inner = a.dim(transposeA ? -2 : -1);
  const other = b.dim(transposeB ? -1 : -2);
  if (inner !== null && other !== null && inner !== other) {
    const [left, right] = [transposeA ? ' transposed' : '', transposeB ? ' transposed' : ''];
    c.fail(`inner dimensions differ: a ${a.toString()}${left}, b ${b.toString()}${right}`);
  }
  return [a.dim(transposeA ? -1 : -2), b.dim(transposeB ? -2 : -1)];
}

function inferMatMul(c: InferContext): TensorShape[] {
  const factors = [withRank(c, 0, 2, 'a'), withRank(c, 1, 2, 'b')] as const;
  const transposes = [c.attrs.bool('transpose_a'), c.attrs.bool('transpose_b')] as const;
  return [new TensorShape(productDims(c, factors, transposes))];
}

function inferBatchMatMul(c: InferContext, broadcast: boolean): TensorShape[] {
  const [x, y] = [withRankAtLeast(c, 0, 2, 'x'), withRankAtLeast(c, 1, 2, 'y')];
  if (x.rank === null || y.rank === null) return [TensorShape.UNKNOWN];
  const dims = productDims(c, [x, y], [c.attrs.bool('adj_x'), c.attrs.bool('adj_y')]);
  const [batchX, batchY] = [x.slice(0, -2), y.slice(0, -2)];
  const batch = broadcast ? broadcastShapes(batchX, batchY) : batchX.mergeWith(batchY);
  if (batch === null) {
    c.fail(
      `batch dimensions ${broadcast ? 'do not broadcast' : 'differ'}: x ${x.toString()}, y ${y.toString()}`,
    );
  }
  return [batch.concat(dims)];
}

type Product = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean) => Tensor;

/** Gradients of `op(a) op(b)` for the four combinations of transposes. */
function productGrads(
  c: GradContext,
  product: Product,
  [ta, tb]: readonly [boolean, boolean],
): [Tensor, Tensor] {
  const [a, b, dy] = [c.input(0), c.input(1), c.dy];
  if (!ta && !tb) return [product(dy, b, false, true), product(a, dy, true, false)]; // da = dy bᵀ, db = aᵀ dy
  if (!ta) return [product(dy, b, false, false), product(dy, a, true, false)]; // da = dy b, db = dyᵀ a
  if (!tb) return [product(b, dy, false, true), product(a, dy, false, false)]; // da = b dyᵀ, db = a dy
  return [product(b, dy, true, true), product(dy, a, true, true)]; // da = bᵀ dyᵀ, db = dyᵀ aᵀ
}

function batchGrads(c: GradContext): [Tensor, Tensor] {
  const { ops, attrs } = c;
  // Factors of other dtypes (BatchMatMulV3) are multiplied in that of the product.
  const product: Product = (x, y, adjX, adjY) =>
    ops.batchMatMul(ops.cast(x, c.dy.dtype), ops.cast(y, c.dy.dtype), { adjX, adjY });
  const [dx, dy] = productGrads(c, product, [attrs.bool('adj_x'), attrs.bool('adj_y')]);
  return [ops.sumToShapeOf(dx, c.input(0)), ops.sumToShapeOf(dy, c.input(1))];
}

const PRODUCTS = {
  MatMul: op({
    summary: 'The product of two matrices, each transposed first if wanted.',
    inputs: ['a: T', 'b: T'],
    outputs: ['product: T'],
    attrs: ['transpose_a: bool = false', 'transpose_b: bool = false', TYPES],
    infer: inferMatMul,
    grad: (c) => {
      const { ops, attrs } = c;
      const product: Product = (a, b, transposeA, transposeB) => ops.matMul(a, b, { transposeA, transposeB });
      return productGrads(c, product, [attrs.bool('transpose_a'), attrs.bool('transpose_b')]);
    },
  }),

  BatchMatMul: op({
    summary: 'Products of matrices in the last two dimensions; the leading dimensions are equal.',
    inputs: ['x: T', 'y: T'],
    outputs: ['output: T'],
    attrs: [TYPES, 'adj_x: bool = false', 'adj_y: bool = false'],
    infer: (c) => inferBatchMatMul(c, false),
    grad: batchGrads,
  }),

  BatchMatMulV2: op({
    summary: 'Products of matrices in the last two dimensions; the leading dimensions broadcast.',
    inputs: ['x: T', 'y: T'],
    outputs: ['output: T'],
    attrs: [TYPES, 'adj_x: bool = false', 'adj_y: bool = false'],
    infer: (c) => inferBatchMatMul(c, true),
    grad: batchGrads,
  }),

  BatchMatMulV3: op({
    summary:
      'Products of matrices of two dtypes in the last two dimensions; the leading dimensions broadcast.',
    inputs: ['x: Ta', 'y: Tb'],
    outputs: ['output: Tout'],
    attrs: [
      TYPES.replace('T:', 'Ta:').replace('}', ', uint8, int8}'),
      TYPES.replace('T:', 'Tb:').replace('}', ', uint8, int8}'),
      TYPES.replace('T:', 'Tout:'),
      'adj_x: bool = false',
      'adj_y: bool = false',
    ],
    infer: (c) => inferBatchMatMul(c, true),
    grad: (c) => {
      const [dx, dy] = batchGrads(c);
      return [c.ops.cast(dx, c.input(0).dtype), c.ops.cast(dy, c.input(1).dtype)];
    },
  }),

  _FusedMatMul: fusedMatMul(inferMatMul),
};

export const MATRIX = { ...PRODUCTS, ...EINSUM, ...MATRIX_DIAG, ...TENSOR_DIAG };

/** Which factors are transposed before they are multiplied. */
export interface MatMulOptions extends NameOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * The matrix product `a b` (`tf.matmul`) of `[m, k]` and `[k, n]`; float32 or int32. Factors of a
 * rank above 2 are stacks of matrices whose leading dimensions broadcast (`BatchMatMulV2`).
 */
export function matMul(
  a: TensorLike,
  b: TensorLike,
  { transposeA = false, transposeB = false, name }: MatMulOptions = {},
): Tensor {
  const [x, y] = toFactors(a, b);
  if (x.shape.rank === 2 && y.shape.rank === 2) {
    return apply('MatMul', [x, y], { name, attrs: { transpose_a: transposeA, transpose_b: transposeB } });
  }
  return batchMatMul(x, y, { adjX: transposeA, adjY: transposeB, name });
}

/** Which factors are adjoint (for real numbers: transposed) before they are multiplied. */
export interface BatchMatMulOptions extends NameOptions {
  readonly adjX?: boolean;
  readonly adjY?: boolean;
}

/**
 * Matrix products over the last two dimensions of `x` `[..., m, k]` and `y` `[..., k, n]`, whose
 * leading dimensions broadcast (`tf.raw_ops.BatchMatMulV2`).
 */
export function batchMatMul(
  x: TensorLike,
  y: TensorLike,
  { adjX = false, adjY = false, name }: BatchMatMulOptions = {},
): Tensor {
  return apply('BatchMatMulV2', [x, y], { name, attrs: { adj_x: adjX, adj_y: adjY } });
}

/** Both as tensors; a literal takes the dtype of the other factor. */
function toFactors(a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  if (isLiteral(a)) {
    const y = convertToTensor(b);
    return [convertToTensor(a, { dtype: y.dtype }), y];
  }
  const x = convertToTensor(a);
  return [x, isLiteral(b) ? convertToTensor(b, { dtype: x.dtype }) : convertToTensor(b)];
}

function isLiteral(value: TensorLike): boolean {
  return !(value instanceof Tensor) && !isTensorConvertible(value);
}
