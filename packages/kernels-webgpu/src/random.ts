/**
 * Kernels of random numbers without parameters and of integers: a counter-based stream of bits
 * (randomStream.ts), of which each element takes one word. What follows is integer arithmetic and exact
 * conversions, so that every adapter gives the same bits.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { CANDIDATE_KERNELS } from './randomCandidates.js';
import { lowerCategorical } from './randomCategorical.js';
import { lowerGamma, lowerPoisson, lowerTruncated } from './randomParameters.js';
import { lowerShuffle } from './randomShuffle.js';
import {
  PHILOX,
  QUANTILE,
  quantileTable,
  seededStream,
  statelessStream,
  type RandomStream,
} from './randomStream.js';
import { device, elementwise, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { TAIL_BEYOND_TWO } from './normalTable.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

export { philoxKey } from './randomStream.js';

/** The 24 high bits as a multiple of 2^-24. */
const UNIFORM = 'fn sample(bits: u32) -> f32 { return f32(bits >> 8u) * 5.9604644775390625e-8; }';

/** The 10 high bits as a multiple of 2^-10: rounded to float16, 24 bits could become 1. */
const UNIFORM_HALF = 'fn sample(bits: u32) -> f32 { return f32(bits >> 22u) * 9.765625e-4; }';

/** A quantile cut to 24 bits so that the conversion is exact; negative when \`negative\` is not 0. */
const CONVERTED = `${QUANTILE}
fn quantile(q: u32, negative: u32, limit: u32) -> f32 {
  let fixed = min(fixed_quantile(q), limit);
  let excess = 8u - min(countLeadingZeros(fixed), 8u);
  let z = f32((fixed >> excess) << excess) * 3.725290298461914e-9;
  return select(z, -z, negative != 0u);
}`;

/** One bit of sign, 31 of tail probability (made odd, so never 0). */
const NORMAL = `${CONVERTED}
fn sample(bits: u32) -> f32 {
  return quantile((bits & 0x7fffffffu) | 1u, bits >> 31u, 0xffffffffu);
}`;

/** As NORMAL with the tail probability spread over [P(Z > 2), 1/2). */
const TRUNCATED = `${CONVERTED}
fn sample(bits: u32) -> f32 {
  let q = ${TAIL_BEYOND_TWO}u + mul_high(bits << 1u, ${2 ** 31 - TAIL_BEYOND_TWO}u);
  return quantile(q | 1u, bits >> 31u, 0x20000000u);
}`;

const INTEGER = `fn sample(bits: u32) -> i32 {
  let count = u32(maxval[0]) - u32(minval[0]);
  return i32(u32(minval[0]) + bits % max(count, 1u));
}`;

/** Fills the output by `sample`, four elements from each block. */
function fill(
  c: KernelContext,
  stream: RandomStream,
  sample: string,
  extra: readonly ShaderBinding[],
): Lowered {
  const { dtype, shape } = c.output(0);
  const size = sizeOf(shape);
  if (size === 0) return { dispatches: [] };
  if (!['float32', 'int32', 'int64'].includes(dtype))
    c.unsupported(`random ${dtype} values are not generated`);
  const width = size % 4 === 0 ? 4 : 1;
  const bindings: ShaderBinding[] = [...stream.bindings, ...extra, outputBinding(c, 0, 'out', width)];
  const grid = gridFor(size, 4, c.adapter);
  const values = ['x', 'y', 'z', 'w'].map((lane) => `sample(bits.${lane})`);
  const type = dtype === 'float32' ? 'f32' : 'i32';
  const store =
    width === 4
      ? `out[i] = vec4<${type}>(${values.join(', ')});`
      : values
          .map((value, j) => `if (4u * i + ${j}u < ${size}u) { out[4u * i + ${j}u] = ${value}; }`)
          .join('\n');
  const body = `let bits = ${stream.draw('i', '0u')};\n${store}`;
  const spec = { label: c.op, bindings, workgroups: grid.workgroups, declarations: `${PHILOX}\n${sample}` };
  return { dispatches: [shader({ ...spec, body: gridStride(grid, body) }, c.adapter)] };
}

function uniform(c: KernelContext, stream: RandomStream): Lowered {
  return fill(c, stream, c.attrs.type('dtype') === 'float16' ? UNIFORM_HALF : UNIFORM, []);
}

/** Integers between inputs `low` and `low + 1`. */
function integers(c: KernelContext, stream: RandomStream, low: number): Lowered {
  return fill(c, stream, INTEGER, [inputBinding(c, low, 'minval'), inputBinding(c, low + 1, 'maxval')]);
}

export const RANDOM_KERNELS = {
  RandomUniform: device((c) => uniform(c, seededStream(c))),
  RandomStandardNormal: device((c) => fill(c, seededStream(c), NORMAL, [quantileTable()])),
  TruncatedNormal: device((c) => fill(c, seededStream(c), TRUNCATED, [quantileTable()])),
  RandomUniformInt: device((c) => integers(c, seededStream(c), 1)),
  StatelessRandomUniform: device((c) => uniform(c, statelessStream(c, 1))),
  StatelessRandomNormal: device((c) => fill(c, statelessStream(c, 1), NORMAL, [quantileTable()])),
  StatelessTruncatedNormal: device((c) => fill(c, statelessStream(c, 1), TRUNCATED, [quantileTable()])),
  StatelessRandomUniformInt: device((c) => integers(c, statelessStream(c, 1), 2)),
  RandomGamma: device(lowerGamma),
  RandomGammaGrad: elementwise('gamma_sample_grad(alpha, sample)'),
  RandomPoisson: device(lowerPoisson),
  RandomPoissonV2: device(lowerPoisson),
  ParameterizedTruncatedNormal: device(lowerTruncated),
  Multinomial: device((c) => lowerCategorical(c, seededStream(c))),
  StatelessMultinomial: device((c) => lowerCategorical(c, statelessStream(c, 2))),
  RandomShuffle: device(lowerShuffle),
  ...CANDIDATE_KERNELS,
} satisfies Partial<Record<OpName, Kernel>>;
