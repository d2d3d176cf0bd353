/**
 * Float64 reference of singular value decompositions: by the eigenvalues of [0 a; aᵀ 0], which are plus and minus the
 * singular values, with the vectors (u, v) / √2. Vectors of the value 0 and those of full matrices come from Gram and
 * Schmidt.
 */
import { sizeOf, type HostValue } from '@forerun/graph';
import type { Reference } from '../sample.js';
import { eigen } from './linalgEig.js';

type Vector = number[];

const list = <T>(length: number, element: (i: number) => T): T[] =>
  Array.from({ length }, (_, i) => element(i));
const dot = (x: Vector, y: Vector): number => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
const scaled = (x: Vector, factor: number): Vector => x.map((v) => v * factor);
const unit = (x: Vector): Vector => scaled(x, 1 / Math.sqrt(dot(x, x)));

/** What is left of `x` beside the span of `basis`. */
function rest(basis: readonly Vector[], x: Vector): Vector {
  let left = x;
  for (let pass = 0; pass < 2; pass++) {
    for (const b of basis) {
      const share = dot(b, left);
      left = left.map((v, i) => v - share * (b[i] ?? 0));
    }
  }
  return left;
}

/** `vectors` with more, up to `count`, each from the unit vector of which most is left, the first of equal ones. */
function completed(vectors: readonly Vector[], size: number, count: number): Vector[] {
  const basis = [...vectors];
  while (basis.length < count) {
    const candidates = list(size, (i) =>
      rest(
        basis,
        list(size, (j) => Number(i === j)),
      ),
    );
    const most = Math.max(...candidates.map((x) => dot(x, x)));
    const chosen = candidates.find((x) => dot(x, x) > most - 1e-5) ?? [];
    basis.push(unit(chosen));
  }
  return basis;
}

/** Singular values and the vectors of all that are not 0 of a matrix of m rows and n columns. */
function decomposed(a: readonly Vector[], m: number, n: number): { s: Vector; u: Vector[]; v: Vector[] } {
  const side = m + n;
  const { values, vectors } = eigen(
    list(side, (i) =>
      list(side, (j) => (i < m ? (j >= m ? (a[i]?.[j - m] ?? NaN) : 0) : j < m ? (a[j]?.[i - m] ?? NaN) : 0)),
    ),
  );
  const count = Math.min(m, n);
  const s = list(count, (k) => Math.max(0, values[side - 1 - k] ?? NaN));
  const real = s.filter((x) => x > 1e-12 * (s[0] ?? 0));
  const column = (k: number): Vector => vectors.map((row) => row[side - 1 - k] ?? NaN);
  const pairs = real.map((_, k) => {
    const [u, v] = [unit(column(k).slice(0, m)), unit(column(k).slice(m))];
    const shorter = n <= m ? v : u;
    const sign = Math.sign(shorter.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0));
    return { u: scaled(u, sign), v: scaled(v, sign) };
  });
  return { s, u: pairs.map((pair) => pair.u), v: pairs.map((pair) => pair.v) };
}

export const svd: Reference = ({ attrs, input }) => {
  const { shape, data } = input(0);
  const [m = 0, n = 0] = shape.slice(-2);
  const batch = shape.slice(0, -2);
  const inner = (rows: number): number => (attrs.bool('full_matrices') ? rows : Math.min(m, n));
  const parts = list(sizeOf(batch), (b) => {
    const a = list(m, (i) => Array.from(data.subarray((b * m + i) * n, (b * m + i + 1) * n)));
    const fails = a.flat().some((x) => !Number.isFinite(x));
    const { s, u, v } = fails
      ? {
          s: list(Math.min(m, n), () => NaN),
          u: list(inner(m), () => list(m, () => NaN)),
          v: list(inner(n), () => list(n, () => NaN)),
        }
      : decomposed(a, m, n);
    return { s, u: completed(u, m, inner(m)), v: completed(v, n, inner(n)) };
  });
  const columns = (vectors: readonly Vector[], size: number): Vector[] =>
    list(size, (i) => vectors.map((x) => x[i] ?? NaN));
  const tensor = (tail: readonly number[], elements: readonly number[]): HostValue => ({
    dtype: 'float32',
    shape: [...batch, ...tail],
    data: Float64Array.from(elements),
  });
  const values = tensor(
    [Math.min(m, n)],
    parts.flatMap((part) => part.s),
  );
  const none: HostValue = { dtype: 'float32', shape: [0], data: new Float64Array() };
  if (!attrs.bool('compute_uv')) return [values, none, none];
  return [
    values,
    tensor(
      [m, inner(m)],
      parts.flatMap((part) => columns(part.u, m).flat()),
    ),
    tensor(
      [n, inner(n)],
      parts.flatMap((part) => columns(part.v, n).flat()),
    ),
  ];
};
