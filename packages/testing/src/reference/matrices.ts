/** Matrices as nested lists, for references of linear algebra. */
import { sizeOf, type HostValue } from '@forerun/graph';

export type Matrix = number[][];

export function matricesOf({ shape, data }: HostValue): Matrix[] {
  const [rows = 0, columns = 0] = shape.slice(-2);
  return Array.from({ length: sizeOf(shape.slice(0, -2)) }, (_, m) =>
    Array.from({ length: rows }, (_row, i) => {
      const start = (m * rows + i) * columns;
      return Array.from(data.subarray(start, start + columns));
    }),
  );
}

export const at = (x: Matrix, i: number, j: number): number => x[i]?.[j] ?? NaN;
export const transposed = (x: Matrix, columns: number): Matrix =>
  Array.from({ length: columns }, (_, j) => x.map((row) => row[j] ?? NaN));

export function tensor(shape: readonly number[], matrices: readonly Matrix[]): HostValue {
  return { dtype: 'float32', shape, data: Float64Array.from(matrices.flat(2)) };
}

/** Rows of [a | b] reduced until a is the identity; the determinant on the way. */
export function gaussJordan(a: Matrix, b: Matrix): { x: Matrix; determinant: number } {
  const rows = a.map((row, i) => [...row, ...(b[i] ?? [])]);
  let determinant = 1;
  for (let k = 0; k < rows.length; k++) {
    const sizes = rows.map((row, i) => (i < k ? -1 : Math.abs(row[k] ?? 0)));
    const chosen = sizes.indexOf(Math.max(...sizes));
    const pivotRow = rows[chosen] ?? [];
    if (chosen !== k) {
      rows[chosen] = rows[k] ?? [];
      determinant = -determinant;
    }
    const pivot = pivotRow[k] ?? NaN;
    determinant *= pivot;
    if (pivot === 0) return { x: b.map((row) => row.map(() => NaN)), determinant: 0 };
    const unit = pivotRow.map((v) => v / pivot);
    rows[k] = unit;
    rows.forEach((row, i) => {
      const f = row[k] ?? 0;
      if (i !== k) rows[i] = row.map((v, j) => v - f * (unit[j] ?? 0));
    });
  }
  return { x: rows.map((row) => row.slice(a.length)), determinant };
}

export const identity = (n: number): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_c, j) => Number(i === j)));

export function product(a: Matrix, b: Matrix): Matrix {
  const columns = b[0]?.length ?? 0;
  return a.map((row) =>
    Array.from({ length: columns }, (_, j) => row.reduce((sum, x, k) => sum + x * at(b, k, j), 0)),
  );
}
