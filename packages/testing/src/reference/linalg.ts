/** Float64 references of dense linear algebra on nested lists, matrix by matrix. */
import { sizeOf, type HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
import { selfAdjointEig } from './linalgEig.js';
import { LINALG_BAND_REFERENCES } from './linalgBands.js';
import { LINALG_FUNCTION_REFERENCES } from './linalgFunctions.js';
import { svd } from './linalgSvd.js';
import { at, gaussJordan, identity, matricesOf, tensor, transposed, type Matrix } from './matrices.js';

/** By rows, each element from the formula; the symmetric part is factored, which is the matrix itself. */
function choleskyOf(a: Matrix): Matrix {
  const l: Matrix = a.map((row) => row.map(() => 0));
  a.forEach((_, i) => {
    for (let j = 0; j <= i; j++) {
      let rest = (at(a, i, j) + at(a, j, i)) / 2;
      for (let k = 0; k < j; k++) rest -= at(l, i, k) * at(l, j, k);
      (l[i] ?? [])[j] = i === j ? Math.sqrt(rest) : rest / at(l, j, j);
    }
  });
  return l.flat().some(Number.isNaN) ? a.map((row) => row.map(() => NaN)) : l;
}

/** The triangle that a solver reads, zeros elsewhere. */
function triangle(a: Matrix, lower: boolean): Matrix {
  return a.map((row, i) => row.map((v, j) => ((lower ? j <= i : j >= i) ? v : 0)));
}

/** Number of the matrix of a batch that goes with matrix `m` of the broadcast batch. */
function batchIndex(own: readonly number[], outer: readonly number[], m: number): number {
  let [index, stride, rest] = [0, 1, m];
  for (let d = outer.length - 1; d >= 0; d--) {
    const coordinate = rest % (outer[d] ?? 1);
    rest = Math.floor(rest / (outer[d] ?? 1));
    const dim = own[d - outer.length + own.length] ?? 1;
    if (dim !== 1) index += coordinate * stride;
    stride *= dim;
  }
  return index;
}

function outerShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [da, db] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    return da === 1 ? db : da;
  });
}

function solver(prepare: (a: Matrix, lower: boolean) => Matrix, triangular: boolean): Reference {
  return ({ attrs, input }) => {
    const [a, b] = [input(0), input(1)];
    const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
    const outer = outerShape(batchA, batchB);
    const [as, bs] = [matricesOf(a), matricesOf(b)];
    const [rows = 0, columns = 0] = b.shape.slice(-2);
    const results = Array.from({ length: sizeOf(outer) }, (_, m) => {
      const own = prepare(as[batchIndex(batchA, outer, m)] ?? [], triangular && attrs.bool('lower'));
      const matrix = attrs.bool('adjoint') ? transposed(own, own.length) : own;
      return gaussJordan(matrix, bs[batchIndex(batchB, outer, m)] ?? []).x;
    });
    return [tensor([...outer, rows, columns], results)];
  };
}

const inverse: Reference = ({ attrs, input }) => {
  const x = input(0);
  const results = matricesOf(x).map((a) => {
    const { x: y } = gaussJordan(a, identity(a.length));
    return attrs.bool('adjoint') ? transposed(y, a.length) : y;
  });
  return [tensor(x.shape, results)];
};

function determinants(x: HostValue): { shape: readonly number[]; values: number[] } {
  const values = matricesOf(x).map(
    (a) =>
      gaussJordan(
        a,
        a.map(() => []),
      ).determinant,
  );
  return { shape: x.shape.slice(0, -2), values };
}

/** Gram and Schmidt, twice, with the signs of Householder's reflections; more columns from unit vectors. */
function qrOf(a: Matrix, rows: number, columns: number, inner: number): { q: Matrix; r: Matrix } {
  const basis: number[][] = [];
  const steps = Math.min(rows, columns);
  const dot = (u: readonly number[], v: readonly number[]): number =>
    u.reduce((sum, x, i) => sum + x * (v[i] ?? 0), 0);
  const orthogonal = (v: readonly number[]): number[] => {
    let w = [...v];
    for (let pass = 0; pass < 2; pass++)
      for (const u of basis) w = w.map((x, i) => x - dot(u, w) * (u[i] ?? 0));
    return w;
  };
  const column = (j: number): number[] => a.map((row) => row[j] ?? NaN);
  // What remains of x, seen in the reflected coordinates, decides the sign.
  let frame = identity(rows);
  for (let j = 0; j < steps; j++) {
    const w = orthogonal(column(j));
    const norm = Math.sqrt(dot(w, w));
    const seen = frame.map((axis) => dot(axis, column(j)));
    const alpha = seen[j] ?? 0;
    const tail = seen.slice(j + 1).some((x) => Math.abs(x) > 1e-300 && j < rows - 1);
    const sign = tail ? (alpha >= 0 ? -1 : 1) : alpha >= 0 ? 1 : -1;
    basis.push(w.map((x) => (sign * x) / norm));
    if (!tail) continue;
    const v = seen.map((x, i) => (i < j ? 0 : i === j ? x - sign * norm : x));
    const length = dot(v, v);
    const images = Array.from({ length: rows }, (_, i) =>
      frame.reduce((sum, axis, k) => sum + (v[k] ?? 0) * (axis[i] ?? 0), 0),
    );
    frame = frame.map((axis, k) => axis.map((x, i) => x - (2 * (v[k] ?? 0) * (images[i] ?? 0)) / length));
  }
  for (let k = steps; k < inner; k++) basis.push([...(frame[k] ?? [])]);
  const q = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: inner }, (_c, j) => basis[j]?.[i] ?? NaN),
  );
  const r = Array.from({ length: inner }, (_, i) =>
    Array.from({ length: columns }, (_c, j) => (j < i ? 0 : i < steps ? dot(basis[i] ?? [], column(j)) : 0)),
  );
  return { q, r };
}

const qr: Reference = ({ attrs, input }) => {
  const x = input(0);
  const [rows = 0, columns = 0] = x.shape.slice(-2);
  const inner = attrs.bool('full_matrices') ? rows : Math.min(rows, columns);
  const parts = matricesOf(x).map((a) => qrOf(a, rows, columns, inner));
  const batch = x.shape.slice(0, -2);
  return [
    tensor(
      [...batch, rows, inner],
      parts.map(({ q }) => q),
    ),
    tensor(
      [...batch, inner, columns],
      parts.map(({ r }) => r),
    ),
  ];
};

export const LINALG_REFERENCES = {
  ...LINALG_FUNCTION_REFERENCES,
  ...LINALG_BAND_REFERENCES,
  Cholesky: ({ input }) => [tensor(input(0).shape, matricesOf(input(0)).map(choleskyOf))],
  MatrixTriangularSolve: solver(triangle, true),
  MatrixSolve: solver((a) => a, false),
  MatrixInverse: inverse,
  MatrixDeterminant: ({ input }) => {
    const { shape, values } = determinants(input(0));
    return [{ dtype: 'float32', shape, data: Float64Array.from(values) }];
  },
  LogMatrixDeterminant: ({ input }) => {
    const { shape, values } = determinants(input(0));
    return [
      { dtype: 'float32', shape, data: Float64Array.from(values, Math.sign) },
      { dtype: 'float32', shape, data: Float64Array.from(values, (x) => Math.log(Math.abs(x))) },
    ];
  },
  Qr: qr,
  SelfAdjointEigV2: selfAdjointEig,
  Svd: svd,
} satisfies FamilyReferences;
