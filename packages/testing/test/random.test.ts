/** Random numbers: the generator against published vectors, the distributions against their laws. */
import { normalTable, philoxKey, upperNormalQuantile } from '@forerun/kernels-webgpu';
import { normalOf, philox4x32, randomWords, truncatedNormalOf, uniformOf } from '../src/reference/random.js';
import { erfc } from '../src/reference/special.js';

const SIZE = 40_000;
/** Of the table; computed independently with 40 digits. */
const CHECKSUM = 528091436;
const WORDS = randomWords(SIZE, [42, 7]);

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
/** P(Z <= z). */
const cumulative = (z: number): number => 0.5 * erfc(-z / Math.SQRT2);

function moments(values: readonly number[]): {
  mean: number;
  variance: number;
  skew: number;
  kurtosis: number;
} {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const moment = (k: number): number => values.reduce((sum, x) => sum + (x - mean) ** k, 0) / values.length;
  const variance = moment(2);
  return { mean, variance, skew: moment(3) / variance ** 1.5, kurtosis: moment(4) / variance ** 2 };
}

/** The largest distance between the values' distribution and `law` (Kolmogorov and Smirnov). */
function distance(values: readonly number[], law: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted.reduce((most, x, i) => Math.max(most, Math.abs(law(x) - i / sorted.length)), 0);
}

describe('Philox4x32-10', () => {
  // Known-answer vectors of the Random123 library (kat_vectors).
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('counter %p, key %p', (counter, key, want) => {
    expect(hex(philox4x32(counter, key))).toBe(want);
  });

  it('gives other numbers for another seed and another step', () => {
    const streams = [
      randomWords(8, [42, 7]),
      randomWords(8, [42, 8]),
      randomWords(8, [43, 7]),
      randomWords(8, [42, 7], [1, 0]),
      randomWords(8, [42, 7], [0, 1]),
    ].map(hex);
    expect(new Set(streams).size).toBe(5);
  });

  it('takes the key from the seeds, or from the name when there are none', () => {
    expect([...philoxKey(5n, 6n, 'a')]).toEqual([5, 6]);
    expect([...philoxKey(2n ** 32n + 1n, 6n, 'a')]).toEqual([0, 6]);
    expect([...philoxKey(0n, 0n, 'a')]).not.toEqual([...philoxKey(0n, 0n, 'b')]);
    expect([...philoxKey(0n, 0n, 'a')]).toEqual([...philoxKey(0n, 0n, 'a')]);
  });
});

describe('the table of normal quantiles', () => {
  it('is the inverse of the normal distribution', () => {
    for (const q of [0.5, 0.49, 0.3, 0.075, 0.0745, 0.01, 1e-4, 1e-9, 2 ** -32]) {
      const z = upperNormalQuantile(q);
      expect(Math.abs(cumulative(-z) / q - 1)).toBeLessThan(1e-12);
    }
  });

  it('falls monotonically and is the same on every machine', () => {
    const table = normalTable();
    expect(table.length).toBe(31 * 64 + 1);
    expect(table.every((entry, i) => i === 0 || entry < (table[i - 1] ?? 0))).toBe(true);
    let checksum = 0;
    for (const entry of table) checksum = (Math.imul(checksum, 31) + entry) >>> 0;
    expect(checksum).toBe(CHECKSUM);
  });

  it('interpolates to better than 1e-4', () => {
    for (const word of WORDS.slice(0, 4000)) {
      const q = ((word % 2 ** 31) | 1) / 2 ** 32;
      expect(Math.abs(Math.abs(normalOf(word)) - upperNormalQuantile(q))).toBeLessThan(1e-4);
    }
  });
});

describe('distributions', () => {
  // Bounds are four standard errors for 40,000 draws; the draws never change.
  const bound = 4 / Math.sqrt(SIZE);

  it('uniform', () => {
    const values = WORDS.map(uniformOf);
    const { mean, variance } = moments(values);
    expect(Math.abs(mean - 0.5)).toBeLessThan(bound * Math.sqrt(1 / 12));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(bound * 0.08);
    expect(distance(values, (x) => x)).toBeLessThan(1.63 / Math.sqrt(SIZE));
    expect(values.every((x) => x >= 0 && x < 1 && Math.fround(x) === x)).toBe(true);
  });

  it('uniform in two dimensions: pairs fill all cells alike (chi-square)', () => {
    const cells = new Array<number>(256).fill(0);
    for (let i = 0; i + 1 < SIZE; i += 2) {
      const cell =
        Math.floor(uniformOf(WORDS[i] ?? 0) * 16) * 16 + Math.floor(uniformOf(WORDS[i + 1] ?? 0) * 16);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = SIZE / 2 / 256;
    const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: the 0.1 % point is 330.5, the 99.9 % point 190.9.
    expect(chiSquare).toBeLessThan(330.5);
    expect(chiSquare).toBeGreaterThan(190.9);
  });

  it('normal', () => {
    const values = WORDS.map(normalOf);
    const { mean, variance, skew, kurtosis } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(bound);
    expect(Math.abs(variance - 1)).toBeLessThan(bound * Math.SQRT2);
    expect(Math.abs(skew)).toBeLessThan(bound * Math.sqrt(6));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(bound * Math.sqrt(24));
    expect(distance(values, cumulative)).toBeLessThan(1.63 / Math.sqrt(SIZE));
    expect(values.every((x) => Math.fround(x) === x)).toBe(true);
  });

  it('truncated normal', () => {
    const values = WORDS.map(truncatedNormalOf);
    const inside = cumulative(2) - cumulative(-2);
    const { mean, variance } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(bound);
    expect(Math.abs(variance - 0.7737413)).toBeLessThan(bound);
    expect(values.every((x) => Math.abs(x) <= 2)).toBe(true);
    expect(distance(values, (x) => (cumulative(x) - cumulative(-2)) / inside)).toBeLessThan(
      1.63 / Math.sqrt(SIZE),
    );
  });
});
