/** Float64 references of functions of matrices and of least squares. */
import type { FamilyReferences, Reference } from '../sample.js';
import {
  at,
  gaussJordan,
  identity,
  matricesOf,
  product,
  tensor,
  transposed,
  type Matrix,
} from './matrices.js';

const combined = (a: Matrix, b: Matrix, f: (x: number, y: number) => number): Matrix =>
  a.map((row, i) => row.map((x, j) => f(x, at(b, i, j))));
const scaled = (a: Matrix, factor: number): Matrix => a.map((row) => row.map((x) => x * factor));
const allNaN = (a: Matrix): Matrix => scaled(a, NaN);
const inverse = (a: Matrix): Matrix => gaussJordan(a, identity(a.length)).x;
const largest = (a: Matrix): number => Math.max(0, ...a.flat().map(Math.abs));

/** The series, of a matrix so small that it ends soon, squared as often as it was halved. */
function exponential(a: Matrix): Matrix {
  const size = largest(a) * a.length;
  if (!Number.isFinite(size)) return allNaN(a);
  const halvings = Math.max(0, Math.ceil(Math.log2(Math.max(size, 1e-300))) + 2);
  const small = scaled(a, 2 ** -halvings);
  let term = identity(a.length);
  let sum = term;
  for (let k = 1; k < 20; k++) {
    term = scaled(product(term, small), 1 / k);
    sum = combined(sum, term, (x, y) => x + y);
  }
  for (let k = 0; k < halvings; k++) sum = product(sum, sum);
  return sum;
}

/** Denman's and Beavers's iteration: y goes to the root, z to its inverse. */
function squareRoot(a: Matrix): Matrix {
  let [y, z] = [a, identity(a.length)];
  for (let k = 0; k < 40; k++) {
    const [yi, zi] = [inverse(y), inverse(z)];
    y = scaled(
      combined(y, zi, (p, q) => p + q),
      0.5,
    );
    z = scaled(
      combined(z, yi, (p, q) => p + q),
      0.5,
    );
  }
  const off = combined(product(y, y), a, (p, q) => p - q);
  return largest(off) <= 1e-8 * largest(a) ? y : allNaN(a);
}

/** Cholesky's algorithm run backwards, element by element (Smith, 1995). */
function choleskyGrad(l: Matrix, dl: Matrix): Matrix {
  const n = l.length;
  const f = dl.map((row, i) => row.map((x, j) => (j <= i ? x : 0)));
  const take = (i: number, j: number, x: number): void => {
    const row = f[i];
    if (row !== undefined) row[j] = (row[j] ?? NaN) - x;
  };
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) {
      for (let i = j; i < n; i++) {
        take(i, k, at(f, i, j) * at(l, j, k));
        take(j, k, at(f, i, j) * at(l, i, k));
      }
    }
    for (let j = k + 1; j < n; j++) {
      const quotient = at(f, j, k) / at(l, k, k);
      take(j, k, at(f, j, k) - quotient);
      take(k, k, at(l, j, k) * quotient);
    }
    take(k, k, at(f, k, k) - at(f, k, k) / (2 * at(l, k, k)));
  }
  return combined(f, transposed(f, n), (x, y) => (x + y) / 2);
}

/** From the augmented equations r + a x = b, aᵀ r = l2 x; the shortest solution of wide systems from its own. */
function leastSquares(a: Matrix, b: Matrix, l2: number, columns: number): Matrix {
  const rows = a.length;
  if (rows < columns) {
    const gram = combined(product(a, transposed(a, columns)), identity(rows), (x, one) => x + l2 * one);
    return product(transposed(a, columns), gaussJordan(gram, b).x);
  }
  const system = [
    ...identity(rows).map((row, i) => [...row, ...(a[i] ?? [])]),
    ...transposed(a, columns).map((row, i) => [...row, ...(identity(columns)[i] ?? []).map((x) => -l2 * x)]),
  ];
  const zeros = Array.from({ length: columns }, () => (b[0] ?? []).map(() => 0));
  return gaussJordan(system, [...b, ...zeros]).x.slice(rows);
}

const ofMatrix =
  (f: (a: Matrix) => Matrix): Reference =>
  ({ input }) => [tensor(input(0).shape, matricesOf(input(0)).map(f))];

export const LINALG_FUNCTION_REFERENCES = {
  MatrixExponential: ofMatrix(exponential),
  MatrixSquareRoot: ofMatrix(squareRoot),
  CholeskyGrad: ({ input }) => {
    const gradients = matricesOf(input(1));
    return [
      tensor(
        input(0).shape,
        matricesOf(input(0)).map((l, m) => choleskyGrad(l, gradients[m] ?? [])),
      ),
    ];
  },
  MatrixSolveLs: ({ attrs, input }) => {
    const [a, b] = [input(0), input(1)];
    const [columns = 0] = a.shape.slice(-1);
    // of all solutions the shortest is the limit for l2 to 0
    const l2 = attrs.bool('fast') ? (input(2).data[0] ?? NaN) : 1e-9;
    const right = matricesOf(b);
    const solutions = matricesOf(a).map((matrix, m) => leastSquares(matrix, right[m] ?? [], l2, columns));
    const shape = [...a.shape.slice(0, -2), columns, b.shape.at(-1) ?? 0];
    const empty = new Array<number>(shape.reduce((product_, dim) => product_ * dim, 1)).fill(0);
    return [a.shape.at(-2) === 0 ? tensor(shape, [[empty]]) : tensor(shape, solutions)];
  },
} satisfies FamilyReferences;
