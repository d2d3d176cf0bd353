// The generator against the known answers of the paper's reference implementation, and its bounded integers.
import { philoxBlock, PhiloxStream } from '../src/philox.js';

const ALL = 0xffffffff;

describe('philoxBlock', () => {
  // Known answers of Random123 (kat_vectors, "philox4x32 10").
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ALL, ALL, ALL, ALL],
      [ALL, ALL],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('of counter %j and key %j', (counter, [key0 = 0, key1 = 0], expected) => {
    const out = new Uint32Array(4);
    philoxBlock(Uint32Array.from(counter), key0, key1, out);
    expect(Array.from(out)).toEqual(expected);
  });
});

describe('PhiloxStream', () => {
  const first = (seed: number, epoch: number): number[] => {
    const stream = new PhiloxStream(seed, epoch);
    return Array.from({ length: 9 }, () => stream.nextUint32());
  };

  test('depends on every bit of seed and epoch, and on nothing else', () => {
    expect(first(7, 3)).toEqual(first(7, 3));
    const pairs = [
      [0, 0],
      [1, 0],
      [0, 1],
      [2 ** 32, 0],
      [0, 2 ** 32],
      [-1, 0],
      [2 ** 53 - 1, 0],
    ] as const;
    const streams = pairs.map(([seed, epoch]) => first(seed, epoch).join());
    expect(new Set(streams).size).toBe(pairs.length);
  });

  test('below is uniform: chi-squared of 60,000 draws from 6', () => {
    const stream = new PhiloxStream(5, 0);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60000; i++) {
      const drawn = stream.below(6);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    const chiSquared = counts.reduce((sum, count) => sum + (count - 10000) ** 2 / 10000, 0);
    // 5 degrees of freedom: 20.5 is the 99.9% point.
    expect(chiSquared).toBeLessThan(20.5);
    expect(counts).toHaveLength(6);
  });

  test('below takes bounds up to 2^32', () => {
    const [bounded, plain] = [new PhiloxStream(5, 0), new PhiloxStream(5, 0)];
    expect(bounded.below(2 ** 32)).toBe(plain.nextUint32());
    expect(bounded.below(1)).toBe(0);
  });
});
