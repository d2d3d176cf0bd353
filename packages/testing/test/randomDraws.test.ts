/** Gamma, Poisson, truncated normal and categorical numbers and shuffles against their laws, with fixed seeds. */
import { logTable, powerTable } from '@forerun/kernels-webgpu';
import { gammaOf, poissonOf, shuffledOrder, truncatedOf } from '../src/reference/randomDraws.js';
import { philox4x32 } from '../src/reference/randomStream.js';
import { exp, log, log1pExcess, numberOf, over, softOf } from '../src/reference/softNumber.js';
import { erfc } from '../src/reference/special.js';

const SIZE = 4000;

const drawOf =
  (element: number, key: readonly number[] = [42, 7]) =>
  (attempt: number): number[] =>
    philox4x32([element, attempt, 0, 0], key);

const draws = (one: (element: number) => number): number[] => Array.from({ length: SIZE }, (_, i) => one(i));
const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const varianceOf = (values: readonly number[]): number => {
  const mean = meanOf(values);
  return meanOf(values.map((x) => (x - mean) ** 2));
};

/** The largest distance between the values' distribution and `law`. */
function distance(values: readonly number[], law: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted.reduce((most, x, i) => Math.max(most, Math.abs(law(x) - i / sorted.length)), 0);
}
/** The 1 % point of the distance of Kolmogorov and Smirnov. */
const FARTHEST = 1.63 / Math.sqrt(SIZE);

/** P(alpha, z) by its series. */
function gammaLaw(alpha: number, z: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * 1e-16; n++) sum += term *= z / (alpha + n);
  let logFactor = alpha * Math.log(z) - z;
  // Gamma(alpha + 1) by Stirling's series above 20
  let x = alpha + 1;
  for (; x < 20; x++) logFactor += Math.log(x);
  logFactor -= (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
  return sum * Math.exp(logFactor);
}

describe('arithmetic in whole numbers', () => {
  // Checksums computed independently with 50 digits.
  it('has tables that are the same on every machine', () => {
    const checksum = (table: Uint32Array): number =>
      table.reduce((sum, entry) => (Math.imul(sum, 31) + entry) >>> 0, 0);
    expect([checksum(logTable()), checksum(powerTable())]).toEqual([2408761103, 901112371]);
  });

  it('knows log and exp to 1e-7', () => {
    for (const x of [1e-30, 0.003, 0.5, 0.999, 1, 1.7, 12345.678, 3e20]) {
      expect(Math.abs(numberOf(log(softOf(x))) - Math.log(x))).toBeLessThan(
        1e-7 * (1 + Math.abs(Math.log(x))),
      );
      expect(Math.abs(numberOf(over(softOf(x), softOf(3))) / (x / 3) - 1)).toBeLessThan(3e-7);
    }
    for (const x of [-80, -1, -0.01, 0, 1e-8, 0.3, 7, 80]) {
      expect(Math.abs(numberOf(exp(softOf(x))) / Math.exp(x) - 1)).toBeLessThan(1e-7);
    }
    for (const t of [-0.9, -0.05, -1e-6, 1e-4, 0.06, 0.07, 5]) {
      const want = Math.abs(t) < 1e-3 ? -(t ** 2) / 2 + t ** 3 / 3 : Math.log1p(t) - t;
      expect(Math.abs(numberOf(log1pExcess(softOf(t))) / want - 1)).toBeLessThan(2e-5);
    }
  });
});

describe('gamma numbers', () => {
  it.each([0.1, 0.7, 1, 3.5, 40])('of shape %p follow their law', (alpha) => {
    const values = draws((i) => gammaOf(alpha, drawOf(i)));
    expect(distance(values, (z) => gammaLaw(alpha, z))).toBeLessThan(FARTHEST);
    expect(Math.abs(meanOf(values) - alpha)).toBeLessThan(4 * Math.sqrt(alpha / SIZE));
  });

  it('of a very large shape have its mean and deviation', () => {
    const values = draws((i) => gammaOf(1e10, drawOf(i)));
    expect(Math.abs(meanOf(values) / 1e10 - 1)).toBeLessThan(1e-6);
    expect(Math.abs(varianceOf(values) / 1e10 - 1)).toBeLessThan(0.1);
  });
});

describe('Poisson numbers', () => {
  it.each([0.3, 2, 9.5, 10, 25, 400])('of rate %p follow their law (chi-square)', (rate) => {
    const values = draws((i) => numberOf(poissonOf(rate, drawOf(i))));
    expect(Math.abs(meanOf(values) - rate)).toBeLessThan(4 * Math.sqrt(rate / SIZE));
    expect(Math.abs(varianceOf(values) / rate - 1)).toBeLessThan(4 * Math.sqrt((2 + 1 / rate) / SIZE));
    let probability = Math.exp(-rate);
    let chiSquare = 0;
    let cells = 0;
    for (let k = 0; k < rate + 8 * Math.sqrt(rate) + 8; k++) {
      const expected = SIZE * probability;
      if (expected > 5) {
        chiSquare += (values.filter((x) => x === k).length - expected) ** 2 / expected;
        cells++;
      }
      probability *= rate / (k + 1);
    }
    // four deviations of a chi-square distribution
    expect(chiSquare).toBeLessThan(cells + 4 * Math.sqrt(2 * cells) + 4);
  });
});

describe('truncated normal numbers', () => {
  const tail = (z: number): number => 0.5 * erfc(z / Math.SQRT2);
  it.each([
    [-0.5, 0.5],
    [-1, 3],
    [-4, 0.3],
    [0.2, 9],
    [0.2, 0.9],
    [1.5, 1.6],
    [3, 40],
    [-9, -2.5],
  ])('between %p and %p follow their law', (low, high) => {
    const values = draws((i) => truncatedOf({ mean: 0, deviation: 1, low, high }, drawOf(i)));
    expect(values.every((z) => z >= low && z <= high)).toBe(true);
    const all = tail(low) - tail(high);
    expect(distance(values, (z) => (tail(low) - tail(z)) / all)).toBeLessThan(FARTHEST);
  });

  it('are shifted and scaled', () => {
    const values = draws((i) => truncatedOf({ mean: 5, deviation: 2, low: -99, high: 99 }, drawOf(i)));
    expect(Math.abs(meanOf(values) - 5)).toBeLessThan((4 * 2) / Math.sqrt(SIZE));
    expect(Math.abs(varianceOf(values) / 4 - 1)).toBeLessThan(4 * Math.sqrt(2 / SIZE));
  });
});

describe('shuffles', () => {
  it('of three take all six orders alike (chi-square)', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 1200; i++) {
      const order = shuffledOrder(3, (element, attempt) =>
        philox4x32([element, attempt, i, 0], [1, 2]),
      ).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0);
    expect(counts.size).toBe(6);
    expect(chiSquare).toBeLessThan(20.5); // 0.1 % point of 5 degrees of freedom
  });

  it.each([1000, 1025, 4096, 5000])('of %p are permutations without visible order', (count) => {
    const order = shuffledOrder(count, (element, attempt) => philox4x32([element, attempt, 0, 0], [3, 4]));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    const centre = (count - 1) / 2;
    const covariance = (lag: number): number =>
      meanOf(order.map((x, i) => (x - centre) * ((order[(i + lag) % count] ?? 0) - centre)));
    const variance = (count ** 2 - 1) / 12;
    const withPosition = meanOf(order.map((x, i) => (x - centre) * (i - centre)));
    for (const value of [withPosition, covariance(1), covariance(2), covariance(32)]) {
      expect(Math.abs(value / variance)).toBeLessThan(4 / Math.sqrt(count));
    }
    const kept = order.filter((x, i) => x === i).length;
    expect(kept).toBeLessThan(7); // 1 is expected, whatever the count
  });
});
