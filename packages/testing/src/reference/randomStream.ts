/** The random words of references: Philox4x32-10 with whole 64-bit products, and the table of normal quantiles. */
import type { HostValue } from '@forerun/graph';
import { normalTable } from '@forerun/kernels-webgpu';
import type { ReferenceContext } from '../sample.js';

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

/** The block of an element and attempt. */
export type Stream = (element: number, attempt: number) => number[];

/** The stream of a stateful op at random step 0. */
export function seeded(c: ReferenceContext): Stream {
  const key = [c.attrs.int('seed') >>> 0, c.attrs.int('seed2') >>> 0];
  return (element, attempt) => philox4x32([element, attempt, 0, 0], key);
}

/** The stream of a seed that is an input. */
export function stateless(seed: HostValue): Stream {
  const key = Array.from(seed.data, (word) => word >>> 0);
  return (element, attempt) => philox4x32([element, attempt, 0, 0xffffffff], key);
}

/** The normal quantile of tail probability `q / 2^32` in units of 2^-28, by interpolation in exact integers. */
export function fixedQuantile(q: number): number {
  const octave = Math.floor(Math.log2(q));
  const position = (q / 2 ** octave - 1) * 64;
  const cell = octave * 64 + Math.floor(position);
  const [start = 0, end = 0] = normalTable().slice(cell, cell + 2);
  const fraction = BigInt((position % 1) * 2 ** 32);
  return start - Number((BigInt(start - end) * fraction) >> 32n);
}
