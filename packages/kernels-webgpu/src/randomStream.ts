/**
 * Where random kernels get their bits: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as
 * 1, 2, 3", SC 2011), keyed by the node's seeds or by a seed that is an input. A counter has four words: the
 * element (or block of elements), the attempt, and the session's random step. A body that is run by itself adds its
 * salt (randomSalt.ts) to the key. Integer arithmetic only.
 */
import type { KernelContext } from './kernel.js';
import { normalTable } from './normalTable.js';
import { dataBinding, inputBinding, type ShaderBinding } from './wgsl/shader.js';

export const PHILOX = `fn philox(counter: vec4<u32>, seeds: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = seeds;
  for (var round = 0u; round < 10u; round++) {
    let high0 = mul_high(0xd2511f53u, c.x);
    let high1 = mul_high(0xcd9e8d57u, c.z);
    c = vec4<u32>(high1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`;

/**
 * The normal quantile of tail probability q / 2^32 in units of 2^-28, linear within a cell of the table.
 */
export const QUANTILE = `fn fixed_quantile(q: u32) -> u32 {
  let zeros = countLeadingZeros(q);
  let mantissa = q << zeros;
  let cell = (31u - zeros) * 64u + ((mantissa >> 25u) & 63u);
  let start = quantiles[cell];
  return start - mul_high(start - quantiles[cell + 1u], mantissa << 7u);
}`;

/** The table that `QUANTILE` reads. */
export function quantileTable(): ShaderBinding {
  return dataBinding(normalTable(), 'quantiles');
}

/** FNV-1a: tells nodes without seeds apart. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

function foldWords(value: bigint): number {
  return Number(BigInt.asUintN(32, value) ^ BigInt.asUintN(32, value >> 32n));
}

/**
 * The Philox key of a node: its two seeds, each folded to 32 bits. Seeds (0, 0), which only imported
 * graphs have, mean "any": then the node's name decides.
 */
export function philoxKey(seed: bigint, seed2: bigint, name: string): Uint32Array {
  if (seed === 0n && seed2 === 0n) return Uint32Array.of(hash(name), 0);
  return Uint32Array.of(foldWords(seed), foldWords(seed2));
}

/** The stream of one node. */
export interface RandomStream {
  readonly bindings: readonly ShaderBinding[];
  /** `philox(…)` of two `u32` expressions, the element and the attempt: a `vec4<u32>`. */
  readonly draw: (element: string, attempt: string) => string;
}

/** The stream of a stateful op: seeds are attributes, and every run draws others. */
export function seededStream(c: KernelContext): RandomStream {
  const key = philoxKey(c.attrs.bigint('seed'), c.attrs.bigint('seed2'), c.name);
  return {
    bindings: [dataBinding(key, 'key'), { name: 'step', source: { kind: 'random' }, dtype: 'uint32' }],
    draw: (element, attempt) =>
      `philox(vec4<u32>(${element}, ${attempt}, step[0], step[1]), vec2<u32>(key[0] + step[2], key[1] + step[3]))`,
  };
}

/** The stream of a stateless op: the seed is input `i`. Its last word is no random step. */
export function statelessStream(c: KernelContext, i: number): RandomStream {
  return {
    bindings: [inputBinding(c, i, 'seed')],
    draw: (element, attempt) =>
      `philox(vec4<u32>(${element}, ${attempt}, 0u, 0xffffffffu), vec2<u32>(u32(seed[0]), u32(seed[1])))`,
  };
}
