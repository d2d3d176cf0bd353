/** Singular value decompositions of matrices with more columns than a workgroup has pairs of invocations. */
import type { HostValue } from '@forerun/graph';
import { Random, runOpOnGpu } from '@forerun/testing';

/** Elements of u and v, and of products of them, may be off by as much. */
const BOUND = 2e-5;

const element = (x: HostValue | undefined, i: number, j: number): number =>
  x?.data[i * (x.shape[1] ?? 0) + j] ?? NaN;

/** The largest |Σ_k a(k) b(k) - want| over all pairs of places. */
function worst(
  rows: number,
  columns: number,
  count: number,
  error: (i: number, j: number, k: number) => number,
  want: (i: number, j: number) => number,
): number {
  let most = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += error(i, j, k);
      const off = Math.abs(sum - want(i, j));
      if (!(off <= most)) most = off;
    }
  }
  return most;
}

describe('Svd of larger matrices', () => {
  it.each([
    { m: 40, n: 33 },
    { m: 71, n: 130 },
    { m: 150, n: 131 },
  ])('$m by $n: a = u s vᵀ, with orthonormal columns and falling s', async ({ m, n }) => {
    const a: HostValue = {
      dtype: 'float32',
      shape: [m, n],
      data: Float64Array.from(new Random(m).array(m * n), Math.fround),
    };
    const count = Math.min(m, n);
    const [s, u, v] = await runOpOnGpu('Svd', [a]);
    const values = Array.from(s?.data ?? []);
    expect(values).toEqual([...values].sort((x, y) => y - x));
    const back = worst(
      m,
      n,
      count,
      (i, j, k) => element(u, i, k) * (values[k] ?? NaN) * element(v, j, k),
      (i, j) => element(a, i, j),
    );
    expect(back).toBeLessThan(BOUND * (values[0] ?? NaN));
    const identity = (i: number, j: number): number => Number(i === j);
    for (const [x, rows] of [
      [u, m],
      [v, n],
    ] as const) {
      expect(
        worst(count, count, rows, (i, j, k) => element(x, k, i) * element(x, k, j), identity),
      ).toBeLessThan(BOUND);
    }
  });
});
