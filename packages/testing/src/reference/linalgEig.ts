/** Float64 reference of symmetric eigenvalue problems: the largest element is rotated away, again and again. */
import { sizeOf } from '@forerun/graph';
import type { Reference } from '../sample.js';

type Matrix = number[][];

const at = (x: Matrix, i: number, j: number): number => x[i]?.[j] ?? NaN;
const pick = (length: number, element: (i: number) => number): number[] =>
  Array.from({ length }, (_, i) => element(i));

/** Position and size of the largest element beside the diagonal. */
function largestOff(a: Matrix): { p: number; q: number; size: number } {
  let best = { p: 0, q: 0, size: 0 };
  a.forEach((row, p) => {
    row.forEach((x, q) => {
      if (q > p && Math.abs(x) > best.size) best = { p, q, size: Math.abs(x) };
    });
  });
  return best;
}

/** Columns p and q of `x` turned by an angle. */
function turnColumns(x: Matrix, p: number, q: number, angle: number): Matrix {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return x.map((row) =>
    row.map((value, j) => {
      if (j === p) return c * value - s * (row[q] ?? NaN);
      return j === q ? s * (row[p] ?? NaN) + c * value : value;
    }),
  );
}

const flipped = (x: Matrix): Matrix => x.map((row, i) => row.map((_, j) => at(x, j, i)));

export function eigen(input: Matrix): { values: number[]; vectors: Matrix } {
  const n = input.length;
  let a = input.map((row, i) => row.map((_, j) => at(input, Math.max(i, j), Math.min(i, j))));
  let v: Matrix = a.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
  const scale = Math.max(...a.flat().map(Math.abs));
  for (let steps = 0; steps < 40 * n * n; steps++) {
    const { p, q, size } = largestOff(a);
    if (size <= 1e-18 * scale) break;
    const angle = 0.5 * Math.atan2(2 * at(a, p, q), at(a, q, q) - at(a, p, p));
    a = turnColumns(flipped(turnColumns(a, p, q, angle)), p, q, angle);
    v = turnColumns(v, p, q, angle);
  }
  const order = pick(n, (i) => i).sort((i, j) => at(a, i, i) - at(a, j, j));
  const signs = pick(n, (j) => {
    const column = v.map((row) => row[j] ?? NaN);
    return Math.sign(column.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0));
  });
  return {
    values: order.map((i) => at(a, i, i)),
    vectors: v.map((row) => order.map((j) => (signs[j] ?? 1) * (row[j] ?? NaN))),
  };
}

export const selfAdjointEig: Reference = ({ attrs, input }) => {
  const { shape, data } = input(0);
  const n = shape.at(-1) ?? 0;
  const results = pick(sizeOf(shape.slice(0, -2)), (m) => m).map((m) =>
    eigen(pick(n, (i) => i).map((i) => pick(n, (j) => data[(m * n + i) * n + j] ?? NaN))),
  );
  const values = Float64Array.from(results.flatMap((result) => result.values));
  const vectors = Float64Array.from(results.flatMap((result) => result.vectors.flat()));
  const wanted = attrs.bool('compute_v');
  return [
    { dtype: 'float32', shape: shape.slice(0, -1), data: values },
    { dtype: 'float32', shape: wanted ? shape : [0], data: wanted ? vectors : new Float64Array() },
  ];
};
