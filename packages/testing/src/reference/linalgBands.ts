/** Float64 references of the factorization into triangles and of tridiagonal matrices. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences } from '../sample.js';
import { gaussJordan, matricesOf, product, tensor, type Matrix } from './matrices.js';

/** Doolittle's scheme, with the largest element of each column as its pivot. */
function factors(a: Matrix): { lu: Matrix; order: number[] } {
  const rows = a.map((row, i) => ({ row: [...row], i }));
  for (let k = 0; k < rows.length; k++) {
    const sizes = rows.map(({ row }, i) => (i < k ? -1 : Math.abs(row[k] ?? NaN)));
    const chosen = sizes.indexOf(Math.max(...sizes));
    const [pivotRow, own] = [rows[chosen], rows[k]];
    if (pivotRow === undefined || own === undefined) continue;
    rows[chosen] = own;
    rows[k] = pivotRow;
    const pivot = pivotRow.row[k] ?? NaN;
    if (pivot === 0) {
      return { lu: a.map((row) => row.map(() => NaN)), order: rows.map(({ i }) => i) };
    }
    for (const { row } of rows.slice(k + 1)) {
      const factor = (row[k] ?? NaN) / pivot;
      row[k] = factor;
      for (let j = k + 1; j < row.length; j++) row[j] = (row[j] ?? NaN) - factor * (pivotRow.row[j] ?? NaN);
    }
  }
  return { lu: rows.map(({ row }) => row), order: rows.map(({ i }) => i) };
}

/** The whole matrix of which these are the diagonals, above, on and below the main one. */
function whole([above = [], main = [], below = []]: Matrix): Matrix {
  return main.map((x, i) =>
    main.map((_, j) => (i === j ? x : j === i + 1 ? (above[i] ?? NaN) : j === i - 1 ? (below[i] ?? NaN) : 0)),
  );
}

function withMatrix(rhs: HostValue, a: readonly Matrix[], f: (a: Matrix, b: Matrix) => Matrix): HostValue {
  return tensor(
    rhs.shape,
    matricesOf(rhs).map((b, m) => f(a[m] ?? [], b)),
  );
}

export const LINALG_BAND_REFERENCES = {
  Lu: ({ input, outputs }) => {
    const parts = matricesOf(input(0)).map(factors);
    const order = Float64Array.from(parts.flatMap(({ order: rows }) => rows));
    const { shape } = input(0);
    return [
      tensor(
        shape,
        parts.map(({ lu }) => lu),
      ),
      { dtype: outputs[1] ?? 'int32', shape: shape.slice(0, -1), data: order },
    ];
  },
  TridiagonalSolve: ({ input }) => [
    withMatrix(input(1), matricesOf(input(0)).map(whole), (a, b) => gaussJordan(a, b).x),
  ],
  TridiagonalMatMul: ({ input }) => {
    const rows = [0, 1, 2].map((i) => matricesOf(input(i)).map(([row = []]) => row));
    const bands = (rows[1] ?? []).map((_, m) => whole(rows.map((list) => list[m] ?? [])));
    return [withMatrix(input(3), bands, product)];
  },
} satisfies FamilyReferences;
