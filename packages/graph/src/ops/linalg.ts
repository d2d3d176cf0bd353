/** Dense linear algebra on the innermost two dimensions: factorizations, solvers, inverses, determinants. */
import { apply, applyOp, type NameOptions } from '../apply.js';
import { UnimplementedError } from '../errors.js';
import { withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { broadcastShapes, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { LINALG_EIG } from './linalgEig.js';
import { LINALG_FUNCTIONS } from './linalgFunctions.js';
import { LINALG_LU } from './linalgLu.js';
import { squareInput } from './linalgShapes.js';
import { LINALG_SVD } from './linalgSvd.js';
import { LINALG_TRIDIAGONAL } from './linalgTridiagonal.js';

export * from './linalgEig.js';
export * from './linalgFunctions.js';
export * from './linalgLu.js';
export * from './linalgSvd.js';
export * from './linalgTridiagonal.js';

const FLOATS = 'T: {float64, float32, float16, complex64, complex128}';
const WIDE_FLOATS = 'T: {bfloat16, float64, float32, float16, complex64, complex128}';

/** Shape of the solutions of `matrix` x = `rhs`. */
function inferSolve(c: InferContext, broadcast: boolean): TensorShape[] {
  const a = squareInput(c, 0, 'matrix');
  const b = withRankAtLeast(c, 1, 2, 'rhs');
  if (a.rank === null || b.rank === null) return [broadcast ? TensorShape.UNKNOWN : b];
  const [side, rows] = [a.dim(-1), b.dim(-2)];
  if (side !== null && rows !== null && side !== rows) {
    c.fail(`matrix ${a.toString()} and rhs ${b.toString()} differ in rows`);
  }
  const [batchA, batchB] = [a.slice(0, -2), b.slice(0, -2)];
  const batch = broadcast ? broadcastShapes(batchA, batchB) : batchA.mergeWith(batchB);
  if (batch === null) {
    const verb = broadcast ? 'do not broadcast' : 'differ';
    c.fail(`batch dimensions ${verb}: matrix ${a.toString()}, rhs ${b.toString()}`);
  }
  return [batch.concat([side ?? rows, b.dim(-1)])];
}

type Solver = (a: Tensor, b: Tensor, adjoint: boolean) => Tensor;

/** For c = a⁻¹ b: db = a⁻ᵀ dc, da = -db cᵀ; with `adjoint` c = a⁻ᵀ b: db = a⁻¹ dc, da = -c dbᵀ. */
function solveGrads(c: GradContext, solve: Solver): [da: Tensor, db: Tensor] {
  const { ops } = c;
  const adjoint = c.attrs.bool('adjoint');
  const solution = c.output(0);
  const db = solve(c.input(0), c.dy, !adjoint);
  const [left, right] = adjoint ? [solution, db] : [db, solution];
  return [ops.neg(ops.batchMatMul(left, right, { adjY: true })), db];
}

function triangularGrads(c: GradContext): Tensor[] {
  const { ops } = c;
  const lower = c.attrs.bool('lower');
  const [da, db] = solveGrads(c, (a, b, adjoint) => ops.matrixTriangularSolve(a, b, { lower, adjoint }));
  const triangle = lower ? ops.matrixBandPart(da, -1, 0) : ops.matrixBandPart(da, 0, -1);
  return [ops.sumToShapeOf(triangle, c.input(0)), ops.sumToShapeOf(db, c.input(1))];
}

/** A number per matrix, shaped to multiply the matrices. */
function perMatrix({ ops }: GradContext, x: Tensor): Tensor {
  return ops.expandDims(ops.expandDims(x, -1), -1);
}

function inferQr(c: InferContext): TensorShape[] {
  const x = withRankAtLeast(c, 0, 2, 'input');
  if (x.rank === null) return [TensorShape.UNKNOWN, TensorShape.UNKNOWN];
  const [rows, columns, batch] = [x.dim(-2), x.dim(-1), x.slice(0, -2)];
  const shorter: Dim = rows === null || columns === null ? null : Math.min(rows, columns);
  const inner = c.attrs.bool('full_matrices') ? rows : shorter;
  return [batch.concat([rows, inner]), batch.concat([inner, columns])];
}

/** Σ x (r⁻ᵀ): a triangular system solved from the right. */
function solveRight({ ops }: GradContext, x: Tensor, r: Tensor): Tensor {
  return ops.matrixTranspose(ops.matrixTriangularSolve(r, ops.matrixTranspose(x), { lower: false }));
}

/** Matrices with at least as many rows as columns (Walter and Lehmann, 2010). */
function deepQrGrad(c: GradContext, q: Tensor, r: Tensor, dq: Tensor, dr: Tensor): Tensor {
  const { ops } = c;
  const qdq = ops.batchMatMul(q, dq, { adjX: true });
  const rdr = ops.batchMatMul(r, dr, { adjY: true });
  const skew = ops.add(ops.sub(qdq, ops.matrixTranspose(qdq)), ops.sub(rdr, ops.matrixTranspose(rdr)));
  const lower = ops.matrixBandPart(skew, -1, 0);
  const within = ops.batchMatMul(q, ops.add(dr, solveRight(c, lower, r)));
  return ops.add(within, solveRight(c, ops.sub(dq, ops.batchMatMul(q, qdq)), r));
}

function qrGrad(c: GradContext): Tensor[] {
  const { ops } = c;
  const [q, r, shape] = [c.output(0), c.output(1), c.input(0).shape];
  const [dq, dr] = [c.dys[0] ?? ops.zerosLike(q), c.dys[1] ?? ops.zerosLike(r)];
  const [rows, columns] = shape.rank === null ? [null, null] : [shape.dim(-2), shape.dim(-1)];
  if (rows === null || columns === null) {
    throw new UnimplementedError(
      `the gradient of Qr needs the numbers of rows and columns, got ${shape.toString()}`,
    );
  }
  if (c.attrs.bool('full_matrices') && rows > columns) {
    throw new UnimplementedError(
      'the gradient of Qr with full matrices and more rows than columns is not defined',
    );
  }
  if (rows >= columns) return [deepQrGrad(c, q, r, dq, dr)];
  // a = [x, y], r = [u, v]: v = qᵀ y, and x = q u is square
  const cut = (x: Tensor): [Tensor, Tensor] => {
    const [left = x, right = x] = ops.split(x, [rows, columns - rows], { axis: -1 });
    return [left, right];
  };
  const [[, y], [u], [du, dv]] = [cut(c.input(0)), cut(r), cut(dr)];
  const dx = deepQrGrad(c, q, u, ops.add(dq, ops.batchMatMul(y, dv, { adjY: true })), du);
  return [ops.concat([dx, ops.batchMatMul(q, dv)], -1)];
}

export const LINALG = {
  ...LINALG_EIG,
  ...LINALG_FUNCTIONS,
  ...LINALG_LU,
  ...LINALG_SVD,
  ...LINALG_TRIDIAGONAL,
  Cholesky: op({
    summary: 'Lower triangular factors l of symmetric positive definite matrices l lᵀ.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [FLOATS],
    infer: (c) => [squareInput(c, 0, 'input')],
    grad: ({ ops, output, dy }) => [ops.choleskyBackprop(output(0), dy)],
  }),
  MatrixTriangularSolve: op({
    summary: 'Solutions of triangular systems of equations.',
    inputs: ['matrix: T', 'rhs: T'],
    outputs: ['output: T'],
    attrs: ['lower: bool = true', 'adjoint: bool = false', WIDE_FLOATS],
    infer: (c) => inferSolve(c, true),
    grad: triangularGrads,
  }),
  MatrixSolve: op({
    summary: 'Solutions of systems of linear equations.',
    inputs: ['matrix: T', 'rhs: T'],
    outputs: ['output: T'],
    attrs: ['adjoint: bool = false', FLOATS],
    infer: (c) => inferSolve(c, false),
    grad: (c) => solveGrads(c, (a, b, adjoint) => c.ops.matrixSolve(a, b, { adjoint })),
  }),
  MatrixInverse: op({
    summary: 'Inverses of matrices, or of their transposes.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['adjoint: bool = false', FLOATS],
    infer: (c) => [squareInput(c, 0, 'input')],
    // y = a⁻¹: da = -yᵀ dy yᵀ; y = a⁻ᵀ: da = -y dyᵀ y
    grad: (c) => {
      const { ops, dy } = c;
      const [y, adjX] = [c.output(0), !c.attrs.bool('adjoint')];
      const inner = ops.batchMatMul(adjX ? dy : ops.matrixTranspose(dy), y, { adjY: adjX });
      return [ops.neg(ops.batchMatMul(y, inner, { adjX }))];
    },
  }),
  MatrixDeterminant: op({
    summary: 'Determinants of matrices.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: {float16, float32, float64, complex64, complex128}'],
    infer: (c) => [squareInput(c, 0, 'input').slice(0, -2)],
    // da = dy det(a) a⁻ᵀ
    grad: (c) => {
      const scale = perMatrix(c, c.ops.mul(c.dy, c.output(0)));
      return [c.ops.mul(scale, c.ops.matrixInverse(c.input(0), { adjoint: true }))];
    },
  }),
  LogMatrixDeterminant: op({
    summary: 'Signs and logarithms of the absolute values of determinants.',
    inputs: ['input: T'],
    outputs: ['sign: T', 'log_abs_determinant: T'],
    attrs: ['T: {float16, float32, float64, complex64, complex128}'],
    infer: (c) => {
      const batch = squareInput(c, 0, 'input').slice(0, -2);
      return [batch, batch];
    },
    // d log|det a| = a⁻ᵀ; the sign is piecewise constant
    grad: (c) => {
      const flow = c.dys[1] ?? c.ops.zerosLike(c.output(1));
      return [c.ops.mul(perMatrix(c, flow), c.ops.matrixInverse(c.input(0), { adjoint: true }))];
    },
  }),
  Qr: op({
    summary: 'Factors q, with orthonormal columns, and r, upper triangular, of matrices q r.',
    inputs: ['input: T'],
    outputs: ['q: T', 'r: T'],
    attrs: ['full_matrices: bool = false', FLOATS],
    infer: inferQr,
    grad: qrGrad,
  }),
};

/**
 * The lower triangular factors of symmetric positive definite matrices [..., n, n] (`tf.linalg.cholesky`). Only the
 * lower triangle is read; the gradient is symmetric. Where TensorFlow raises an error for a matrix that is not
 * positive definite, its factor is NaN here, and the other matrices of the batch are as they should be.
 */
export function cholesky(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Cholesky', [input], { name });
}

export interface SolveOptions extends NameOptions {
  /** Solves with the transposed matrices. Default false. */
  readonly adjoint?: boolean | undefined;
}

/**
 * Solutions x [..., n, k] of triangular systems `matrix` x = `rhs` (`tf.linalg.triangular_solve`); leading dimensions
 * broadcast. Reads only the lower triangle, or with `lower: false` the upper one. A zero on the diagonal, an error
 * in TensorFlow, gives infinities and NaN.
 */
export function matrixTriangularSolve(
  matrix: TensorLike,
  rhs: TensorLike,
  { lower = true, adjoint = false, name }: SolveOptions & { readonly lower?: boolean | undefined } = {},
): Tensor {
  return apply('MatrixTriangularSolve', [matrix, rhs], { name, attrs: { lower, adjoint } });
}

/**
 * Solutions x [..., n, k] of `matrix` x = `rhs` (`tf.linalg.solve`) by elimination with partial pivoting. A singular
 * matrix, an error in TensorFlow, gives NaN.
 */
export function matrixSolve(
  matrix: TensorLike,
  rhs: TensorLike,
  { adjoint = false, name }: SolveOptions = {},
): Tensor {
  return apply('MatrixSolve', [matrix, rhs], { name, attrs: { adjoint } });
}

/** Inverses of matrices [..., n, n] (`tf.linalg.inv`). A singular matrix, an error in TensorFlow, gives NaN. */
export function matrixInverse(input: TensorLike, { adjoint = false, name }: SolveOptions = {}): Tensor {
  return apply('MatrixInverse', [input], { name, attrs: { adjoint } });
}

/** Determinants [...] of matrices [..., n, n] (`tf.linalg.det`). */
export function matrixDeterminant(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('MatrixDeterminant', [input], { name });
}

/** Signs of determinants and logarithms of their absolute values (`tf.linalg.slogdet`): 0 and -Infinity if singular. */
export function logMatrixDeterminant(
  input: TensorLike,
  { name }: NameOptions = {},
): { sign: Tensor; logAbsDeterminant: Tensor } {
  const node = applyOp('LogMatrixDeterminant', [input], { name });
  return { sign: node.output(0), logAbsDeterminant: node.output(1) };
}

/**
 * Factors q and r of matrices [..., m, n] (`tf.linalg.qr`) by Householder's reflections: q has min(m, n) columns,
 * or m with `fullMatrices`. Its gradient needs known sizes, and is not defined for full matrices with m > n.
 */
export function qr(
  input: TensorLike,
  { fullMatrices = false, name }: NameOptions & { readonly fullMatrices?: boolean | undefined } = {},
): { q: Tensor; r: Tensor } {
  const node = applyOp('Qr', [input], { name, attrs: { full_matrices: fullMatrices } });
  return { q: node.output(0), r: node.output(1) };
}
