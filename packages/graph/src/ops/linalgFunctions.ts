/** Functions of square matrices: exponential, square root; least squares and gradients of factorizations as ops. */
import { apply, type NameOptions } from '../apply.js';
import { UnimplementedError } from '../errors.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { squareInput } from './linalgShapes.js';

const FLOATS = 'T: {float64, float32, float16, complex64, complex128}';

/**
 * The gradient of exp(a) for an upstream dy is the upper right block of exp [aᵀ dy; 0 aᵀ] (Najfeld and Havel, 1995);
 * made of the same op, it has gradients of every order.
 */
function exponentialGrad({ ops, input, dy }: GradContext): Tensor[] {
  const a = ops.matrixTranspose(input(0));
  const upper = ops.concat([a, dy], -1);
  const lower = ops.concat([ops.zerosLike(a), a], -1);
  const whole = ops.matrixExponential(ops.concat([upper, lower], -2));
  const [top = whole] = ops.split(whole, 2, { axis: -2 });
  return [ops.split(top, 2, { axis: -1 })[1] ?? top];
}

/** da solves yᵀ da + da yᵀ = dy: a linear system of n² equations for the elements of da, row by row. */
function rootGrad({ ops, output, dy }: GradContext): Tensor[] {
  const y = output(0);
  const n = y.shape.rank === null ? null : y.shape.dim(-1);
  if (n === null) {
    throw new UnimplementedError(
      `the gradient of MatrixSquareRoot needs the number of rows, got ${y.shape.toString()}`,
    );
  }
  const flat = (x: Tensor): Tensor => ops.reshape(x, [-1, n, n]);
  // element (i, j) of yᵀ da + da yᵀ from element (k, l) of da: y_ki [j = l] + [i = k] y_jl
  const one = ops.eye(n);
  const pair = ops.add(ops.einsum('bki,jl->bijkl', flat(y), one), ops.einsum('bjl,ik->bijkl', flat(y), one));
  const system = ops.reshape(pair, [-1, n * n, n * n]);
  const rhs = ops.reshape(dy, [-1, n * n, 1]);
  return [ops.reshape(ops.matrixSolve(system, rhs), ops.shape(y))];
}

/** The op is differentiated as what it could be made of; it reads lower triangles only. */
function choleskyGradGrad(c: GradContext): (Tensor | null)[] {
  const [l, dl] = [c.input(0), c.input(1)];
  const made = c.ops.choleskyBackprop(c.ops.matrixBandPart(l, -1, 0), dl);
  return c.backpropagate([made], [l, dl], [c.dy]);
}

function inferLeastSquares(c: InferContext): TensorShape[] {
  const [a, b] = [withRankAtLeast(c, 0, 2, 'matrix'), withRankAtLeast(c, 1, 2, 'rhs')];
  withRank(c, 2, 0, 'l2_regularizer');
  const l2 = c.constant(2)?.data[0] ?? 0;
  if (l2 < 0) c.fail(`l2_regularizer must not be negative, got ${l2}`);
  if (a.rank === null || b.rank === null) return [TensorShape.UNKNOWN];
  const [rows, others] = [a.dim(-2), b.dim(-2)];
  if (rows !== null && others !== null && rows !== others) {
    c.fail(`matrix ${a.toString()} and rhs ${b.toString()} differ in rows`);
  }
  const batch = a.slice(0, -2).mergeWith(b.slice(0, -2));
  if (batch === null) c.fail(`batch dimensions differ: matrix ${a.toString()}, rhs ${b.toString()}`);
  return [batch.concat([a.dim(-1), b.dim(-1)])];
}

/** With g = aᵀ a + λ and z = g⁻¹ dy: db = a z, da = b zᵀ - a (x zᵀ + z xᵀ). */
function deepGrad({ ops, input, output, dy }: GradContext): Tensor[] {
  const [a, b, x] = [input(0), input(1), output(0)];
  const z = ops.choleskySolve(ops.cholesky(gramian(ops, a, ops.cast(input(2), a.dtype), true)), dy);
  const xz = ops.batchMatMul(x, z, { adjY: true });
  const symmetric = ops.add(xz, ops.matrixTranspose(xz));
  const da = ops.sub(ops.batchMatMul(b, z, { adjY: true }), ops.batchMatMul(a, symmetric));
  return [da, ops.batchMatMul(a, z)];
}

/** With g = a aᵀ + λ, y = g⁻¹ b and db = g⁻¹ a dy: da = y (dy - aᵀ db)ᵀ - db (aᵀ y)ᵀ. */
function wideGrad({ ops, input, dy }: GradContext): Tensor[] {
  const [a, b] = [input(0), input(1)];
  const factor = ops.cholesky(gramian(ops, a, ops.cast(input(2), a.dtype), false));
  const db = ops.choleskySolve(factor, ops.batchMatMul(a, dy));
  const y = ops.choleskySolve(factor, b);
  const rest = ops.sub(dy, ops.batchMatMul(a, db, { adjX: true }));
  const first = ops.batchMatMul(y, rest, { adjY: true });
  const second = ops.batchMatMul(db, ops.batchMatMul(a, y, { adjX: true }), { adjY: true });
  return [ops.sub(first, second), db];
}

/** aᵀ a + λ, or a aᵀ + λ. */
function gramian(ops: GradContext['ops'], a: Tensor, l2: Tensor, deep: boolean): Tensor {
  const gram = ops.batchMatMul(a, a, deep ? { adjX: true } : { adjY: true });
  return ops.matrixSetDiag(gram, ops.add(ops.matrixDiagPart(gram), l2));
}

function leastSquaresGrad(c: GradContext): (Tensor | null)[] {
  if (!c.attrs.bool('fast')) {
    throw new UnimplementedError('the gradient of MatrixSolveLs is not defined for fast = false');
  }
  const { shape } = c.input(0);
  const [rows, columns] = shape.rank === null ? [null, null] : [shape.dim(-2), shape.dim(-1)];
  if (rows === null || columns === null) {
    throw new UnimplementedError(
      `the gradient of MatrixSolveLs needs the numbers of rows and columns, got ${shape.toString()}`,
    );
  }
  return [...(rows >= columns ? deepGrad(c) : wideGrad(c)), null];
}

export const LINALG_FUNCTIONS = {
  MatrixExponential: op({
    summary: 'Exponentials of matrices.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [FLOATS],
    infer: (c) => [squareInput(c, 0, 'input')],
    grad: exponentialGrad,
  }),
  MatrixSquareRoot: op({
    summary: 'Principal square roots of matrices.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [FLOATS],
    infer: (c) => [squareInput(c, 0, 'input')],
    grad: rootGrad,
  }),
  CholeskyGrad: op({
    summary: 'Gradient of Cholesky.',
    inputs: ['l: T', 'grad: T'],
    outputs: ['output: T'],
    attrs: ['T: {float16, float32, float64}'],
    infer: (c) => {
      const [l, dl] = [squareInput(c, 0, 'l'), squareInput(c, 1, 'grad')];
      const merged = l.mergeWith(dl);
      return [merged ?? c.fail(`l ${l.toString()} and grad ${dl.toString()} must have the same shape`)];
    },
    grad: choleskyGradGrad,
  }),
  MatrixSolveLs: op({
    summary: 'Least-squares solutions of systems of linear equations.',
    inputs: ['matrix: T', 'rhs: T', 'l2_regularizer: float64'],
    outputs: ['output: T'],
    attrs: [FLOATS, 'fast: bool = true'],
    infer: inferLeastSquares,
    grad: leastSquaresGrad,
  }),
};

/**
 * exp(a) = 1 + a + a²/2 + … of matrices [..., n, n] (`tf.linalg.expm`), by scaling and squaring (Higham, 2005). A matrix
 * with NaN or infinity gives NaN. TensorFlow builds it from other ops; here it is one, with gradients of every order.
 */
export function matrixExponential(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('MatrixExponential', [input], { name });
}

/**
 * Principal square roots [..., n, n] of matrices without eigenvalues that are 0 or negative (`tf.linalg.sqrtm`), by the
 * product form of Denman's and Beavers's iteration (Cheng et al., 2001). Other matrices give NaN, also singular ones. The
 * gradient solves a system of n² equations and needs n to be known.
 */
export function matrixSquareRoot(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('MatrixSquareRoot', [input], { name });
}
