/**
 * Kernels of depthwise convolutions. With one input channel per filter there is nothing for a matrix
 * product to share; these are bound by loads. An invocation computes a run of neighbouring pixels of one
 * line, so that they share what is loaded, of four channels where the layout allows.
 */
import type { OpName } from '@forerun/graph';
import type { ConvAxis } from './contraction/geometry.js';
import { times } from './contraction/contraction.js';
import { lowerBackpropFilter } from './depthwiseFilter.js';
import { at, depthwise, layout, overTaps, splitItem, type Depthwise } from './depthwiseGeometry.js';
import { withFusedSteps } from './fusedSteps.js';
import { device, STORES_ONCE, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { vectorType } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** Pixels of a line that an invocation computes. */
const RUN = 4;
/** Filters wider than this leave no registers for runs. */
const WIDEST_SHARED = 8;
/** Multiplications that are written out instead of looped over. */
const MOST_UNROLLED = 48;

/** A sum over taps whose windows advance by whole pixels: the forward form, and the backward one of stride 1. */
interface Gather {
  readonly d: Depthwise;
  readonly label: string;
  readonly source: ShaderBinding;
  readonly weights: ShaderBinding;
  readonly from: 'input' | 'output';
  readonly y: GatherAxis;
  readonly x: GatherAxis;
}

/** Position `p` of `size` sees source elements `p * stride + tap * dilation - before`. */
interface GatherAxis {
  readonly size: number;
  readonly source: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

const forwardAxis = (axis: ConvAxis): GatherAxis => ({ ...axis, size: axis.output, source: axis.input });

/** With stride 1 the transpose is a convolution too, with the taps in reverse order. */
const backwardAxis = (axis: ConvAxis): GatherAxis => ({
  ...axis,
  size: axis.input,
  source: axis.output,
  before: (axis.kernel - 1) * axis.dilation - axis.before,
});

function lowerGather(c: KernelContext, s: Gather): Lowered {
  const { d, x, y } = s;
  const to = s.from === 'input' ? 'output' : 'input';
  const channels = (to === 'output' ? d.g.filters : d.g.channels) / d.width;
  const run = x.kernel > WIDEST_SHARED ? 1 : Math.min(RUN, x.size);
  const blocks = Math.ceil(x.size / Math.max(run, 1));
  const items = d.g.batch * channels * y.size * blocks;
  if (items === 0) return { dispatches: [] };
  const type = vectorType('f32', d.width);
  const target = layout(d, to);
  const lines = Array.from({ length: run }, (_, p) => `var acc${p} = ${type}(0);`);
  const stores = lines.map((_, p) => {
    const column = `block * ${run}u + ${p}u`;
    const place = `${at(target, 'n', 'channel', 'y')} + (${column}) * ${target.along.x ?? 0}u`;
    const store = `out[${place}] = acc${p};`;
    return x.size % run === 0 ? store : `if (${column} < ${x.size}u) { ${store} }`;
  });
  const rows = y.kernel * x.kernel * run <= MOST_UNROLLED ? unrolledRows : loopedRows;
  const body = [
    splitItem(d, channels, y.size, blocks),
    ...lines,
    overMultiplier(s, rows(y.kernel, gatherRow(s, run, type))),
    ...stores,
  ].join('\n');
  const grid = gridFor(items, 1, c.adapter);
  const dispatch = shader(
    {
      label: `${s.label}.run${run}x${d.width}`,
      bindings: [s.source, s.weights, outputBinding(c, 0, 'out', d.width)],
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

/** Declares `from_channel` and `filter_channel`; backwards all filters of the channel are added. */
function overMultiplier({ d: { multiplier }, from }: Gather, body: string): string {
  if (from === 'input' || multiplier === 1) {
    const source = multiplier === 1 ? 'channel' : `channel / ${multiplier}u`;
    return `let from_channel = ${source};\nlet filter_channel = channel;\n${body}`;
  }
  return `for (var m = 0u; m < ${multiplier}u; m++) {
let from_channel = channel * ${multiplier}u + m;
let filter_channel = from_channel;
${body}
}`;
}

function unrolledRows(count: number, body: string): string {
  return Array.from({ length: count }, (_, tap) => `{\nlet tap_y = ${tap}u;\n${body}\n}`).join('\n');
}

function loopedRows(count: number, body: string): string {
  return `for (var tap_y = 0u; tap_y < ${count}u; tap_y++) {\n${body}\n}`;
}

/** Adds what the taps of filter row `tap_y` see. Every source element is loaded once for the whole run. */
function gatherRow({ d, from, x, y }: Gather, run: number, type: string): string {
  const strides = layout(d, from);
  const flip = (tap: string, kernel: number): string =>
    from === 'input' ? tap : `(${kernel - 1}u - ${tap})`;
  const filters = d.g.filters / d.width;
  const lines = [
    `let first = block * ${run * x.stride}u - ${x.before >>> 0}u;`,
    `let line = ${at(strides, 'n', 'from_channel', 'row')};`,
    `let filter_row = ${flip('tap_y', y.kernel)} * ${x.kernel * filters}u + filter_channel;`,
  ];
  const offsets = new Set<number>();
  for (let p = 0; p < run; p++) {
    for (let tap = 0; tap < x.kernel; tap++) offsets.add(p * x.stride + tap * x.dilation);
  }
  for (const offset of offsets) {
    const load = `source[line + column${offset} * ${strides.along.x ?? 0}u]`;
    lines.push(
      `let column${offset} = first + ${offset}u;`,
      `let value${offset} = select(${type}(0), ${load}, column${offset} < ${x.source}u);`,
    );
  }
  for (let tap = 0; tap < x.kernel; tap++) {
    const place = from === 'input' ? tap : x.kernel - 1 - tap;
    lines.push(`let weight${tap} = weights[filter_row + ${place * filters}u];`);
    for (let p = 0; p < run; p++) {
      lines.push(`acc${p} += value${p * x.stride + tap * x.dilation} * weight${tap};`);
    }
  }
  return `let row = y * ${y.stride}u + tap_y * ${y.dilation}u - ${y.before >>> 0}u;
if (row < ${y.source}u) {
${lines.join('\n')}
}`;
}

function lowerForward(c: KernelContext): Lowered {
  const d = depthwise(c, c.input(0).shape, c.input(1).shape, c.output(0).shape);
  return lowerGather(c, {
    d,
    label: c.op,
    source: inputBinding(c, 0, 'source', d.width),
    weights: inputBinding(c, 1, 'weights', d.width),
    from: 'input',
    y: forwardAxis(d.y),
    x: forwardAxis(d.x),
  });
}

function lowerBackpropInput(c: KernelContext): Lowered {
  const d = depthwise(c, c.output(0).shape, c.input(1).shape, c.input(2).shape);
  const source = inputBinding(c, 2, 'source', d.width);
  const weights = inputBinding(c, 1, 'weights', d.width);
  if (d.y.stride > 1 || d.x.stride > 1) return lowerScattered(c, d, source, weights);
  const [y, x] = [backwardAxis(d.y), backwardAxis(d.x)];
  return lowerGather(c, { d, label: c.op, source, weights, from: 'output', y, x });
}

/** The gradient of the input with strides: one pixel per invocation, whose taps are `stride` apart. */
function lowerScattered(
  c: KernelContext,
  d: Depthwise,
  source: ShaderBinding,
  weights: ShaderBinding,
): Lowered {
  const { g, width, multiplier } = d;
  const channels = g.channels / width;
  const items = g.batch * channels * d.y.input * d.x.input;
  if (items === 0) return { dispatches: [] };
  const [from, to] = [layout(d, 'output'), layout(d, 'input')];
  const filters = g.filters / width;
  const place = `${at(from, 'n', 'from_channel', 'at_y')} + ${times('at_x', from.along.x ?? 0)}`;
  const tap = `(tap_y * ${d.x.kernel}u + tap_x) * ${filters}u + from_channel`;
  const body = `${splitItem(d, channels, d.y.input, d.x.input)}
var total = ${vectorType('f32', width)}(0);
${overTaps('y', 'y', d.y)}
${overTaps('x', 'block', d.x)}
for (var m = 0u; m < ${multiplier}u; m++) {
let from_channel = channel * ${multiplier}u + m;
total += source[${place}] * weights[${tap}];
}
}
}
}
}
out[${at(to, 'n', 'channel', 'y')} + block * ${to.along.x ?? 0}u] = total;`;
  const grid = gridFor(items, 1, c.adapter);
  const dispatch = shader(
    {
      label: `${c.op}.scattered`,
      bindings: [source, weights, outputBinding(c, 0, 'out', width)],
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

const fused = withFusedSteps('DepthwiseConv2dNative', lowerForward);

export const DEPTHWISE_KERNELS = {
  _FusedDepthwiseConv2dNative: fused,
  FusedDepthwiseConv2dNative: fused,
  DepthwiseConv2dNative: device(lowerForward),
  DepthwiseConv2dNativeBackpropInput: device(lowerBackpropInput),
  DepthwiseConv2dNativeBackpropFilter: device(lowerBackpropFilter, STORES_ONCE),
} satisfies Partial<Record<OpName, Kernel>>;
