/**
 * Kernels of random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2,
 * 3", SC 2011) keyed by the node's seeds, with the counter (block of four elements, 0, step low, step
 * high). What follows is integer arithmetic and exact conversions, so that every adapter gives
 * the same bits.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { normalTable, TAIL_BEYOND_TWO } from './normalTable.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { dataBinding, inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

const PHILOX = `fn philox(counter: vec4<u32>, seeds: vec2<u32>) -> vec4<u32> {
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

/** The 24 high bits as a multiple of 2^-24. */
const UNIFORM = 'fn sample(bits: u32) -> f32 { return f32(bits >> 8u) * 5.9604644775390625e-8; }';

/**
 * The normal quantile of tail probability q / 2^32, linear within a cell of the table; cut to 24 bits
 * so that the conversion is exact; negative when \`negative\` is not 0.
 */
const QUANTILE = `fn quantile(q: u32, negative: u32, limit: u32) -> f32 {
  let zeros = countLeadingZeros(q);
  let mantissa = q << zeros;
  let cell = (31u - zeros) * 64u + ((mantissa >> 25u) & 63u);
  let start = quantiles[cell];
  let fixed = min(start - mul_high(start - quantiles[cell + 1u], mantissa << 7u), limit);
  let excess = 8u - min(countLeadingZeros(fixed), 8u);
  let z = f32((fixed >> excess) << excess) * 3.725290298461914e-9;
  return select(z, -z, negative != 0u);
}`;

/** One bit of sign, 31 of tail probability (made odd, so never 0). */
const NORMAL = `${QUANTILE}
fn sample(bits: u32) -> f32 {
  return quantile((bits & 0x7fffffffu) | 1u, bits >> 31u, 0xffffffffu);
}`;

/** As NORMAL with the tail probability spread over [P(Z > 2), 1/2). */
const TRUNCATED = `${QUANTILE}
fn sample(bits: u32) -> f32 {
  let q = ${TAIL_BEYOND_TWO}u + mul_high(bits << 1u, ${2 ** 31 - TAIL_BEYOND_TWO}u);
  return quantile(q | 1u, bits >> 31u, 0x20000000u);
}`;

const INTEGER = `fn sample(bits: u32) -> i32 {
  let count = u32(maxval[0]) - u32(minval[0]);
  return i32(u32(minval[0]) + bits % max(count, 1u));
}`;

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

/** Fills the output by `sample`, four elements from each block. */
function fill(c: KernelContext, sample: string, extra: readonly ShaderBinding[]): Lowered {
  const { dtype, shape } = c.output(0);
  const size = sizeOf(shape);
  if (size === 0) return { dispatches: [] };
  if (!['float32', 'int32', 'int64'].includes(dtype))
    c.unsupported(`random ${dtype} values are not generated`);
  const width = size % 4 === 0 ? 4 : 1;
  const key = philoxKey(c.attrs.bigint('seed'), c.attrs.bigint('seed2'), c.name);
  const bindings: ShaderBinding[] = [
    dataBinding(key, 'key'),
    { name: 'step', source: { kind: 'random' }, dtype: 'uint32' },
    ...extra,
    outputBinding(c, 0, 'out', width),
  ];
  const grid = gridFor(size, 4, c.adapter);
  const values = ['x', 'y', 'z', 'w'].map((lane) => `sample(bits.${lane})`);
  const type = dtype === 'float32' ? 'f32' : 'i32';
  const store =
    width === 4
      ? `out[i] = vec4<${type}>(${values.join(', ')});`
      : values
          .map((value, j) => `if (4u * i + ${j}u < ${size}u) { out[4u * i + ${j}u] = ${value}; }`)
          .join('\n');
  const body = `let bits = philox(vec4<u32>(i, 0u, step[0], step[1]), vec2<u32>(key[0], key[1]));\n${store}`;
  const spec = { label: c.op, bindings, workgroups: grid.workgroups, declarations: `${PHILOX}\n${sample}` };
  return { dispatches: [shader({ ...spec, body: gridStride(grid, body) }, c.adapter)] };
}

const table = (): ShaderBinding => dataBinding(normalTable(), 'quantiles');

export const RANDOM_KERNELS = {
  RandomUniform: device((c) => fill(c, UNIFORM, [])),
  RandomStandardNormal: device((c) => fill(c, NORMAL, [table()])),
  TruncatedNormal: device((c) => fill(c, TRUNCATED, [table()])),
  RandomUniformInt: device((c) =>
    fill(c, INTEGER, [inputBinding(c, 1, 'minval'), inputBinding(c, 2, 'maxval')]),
  ),
} satisfies Partial<Record<OpName, Kernel>>;
