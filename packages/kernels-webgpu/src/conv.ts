/**
 * Kernels of convolutions of images and volumes and their gradients, as contractions without
 * intermediate copies ("implicit GEMM"). Groups, and the phases of a strided input gradient, are batches.
 */
import type { OpName } from '@forerun/graph';
import { lowerChosen } from './contraction/candidates.js';
import type { Contraction, Loop, OutputCode } from './contraction/contraction.js';
import { sum, times } from './contraction/contraction.js';
import {
  convGeometry,
  imageStrides,
  outputStrides,
  product,
  type ConvAxis,
  type ConvGeometry,
} from './contraction/geometry.js';
import { linearFactor, linearOutput, type Term } from './contraction/linear.js';
import { lowerContraction } from './contraction/lower.js';
import { chooseVariant, type ContractionShape } from './contraction/variant.js';
import {
  lineWindows,
  phaseAxis,
  pixelOf,
  pointWindows,
  runsAlongLines,
  scatteredPixels,
  tapPixels,
} from './contraction/windows.js';
import { DEPTHWISE_KERNELS } from './depthwise.js';
import { DILATION_KERNELS } from './dilation.js';
import { withFusedSteps } from './fusedSteps.js';
import { device, STORES_ONCE, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import type { Width } from './wgsl/dtype.js';
import { inputBinding, outputBinding, type ShaderBinding } from './wgsl/shader.js';

/** Results in the places of the pixels that `pixel` names `<id>_n`, `<id>_at_<axis>`. */
function imageOutput(
  binding: ShaderBinding,
  g: ConvGeometry,
  [size, channels]: readonly [size: (axis: ConvAxis) => number, channels: number],
  pixel: (id: string, row: string) => string,
): OutputCode {
  const strides = imageStrides(g.axes, g.axes.map(size), channels, g.channelsFirst);
  const own = channels / g.groups;
  const at = (id: string, step: Width): string =>
    sum(
      times(`${id}_n`, strides.image / step),
      ...g.axes.map(({ name }) => times(`${id}_at_${name}`, (strides.along[name] ?? 0) / step)),
      times('group', (own * strides.channel) / step),
    );
  return {
    binding,
    columnStride: strides.channel,
    vector: strides.channel === 1 && own % 4 === 0,
    row: (id, row, step) => `${pixel(id, row)}\nlet ${id}_at = ${at(id, step)};`,
  };
}

/** How far the filter's elements move with `tap_<axis>`, for all axes from the slowest. */
function tapTerms(g: ConvGeometry): Term[] {
  const elements = (g.channels / g.groups) * g.filters;
  return g.axes.map(({ name }, i) => [
    `tap_${name}`,
    product(g.axes.slice(i + 1), (axis) => axis.kernel) * elements,
  ]);
}

/** Lowers a forward convolution. */
export function lowerConvolution(c: KernelContext): Lowered {
  const g = convGeometry(c.attrs, c.input(0).shape, c.input(1).shape, c.output(0).shape);
  const [channels, filters] = [g.channels / g.groups, g.filters / g.groups];
  const lines = runsAlongLines(g);
  const depth = lines ? g.x.kernel * channels : channels;
  const rows = g.batch * product(g.axes, (axis) => axis.output);
  const input = inputBinding(c, 0, 'input');
  const looped = lines ? g.outer : g.axes;
  const loops: Loop[] = looped.map(({ name, kernel }) => ({ variable: `tap_${name}`, count: kernel }));
  const contraction: Contraction = {
    label: c.op,
    dtype: c.output(0).dtype,
    rows,
    columns: filters,
    depth,
    batch: g.groups,
    loops: loops.filter(({ count }) => count !== 1),
    prologue: constants(loops, 'let group = batch;'),
    a: lines ? lineWindows(g, input) : pointWindows(g, input),
    b: linearFactor({
      binding: inputBinding(c, 1, 'weights'),
      free: filters,
      depth,
      freeStride: 1,
      depthStride: g.filters,
      terms: [['group', filters], ...tapTerms(g).slice(0, looped.length)],
    }),
    output: convolved(c, g),
  };
  const turns = product(looped, (axis) => axis.kernel);
  const outermost = contraction.loops[0]?.count;
  const shape = { ...shapeOf(c, g), rows, columns: filters, depth, turns, batch: g.groups };
  // The sum can be cut between the outermost taps, where what is stored is a row-major matrix.
  const splits = (wanted: number): number => Math.min(wanted, Number(outermost ?? 1));
  const cut = g.groups === 1 && !g.channelsFirst ? { ...shape, splits } : shape;
  return lowerChosen(c, cut, (v) => lowerContraction(c, contraction, v));
}

/** The pixels of the output; without groups and with channels last they are rows of a matrix. */
function convolved(c: KernelContext, g: ConvGeometry): OutputCode {
  const binding = outputBinding(c);
  if (!g.channelsFirst && g.groups === 1) {
    return linearOutput({ binding, columns: g.filters, rowStride: g.filters, columnStride: 1 });
  }
  const size = (axis: ConvAxis): number => axis.output;
  return imageOutput(binding, g, [size, g.filters], (id, row) =>
    [
      pixelOf(id, row, g.axes, size),
      ...g.axes.map(({ name }) => `let ${id}_at_${name} = ${id}_u_${name};`),
    ].join('\n'),
  );
}

/** Loops of one turn are no loops: their variables are constants. */
function constants(loops: readonly Loop[], prologue: string): string {
  const single = loops.filter(({ count }) => count === 1).map(({ variable }) => `let ${variable} = 0u;`);
  return [prologue, ...single].join('\n');
}

/** Lowers the gradient of the input. */
export function lowerConvBackpropInput(c: KernelContext): Lowered {
  const g = convGeometry(c.attrs, c.output(0).shape, c.input(1).shape, c.input(2).shape);
  const [channels, filters] = [g.channels / g.groups, g.filters / g.groups];
  const phases = product(g.axes, (axis) => phaseAxis(axis).phases);
  const rows = g.batch * product(g.axes, (axis) => phaseAxis(axis).size);
  const batch = g.groups * phases;
  const contraction: Contraction = {
    label: c.op,
    dtype: c.output(0).dtype,
    rows,
    columns: channels,
    depth: filters,
    batch,
    loops: g.axes.map((axis) => ({
      variable: `turn_${axis.name}`,
      count: `turns_${axis.name}`,
      head: `let tap_${axis.name} = first_${axis.name} + turn_${axis.name} * ${phaseAxis(axis).phases}u;`,
    })),
    prologue: phaseVariables(g, phases),
    a: scatteredPixels(g, inputBinding(c, 2, 'out_backprop')),
    b: linearFactor({
      binding: inputBinding(c, 1, 'weights'),
      free: channels,
      depth: filters,
      freeStride: g.filters,
      depthStride: 1,
      terms: [['group', filters], ...tapTerms(g)],
    }),
    output: inputPixels(c, g),
  };
  const turns = product(g.axes, (axis) => Math.ceil(axis.kernel / phaseAxis(axis).phases));
  const shape = { ...shapeOf(c, g), rows, columns: channels, depth: filters, turns, batch };
  if (filters * product(g.axes, (axis) => axis.kernel * axis.output) === 0) {
    // Nothing reaches the input: all of it is zero, and there are no phases to speak of.
    const pixels = g.batch * product(g.axes, (axis) => axis.input);
    const nothing = { ...contraction, depth: 0, rows: pixels, batch: g.groups };
    return lowerContraction(c, nothing, chooseVariant(shape, c.adapter));
  }
  return lowerChosen(c, shape, (v) => lowerContraction(c, contraction, v));
}

/** `group`, and per axis the phase and what follows from it, of the `batch`. */
function phaseVariables(g: ConvGeometry, phases: number): string {
  const lines = [`let group = batch / ${phases}u;`, `let phase = batch % ${phases}u;`];
  let below = phases;
  for (const axis of g.axes) {
    const own = phaseAxis(axis).phases;
    below /= own;
    lines.push(phasePrologue(axis, `phase / ${below}u % ${own}u`));
  }
  return lines.join('\n');
}

/** `first_*`, `turns_*` and `shift_*`: the taps that pixels of a phase see, and where the first one leads. */
function phasePrologue(axis: ConvAxis, phase: string): string {
  const { name, before, kernel } = axis;
  const { phases } = phaseAxis(axis);
  if (phases === 1) {
    return `let first_${name} = 0u;\nlet turns_${name} = ${kernel}u;\nlet shift_${name} = ${before}u;`;
  }
  return [
    `let phase_${name} = ${phase};`,
    `let first_${name} = (phase_${name} + ${before}u) % ${phases}u;`,
    `let turns_${name} = (${kernel + phases - 1}u - first_${name}) / ${phases}u;`,
    `let shift_${name} = (phase_${name} + ${before}u) / ${phases}u;`,
  ].join('\n');
}

/** The input pixels of a phase; the last ones of a phase may lie outside the image. */
function inputPixels(c: KernelContext, g: ConvGeometry): OutputCode {
  const coordinate = (id: string, axis: ConvAxis): string => {
    const { phases } = phaseAxis(axis);
    const own = `${id}_u_${axis.name}`;
    const at = phases === 1 ? own : `${own} * ${phases}u + phase_${axis.name}`;
    return `let ${id}_at_${axis.name} = ${at};`;
  };
  const size = (axis: ConvAxis): number => axis.input;
  const output = imageOutput(outputBinding(c), g, [size, g.channels], (id, row) =>
    [
      pixelOf(id, row, g.axes, (axis) => phaseAxis(axis).size),
      ...g.axes.map((axis) => coordinate(id, axis)),
    ].join('\n'),
  );
  const ragged = g.axes.filter((axis) => axis.input % phaseAxis(axis).phases !== 0);
  if (ragged.length === 0) return output;
  const valid = (id: string): string =>
    ragged.map(({ name, input }) => `${id}_at_${name} < ${input}u`).join(' && ');
  return { ...output, valid };
}

/** Lowers the gradient of the filter. */
export function lowerConvBackpropFilter(c: KernelContext): Lowered {
  const g = convGeometry(c.attrs, c.input(0).shape, c.output(0).shape, c.input(2).shape);
  const [channels, filters] = [g.channels / g.groups, g.filters / g.groups];
  const strides = outputStrides(g);
  const rows = product(g.axes, (axis) => axis.kernel) * channels;
  const lines = g.batch * product(g.outer, (axis) => axis.output);
  const depth = g.x.output;
  const contraction: Contraction = {
    label: c.op,
    dtype: c.output(0).dtype,
    rows,
    columns: filters,
    depth,
    batch: g.groups,
    loops: [{ variable: 'line', count: lines, head: lineVariables(g) }],
    prologue: 'let group = batch;',
    a: tapPixels(g, inputBinding(c, 0, 'input')),
    b: linearFactor({
      binding: inputBinding(c, 2, 'out_backprop'),
      free: filters,
      depth,
      freeStride: strides.channel,
      depthStride: strides.along.x ?? 0,
      terms: [
        ['group', filters * strides.channel],
        ['line_n', strides.image],
        ...g.outer.map(({ name }) => [`line_${name}`, strides.along[name] ?? 0] as const),
      ],
    }),
    output: linearOutput({
      binding: outputBinding(c),
      columns: filters,
      rowStride: g.filters,
      columnStride: 1,
      terms: [['group', filters]],
    }),
  };
  const splits = (wanted: number): number => Math.min(wanted, lines);
  const shape = { ...shapeOf(c, g), rows, columns: filters, depth, turns: lines, batch: g.groups };
  return lowerChosen(c, g.groups === 1 ? { ...shape, splits } : shape, (v) =>
    lowerContraction(c, contraction, v),
  );
}

/** `line_n` and `line_<axis>` of line number `line` of the output. */
function lineVariables(g: ConvGeometry): string {
  const parts: string[] = [];
  let rest = 'line';
  [...g.outer].reverse().forEach(({ name, output }, i) => {
    const size = Math.max(output, 1);
    const next = i === g.outer.length - 1 ? 'line_n' : 'lines_left';
    parts.push(`let line_${name} = ${rest} % ${size}u;`, `let ${next} = ${rest} / ${size}u;`);
    rest = next;
  });
  return parts.join('\n');
}

/** What the choice of a variant depends on besides the sizes: how rows and columns lie in the image. */
function shapeOf(c: KernelContext, g: ConvGeometry): Pick<ContractionShape, 'kind' | 'detail'> {
  const axes = g.axes.map(({ input, kernel, stride, dilation, before }) => {
    const step = `${stride === 1 ? '' : `/${stride}`}${dilation === 1 ? '' : `d${dilation}`}`;
    return `${input}k${kernel}${step}p${before}`;
  });
  return { kind: c.op, detail: `${axes.join(',')}${g.channelsFirst ? ' first' : ''}` };
}

const forward = device(lowerConvolution, { ...STORES_ONCE, work: 'contraction' });
const toInput = device(lowerConvBackpropInput, { work: 'contraction' });
const toFilter = device(lowerConvBackpropFilter, { ...STORES_ONCE, work: 'contraction' });

export const CONV_KERNELS = {
  ...DEPTHWISE_KERNELS,
  ...DILATION_KERNELS,
  _FusedConv2D: withFusedSteps('Conv2D', lowerConvolution),
  Conv2D: forward,
  Conv2DBackpropInput: toInput,
  Conv2DBackpropFilter: toFilter,
  Conv3D: forward,
  Conv3DBackpropInputV2: toInput,
  Conv3DBackpropFilterV2: toFilter,
} satisfies Partial<Record<OpName, Kernel>>;
