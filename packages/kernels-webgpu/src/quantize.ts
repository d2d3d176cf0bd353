/** Kernels of simulated quantization. */
import { sizeOf, type OpName } from '@forerun/graph';
import { channelSums } from './channelSums.js';
import { device, elementwise, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { lowerReduction } from './reduce.js';
import { MAX, MIN } from './reduction.js';
import { literal } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import {
  inputBinding,
  outputBinding,
  rebound,
  scratchBinding,
  shader,
  type ShaderBinding,
} from './wgsl/shader.js';

/** The lowest and highest level, as arguments of the library's functions. */
function levels(c: KernelContext): string {
  const first = c.attrs.bool('narrow_range') ? 1 : 0;
  return `f32(${first}.0), f32(${2 ** c.attrs.int('num_bits') - 1}.0)`;
}

function fixedRange(c: KernelContext): string {
  const [low, high] = [c.attrs.float('min'), c.attrs.float('max')];
  return `${literal(low, 'float32')}, ${literal(high, 'float32')}, ${levels(c)}`;
}

/** Where the gradients go: to the input, or summed to the end of the range that the input is beyond. */
function lowerVarsGradient(c: KernelContext): Lowered {
  const size = sizeOf(c.input(1).shape);
  const channels = sizeOf(c.output(1).shape);
  if (channels === 0) return { dispatches: [] };
  const inputs = ['gradients', 'inputs', 'low', 'high'].map((name, i) => inputBinding(c, i, name));
  const side = (at: string, channel: string): string =>
    `side_of_range(inputs[${at}], low[${channel}], high[${channel}], ${levels(c)})`;
  const sums = channelSums(c, {
    label: c.op,
    space: { outer: size / channels, channels, inner: 1 },
    inputs,
    terms: ['-1.0', '1.0'].map((end) => `select(0.0, gradients[at], ${side('at', 'channel')} == ${end})`),
    results: [outputBinding(c, 1, 'for_low'), outputBinding(c, 2, 'for_high')],
    finish: 'for_low[channel] = sum0;\nfor_high[channel] = sum1;',
    scratch: 0,
  });
  if (size === 0) return sums;
  const grid = gridFor(size, 1, c.adapter);
  const pass = shader(
    {
      label: c.op,
      bindings: [...inputs, outputBinding(c)],
      workgroups: grid.workgroups,
      body: gridStride(grid, `out[i] = select(0.0, gradients[i], ${side('i', `i % ${channels}u`)} == 0.0);`),
    },
    c.adapter,
  );
  return { dispatches: [pass, ...sums.dispatches], scratch: sums.scratch };
}

interface Extreme {
  readonly lowered: Lowered;
  /** The scratch buffer with the result. */
  readonly at: number;
}

/** The smallest or largest element of the input, in a scratch buffer; scratch buffers begin at `first`. */
function extreme(c: KernelContext, largest: boolean, first: number): Extreme {
  const scalar: KernelContext = { ...c, output: () => ({ dtype: 'float32', shape: [] }) };
  const axes = c.input(0).shape.map((_, d) => d);
  const { dispatches, scratch = [] } = lowerReduction(scalar, largest ? MAX : MIN, axes);
  const at = first + scratch.length;
  const moved = dispatches.map((dispatch) =>
    rebound(dispatch, (source) => {
      if (source.kind === 'output') return { kind: 'scratch', index: at };
      return source.kind === 'scratch' ? { kind: 'scratch', index: source.index + first } : source;
    }),
  );
  return { lowered: { dispatches: moved, scratch: [...scratch, 4] }, at };
}

/** The scale that takes the range into the levels without moving 0: the smaller one of both sides. */
function scaleOf(c: KernelContext, bits: number): string {
  const signed = c.attrs.bool('signed_input');
  const last = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const first = signed ? (c.attrs.bool('narrow_range') ? -last : -(2 ** (bits - 1))) : 0;
  return `let low_scale = select(3.4028234e38, ${first}.0 / low[0], ${first}.0 * low[0] > 0.0);
let high_scale = select(3.4028234e38, ${last}.0 / high[0], ${last}.0 * high[0] > 0.0);
let by_low = low_scale < high_scale;
let scale = min(low_scale, high_scale);
let unit = select(high[0] / ${last}.0, low[0] / ${first === 0 ? '-1' : first}.0, by_low);
let first = select(${first}.0 * unit, low[0], by_low);
let last = select(high[0], ${last}.0 * unit, by_low);`;
}

/** Unsigned levels have no scale where nothing is above 0: TensorFlow takes the largest number, with which all below -1 overflows. */
const BEYOND = `let beyond = select(infinity(), not_a_number(), unit == 0.0);
`;

function lowerQuantize(c: KernelContext, bits: number, halfUp: boolean): Lowered {
  const size = sizeOf(c.output(0).shape);
  if (size === 0) return { dispatches: [] };
  const given = c.attrs.bool('range_given');
  const before: Lowered[] = [];
  const ends: ShaderBinding[] = [inputBinding(c, 1, 'low'), inputBinding(c, 2, 'high')];
  if (!given) {
    const low = extreme(c, false, 0);
    const high = extreme(c, true, low.at + 1);
    before.push(low.lowered, high.lowered);
    [low, high].forEach(({ at }, i) => {
      ends[i] = { ...scratchBinding(at, i === 0 ? 'low' : 'high', 'float32'), access: 'read' };
    });
  }
  const grid = gridFor(size, 1, c.adapter);
  const body = `${scaleOf(c, bits)}
let x = ${given ? 'max(min(input[i], last), first)' : 'input[i]'};
let level = ${halfUp ? 'floor(x * scale + 0.5)' : 'round(x * scale)'};
${given ? '' : BEYOND}out[i] = keep_nan(${given ? 'level * unit' : 'select(level * unit, beyond, scale > 3.4e38 && abs(x) > 1.0)'}, input[i]);`;
  const pass = shader(
    {
      label: c.op,
      bindings: [inputBinding(c, 0, 'input'), ...ends, outputBinding(c)],
      workgroups: grid.workgroups,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
  return {
    dispatches: [...before.flatMap(({ dispatches }) => dispatches), pass],
    scratch: before.flatMap(({ scratch = [] }) => scratch),
  };
}

export const QUANTIZE_KERNELS = {
  FakeQuantWithMinMaxArgs: elementwise((c) => `fake_quant(inputs, ${fixedRange(c)})`),
  FakeQuantWithMinMaxArgsGradient: elementwise(
    (c) => `select(f32(0.0), gradients, side_of_range(inputs, ${fixedRange(c)}) == f32(0.0))`,
  ),
  FakeQuantWithMinMaxVars: elementwise((c) => `fake_quant(inputs, min, max, ${levels(c)})`),
  FakeQuantWithMinMaxVarsGradient: device(lowerVarsGradient),
  FakeQuantWithMinMaxVarsPerChannel: elementwise((c) => `fake_quant(inputs, min, max, ${levels(c)})`),
  FakeQuantWithMinMaxVarsPerChannelGradient: device(lowerVarsGradient),
  QuantizeAndDequantizeV2: device((c) =>
    lowerQuantize(c, c.attrs.int('num_bits'), c.attrs.string('round_mode') === 'HALF_UP'),
  ),
  QuantizeAndDequantizeV3: device((c) => lowerQuantize(c, c.requireHost(3, 'num_bits').data[0] ?? 8, false)),
} satisfies Partial<Record<OpName, Kernel>>;
