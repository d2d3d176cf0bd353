/**
 * References of random numbers without parameters, bit for bit: the stream of bits and the inverse of
 * the normal distribution are in randomStream.ts.
 */
import type { DType, HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';
import { CANDIDATE_REFERENCES } from './randomCandidates.js';
import { RANDOM_DRAW_REFERENCES } from './randomDraws.js';
import { fixedQuantile, philox4x32, seeded, stateless, type Stream } from './randomStream.js';

export { philox4x32 } from './randomStream.js';

/** The first `size` words of the stream of `seeds` at random step `step` (low and high word). */
export function randomWords(
  size: number,
  seeds: readonly [number, number],
  step: readonly [number, number] = [0, 0],
): number[] {
  const blocks = Array.from({ length: Math.ceil(size / 4) }, (_, i) => philox4x32([i, 0, ...step], seeds));
  return blocks.flat().slice(0, size);
}

/** A uniform number in [0, 1) from 24 bits. */
export function uniformOf(word: number): number {
  return (word >>> 8) / 2 ** 24;
}

/** The quantile of tail probability `q / 2^32`, cut to the 24 bits of a float32. */
function quantile(q: number): number {
  const fixed = Math.min(fixedQuantile(q), 2 ** 32);
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(fixed)) - 23);
  return (Math.floor(fixed / unit) * unit) / 2 ** 28;
}

const signed = (word: number, z: number): number => (word >= 2 ** 31 ? -z : z);
const odd = (t: number): number => (t % 2 === 0 ? t + 1 : t);

/** A standard normal number. */
export function normalOf(word: number): number {
  return signed(word, quantile(odd(word % 2 ** 31)));
}

// P(Z > 2) = 0.022750131948179...
const TAIL = Math.floor(0.022750131948179 * 2 ** 32);

/** A standard normal number within two standard deviations. */
export function truncatedNormalOf(word: number): number {
  const spread = (BigInt(word % 2 ** 31) * 2n * BigInt(2 ** 31 - TAIL)) >> 32n;
  return signed(word, Math.min(quantile(odd(TAIL + Number(spread))), 2));
}

function draw(c: ReferenceContext, stream: Stream, convert: (word: number) => number): readonly HostValue[] {
  const shape = Array.from(c.input(0).data);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const dtype: DType = c.outputs[0] ?? 'float32';
  const words = Array.from({ length: Math.ceil(size / 4) }, (_, i) => stream(i, 0)).flat();
  return [{ dtype, shape, data: Float64Array.from(words.slice(0, size), convert) }];
}

function integers(c: ReferenceContext, stream: Stream, first: number): readonly HostValue[] {
  const [low = 0, high = 1] = [c.input(first).data[0], c.input(first + 1).data[0]];
  return draw(c, stream, (word) => low + (word % (high - low)));
}

export const RANDOM_REFERENCES = {
  RandomUniform: (c) => draw(c, seeded(c), uniformOf),
  RandomStandardNormal: (c) => draw(c, seeded(c), normalOf),
  TruncatedNormal: (c) => draw(c, seeded(c), truncatedNormalOf),
  RandomUniformInt: (c) => integers(c, seeded(c), 1),
  StatelessRandomUniform: (c) => draw(c, stateless(c.input(1)), uniformOf),
  StatelessRandomNormal: (c) => draw(c, stateless(c.input(1)), normalOf),
  StatelessTruncatedNormal: (c) => draw(c, stateless(c.input(1)), truncatedNormalOf),
  StatelessRandomUniformInt: (c) => integers(c, stateless(c.input(1)), 2),
  ...RANDOM_DRAW_REFERENCES,
  ...CANDIDATE_REFERENCES,
} satisfies FamilyReferences;
