/**
 * Kernels of grey-scale dilation and its gradients. The gradients first find every window's winning tap,
 * then whoever writes an element gathers from the windows that it won: no atomics.
 */
import { sizeOf, windowPadding, type OpName, type PaddingRule } from '@forerun/graph';
import type { ConvAxis } from './contraction/geometry.js';
import { addParts } from './contraction/lower.js';
import { overTaps } from './depthwiseGeometry.js';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { literal, storageType, vectorType, wrapped, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';
import type { Dispatch } from './kernel.js';

interface Geometry {
  readonly batch: number;
  readonly y: ConvAxis;
  readonly x: ConvAxis;
  /** Channels in units of the width. */
  readonly channels: number;
  readonly width: Width;
  /** WGSL type of `width` elements. */
  readonly type: string;
}

/** Smallest number of the integer dtypes. */
const LOWEST: Readonly<Record<string, number>> = {
  int8: -128,
  int16: -32_768,
  int32: -(2 ** 31),
  int64: -(2 ** 31),
};
/** Any sum beats it. */
const LOWEST_FLOAT = -3.402_823_466_385_288_6e38;
/** The tap of windows that see nothing. */
const NO_TAP = '0xffffffffu';

/** The geometry of dilating images of shape `images` into those of shape `dilated`. */
function geometry(c: KernelContext, images: readonly number[], dilated: readonly number[]): Geometry {
  const filter = c.input(1).shape;
  const [strides, rates] = [c.attrs.ints('strides'), c.attrs.ints('rates')];
  const padding = c.attrs.string('padding') as PaddingRule;
  const axis = (i: 1 | 2): ConvAxis => {
    const [kernel = 0, stride = 1, dilation = 1] = [filter[i - 1], strides[i], rates[i]];
    const [input = 0, output = 0] = [images[i], dilated[i]];
    const [before] = windowPadding(input, { size: kernel, stride, dilation, padding });
    const end = (output - 1) * stride + (kernel - 1) * dilation - before;
    const inside = before === 0 && end < input;
    return { name: i === 1 ? 'y' : 'x', input, output, kernel, stride, dilation, before, inside };
  };
  const channels = images[3] ?? 0;
  const { dtype } = c.input(0);
  const plain = wrapped('', dtype) === '';
  const width: Width = plain && channels % 4 === 0 ? 4 : 1;
  const type = vectorType(storageType(dtype), width);
  return { batch: images[0] ?? 0, y: axis(1), x: axis(2), channels: channels / width, width, type };
}

/** A dispatch of one invocation per item of `[batch, rows, columns, channels]`, named `n`, `y`, `x`, `channel`. */
function overPixels(
  c: KernelContext,
  g: Geometry,
  of: 'input' | 'output',
  bindings: readonly ShaderBinding[],
  [label, body]: readonly [string, string],
): Dispatch {
  const [rows, columns] = [g.y[of], g.x[of]];
  const grid = gridFor(g.batch * rows * columns * g.channels, 1, c.adapter);
  const split = `let channel = item % ${g.channels}u;
let x = item / ${g.channels}u % ${columns}u;
let y = item / ${g.channels * columns}u % ${rows}u;
let n = item / ${g.channels * columns * rows}u;`;
  const spec = { label: `${c.op}.${label}`, bindings, workgroups: grid.workgroups };
  return shader({ ...spec, body: gridStride(grid, `${split}\n${body}`, 'item') }, c.adapter);
}

/** Finds `best`, the largest sum of the window at `y`, `x`, and `place`, the first tap that gives it. */
function findBest(c: KernelContext, g: Geometry): string {
  const { dtype } = c.input(0);
  const lowest = literal(dtype === 'float32' ? LOWEST_FLOAT : (LOWEST[dtype] ?? 0), dtype);
  const total = wrapped(`images[pixel] + weights[tap * ${g.channels}u + channel]`, dtype);
  return `var best = ${widen(lowest, g.width)};
var place = ${widen(`u32(${NO_TAP})`, g.width)};
for (var tap = 0u; tap < ${g.y.kernel * g.x.kernel}u; tap++) {
let row = y * ${g.y.stride}u + tap / ${g.x.kernel}u * ${g.y.dilation}u - ${g.y.before}u;
let column = x * ${g.x.stride}u + tap % ${g.x.kernel}u * ${g.x.dilation}u - ${g.x.before}u;
if (row < ${g.y.input}u && column < ${g.x.input}u) {
let pixel = ((n * ${g.y.input}u + row) * ${g.x.input}u + column) * ${g.channels}u + channel;
let total = ${total};
place = select(place, ${widen('u32(tap)', g.width)}, total > best);
best = select(best, total, total > best);
}
}`;
}

function lowerForward(c: KernelContext): Lowered {
  const g = geometry(c, c.input(0).shape, c.output(0).shape);
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const bindings = [...operands(c, g), outputBinding(c, 0, 'out', g.width)];
  return {
    dispatches: [overPixels(c, g, 'output', bindings, ['windows', `${findBest(c, g)}\nout[item] = best;`])],
  };
}

function operands(c: KernelContext, g: Geometry): ShaderBinding[] {
  return [inputBinding(c, 0, 'images', g.width), inputBinding(c, 1, 'weights', g.width)];
}

/** The winning tap of every window, in scratch buffer `index`. */
function places(c: KernelContext, g: Geometry, index: number): Dispatch {
  const bindings = [...operands(c, g), scratchBinding(index, 'places', 'uint32', g.width)];
  return overPixels(c, g, 'output', bindings, ['places', `${findBest(c, g)}\nplaces[item] = place;`]);
}

function placesBinding(g: Geometry, index: number): ShaderBinding {
  return { ...scratchBinding(index, 'places', 'uint32', g.width), access: 'read' };
}

/** `grad[index]` where tap number `tap` won the window, else zero. */
function won(g: Geometry, index: string, tap: string): string {
  return `select(${g.type}(0), grad[${index}], places[${index}] == ${widen(`u32(${tap})`, g.width)})`;
}

function lowerBackpropInput(c: KernelContext): Lowered {
  const g = geometry(c, c.input(0).shape, c.input(2).shape);
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const windows = sizeOf(c.input(2).shape);
  const window = `((n * ${g.y.output}u + at_y) * ${g.x.output}u + at_x) * ${g.channels}u + channel`;
  const total = `total + ${won(g, 'window', `tap_y * ${g.x.kernel}u + tap_x`)}`;
  const body = `var total = ${g.type}(0);
${overTaps('y', 'y', g.y)}
${overTaps('x', 'x', g.x)}
let window = ${window};
total = ${wrapped(total, c.input(0).dtype)};
}
}
}
}
out[item] = total;`;
  const gathering = [
    inputBinding(c, 2, 'grad', g.width),
    placesBinding(g, 0),
    outputBinding(c, 0, 'out', g.width),
  ];
  const gather = overPixels(c, g, 'input', gathering, ['pixels', body]);
  if (windows === 0) return { dispatches: [zeros(c)] };
  return { dispatches: [places(c, g, 0), gather], scratch: [windows * 4] };
}

/** Without windows there is nothing to gather. */
function zeros(c: KernelContext): Dispatch {
  const grid = gridFor(sizeOf(c.output(0).shape), 1, c.adapter);
  const body = gridStride(grid, `out[i] = ${storageType(c.output(0).dtype)}(0);`);
  return shader(
    { label: `${c.op}.empty`, bindings: [outputBinding(c)], workgroups: grid.workgroups, body },
    c.adapter,
  );
}

/** Invocations that keep an adapter busy, and the most parts into which a sum is cut. */
const SOFTWARE_ITEMS = 4096;
const GPU_ITEMS = 65_536;
const MOST_PARTS = 256;

function lowerBackpropFilter(c: KernelContext): Lowered {
  const g = geometry(c, c.input(0).shape, c.input(2).shape);
  const [size, windows] = [sizeOf(c.output(0).shape), sizeOf(c.input(2).shape)];
  if (size === 0) return { dispatches: [] };
  if (windows === 0) return { dispatches: [zeros(c)] };
  const { dtype } = c.output(0);
  const perPart = size / g.width;
  const lines = g.batch * g.y.output;
  const wanted = Math.ceil((c.adapter.software ? SOFTWARE_ITEMS : GPU_ITEMS) / perPart);
  // Sums of narrow integers wrap at every step, which the sum of parts does not do.
  const parts = wrapped('', dtype) === '' ? Math.max(1, Math.min(wanted, lines, MOST_PARTS)) : 1;
  const total = wrapped(
    `total + ${won(g, `line * ${g.x.output * g.channels}u + x * ${g.channels}u + channel`, 'tap')}`,
    dtype,
  );
  const body = `let channel = item % ${g.channels}u;
let tap = item / ${g.channels}u % ${g.y.kernel * g.x.kernel}u;
let part = item / ${perPart}u;
var total = ${g.type}(0);
for (var line = part * ${lines}u / ${parts}u; line < (part + 1u) * ${lines}u / ${parts}u; line++) {
for (var x = 0u; x < ${g.x.output}u; x++) {
total = ${total};
}
}
out[item] = total;`;
  const grid = gridFor(perPart * parts, 1, c.adapter);
  const target = parts === 1 ? outputBinding(c, 0, 'out', g.width) : scratchBinding(0, 'out', dtype, g.width);
  const index = parts === 1 ? 0 : 1;
  const sums = shader(
    {
      label: `${c.op}.parts${parts}`,
      bindings: [inputBinding(c, 2, 'grad', g.width), placesBinding(g, index), target],
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
  if (parts === 1) return { dispatches: [places(c, g, 0), sums], scratch: [windows * 4] };
  const all = { label: c.op, dtype, columns: g.channels * g.width, output: { binding: outputBinding(c) } };
  return {
    dispatches: [places(c, g, 1), sums, addParts(c, all, size, parts)],
    scratch: [size * parts * 4, windows * 4],
  };
}

export const DILATION_KERNELS = {
  Dilation2D: device(lowerForward),
  Dilation2DBackpropInput: device(lowerBackpropInput),
  Dilation2DBackpropFilter: device(lowerBackpropFilter),
} satisfies Partial<Record<OpName, Kernel>>;
