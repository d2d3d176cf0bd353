/**
 * References of random numbers, bit for bit: Philox4x32-10 with whole 64-bit products, and the
 * inverse of the normal distribution by interpolation in exact integers.
 */
import type { DType, HostValue } from '@forerun/graph';
import { normalTable } from '@forerun/kernels-webgpu';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

const MASK = 0xffffffffn;

/** Philox4x32-10 of one counter (four words) under a key (two words). */
export function philox4x32(counter: readonly number[], key: readonly number[]): number[] {
  let [c0 = 0n, c1 = 0n, c2 = 0n, c3 = 0n] = counter.map(BigInt);
  let [k0 = 0n, k1 = 0n] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const [a, b] = [c0 * 0xd2511f53n, c2 * 0xcd9e8d57n];
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & MASK, (a >> 32n) ^ c3 ^ k1, a & MASK];
    [k0, k1] = [(k0 + 0x9e3779b9n) & MASK, (k1 + 0xbb67ae85n) & MASK];
  }
  return [c0, c1, c2, c3].map(Number);
}

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
  const octave = Math.floor(Math.log2(q));
  const position = (q / 2 ** octave - 1) * 64;
  const cell = octave * 64 + Math.floor(position);
  const [start = 0, end = 0] = normalTable().slice(cell, cell + 2);
  const fraction = BigInt((position % 1) * 2 ** 32);
  const fixed = Math.min(start - Number((BigInt(start - end) * fraction) >> 32n), 2 ** 32);
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

function draw(c: ReferenceContext, convert: (word: number) => number): readonly HostValue[] {
  const shape = Array.from(c.input(0).data);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const seeds = [c.attrs.int('seed') >>> 0, c.attrs.int('seed2') >>> 0] as const;
  const dtype: DType = c.outputs[0] ?? 'float32';
  return [{ dtype, shape, data: Float64Array.from(randomWords(size, seeds), convert) }];
}

export const RANDOM_REFERENCES = {
  RandomUniform: (c) => draw(c, uniformOf),
  RandomStandardNormal: (c) => draw(c, normalOf),
  TruncatedNormal: (c) => draw(c, truncatedNormalOf),
  RandomUniformInt: (c) => {
    const [low = 0, high = 1] = [c.input(1).data[0], c.input(2).data[0]];
    return draw(c, (word) => low + (word % (high - low)));
  },
} satisfies FamilyReferences;
