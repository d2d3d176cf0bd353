/**
 * Kernels of convolutions and their gradients, as contractions without intermediate copies
 * ("implicit GEMM"). Groups, and the phases of a strided input gradient, are batches.
 */
import type { OpName } from '@forerun/graph';
import type { Contraction, Epilogue, Loop, OutputCode, Variant } from './contraction/contraction.js';
import { convGeometry, imageStrides, outputStrides, type ConvGeometry } from './contraction/geometry.js';
import { linearFactor, linearOutput } from './contraction/linear.js';
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
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import type { Width } from './wgsl/dtype.js';
import { inputBinding, outputBinding, type ShaderBinding } from './wgsl/shader.js';

/** Chooses how a contraction of a given shape is carried out; tests and tuning pass their own. */
export type VariantChoice = (shape: ContractionShape) => Variant;

/** Results in the places of the pixels that `pixel` names `<id>_n`, `<id>_row`, `<id>_col`. */
function imageOutput(
  binding: ShaderBinding,
  [height, width, channels]: readonly [number, number, number],
  g: ConvGeometry,
  pixel: (id: string, row: string) => string,
): OutputCode {
  const strides = imageStrides(height, width, channels, g.channelsFirst);
  const own = channels / g.groups;
  const at = (id: string, step: Width): string =>
    `${id}_n * ${strides.image / step}u + ${id}_row * ${strides.y / step}u + ` +
    `${id}_col * ${strides.x / step}u + group * ${(own * strides.channel) / step}u`;
  return {
    binding,
    columnStride: strides.channel,
    vector: strides.channel === 1 && own % 4 === 0,
    row: (id, row, step) => `${pixel(id, row)}\nlet ${id}_at = ${at(id, step)};`,
  };
}

/** Lowers a forward convolution. */
export function lowerConv2D(c: KernelContext, choose: VariantChoice, epilogue?: Epilogue): Lowered {
  const g = convGeometry(c.attrs, c.input(0).shape, c.input(1).shape, c.output(0).shape);
  const { x, y } = g;
  const [channels, filters] = [g.channels / g.groups, g.filters / g.groups];
  const lines = runsAlongLines(g);
  const depth = lines ? x.kernel * channels : channels;
  const rows = g.batch * y.output * x.output;
  const input = inputBinding(c, 0, 'input');
  const loops: Loop[] = [{ variable: 'tap_y', count: y.kernel }];
  if (!lines) loops.push({ variable: 'tap_x', count: x.kernel });
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
      terms: [
        ['group', filters],
        ['tap_y', x.kernel * channels * g.filters],
        ...(lines ? [] : [['tap_x', channels * g.filters] as const]),
      ],
    }),
    output: rowMajor(g) ?? imageOutput(outputBinding(c), [y.output, x.output, g.filters], g, outputPixel(g)),
    ...(epilogue === undefined ? {} : { epilogue }),
  };
  const shape = { rows, columns: filters, depth, turns: turns(loops), batch: g.groups };
  return lowerContraction(c, contraction, choose(shape));

  /** Without groups NHWC pixels are rows of a matrix. */
  function rowMajor({ channelsFirst, groups }: ConvGeometry): OutputCode | null {
    if (channelsFirst || groups > 1) return null;
    return linearOutput({ binding: outputBinding(c), columns: filters, rowStride: filters, columnStride: 1 });
  }
}

function outputPixel(g: ConvGeometry): (id: string, row: string) => string {
  return (id, row) =>
    `${pixelOf(id, row, g.y.output, g.x.output)}\nlet ${id}_row = ${id}_v;\nlet ${id}_col = ${id}_u;`;
}

/** Loops of one turn are no loops: their variables are constants. */
function constants(loops: readonly Loop[], prologue: string): string {
  const single = loops.filter(({ count }) => count === 1).map(({ variable }) => `let ${variable} = 0u;`);
  return [prologue, ...single].join('\n');
}

function turns(loops: readonly Loop[]): number {
  return loops.reduce((product, { count }) => product * (typeof count === 'number' ? count : 1), 1);
}

/** Lowers the gradient of the input. */
export function lowerConv2DBackpropInput(c: KernelContext, choose: VariantChoice): Lowered {
  const g = convGeometry(c.attrs, c.output(0).shape, c.input(1).shape, c.input(2).shape);
  const { x, y } = g;
  const [channels, filters] = [g.channels / g.groups, g.filters / g.groups];
  const [py, px] = [phaseAxis(y), phaseAxis(x)];
  const phases = py.phases * px.phases;
  const rows = g.batch * py.size * px.size;
  const batch = g.groups * phases;
  const [turnsY, turnsX] = [Math.ceil(y.kernel / py.phases), Math.ceil(x.kernel / px.phases)];
  const contraction: Contraction = {
    label: c.op,
    dtype: c.output(0).dtype,
    rows,
    columns: channels,
    depth: filters,
    batch,
    loops: [
      { variable: 'turn_y', count: 'turns_y', head: `let tap_y = first_y + turn_y * ${py.phases}u;` },
      { variable: 'turn_x', count: 'turns_x', head: `let tap_x = first_x + turn_x * ${px.phases}u;` },
    ],
    prologue: [
      `let group = batch / ${phases}u;`,
      `let phase = batch % ${phases}u;`,
      phasePrologue('y', `phase / ${px.phases}u`, g),
      phasePrologue('x', `phase % ${px.phases}u`, g),
    ].join('\n'),
    a: scatteredPixels(g, inputBinding(c, 2, 'out_backprop')),
    b: linearFactor({
      binding: inputBinding(c, 1, 'weights'),
      free: channels,
      depth: filters,
      freeStride: g.filters,
      depthStride: 1,
      terms: [
        ['group', filters],
        ['tap_y', x.kernel * channels * g.filters],
        ['tap_x', channels * g.filters],
      ],
    }),
    output: inputPixels(c, g),
  };
  const shape = { rows, columns: channels, depth: filters, turns: turnsY * turnsX, batch };
  if (filters * y.kernel * x.kernel * y.output * x.output === 0) {
    // Nothing reaches the input: all of it is zero, and there are no phases to speak of.
    const pixels = g.batch * y.input * x.input;
    return lowerContraction(c, { ...contraction, depth: 0, rows: pixels, batch: g.groups }, choose(shape));
  }
  return lowerContraction(c, contraction, choose(shape));
}

/** `first_*`, `turns_*` and `shift_*`: the taps that pixels of a phase see, and where the first one leads. */
function phasePrologue(axis: 'y' | 'x', phase: string, g: ConvGeometry): string {
  const a = g[axis];
  const { phases } = phaseAxis(a);
  if (phases === 1) {
    return `let first_${axis} = 0u;\nlet turns_${axis} = ${a.kernel}u;\nlet shift_${axis} = ${a.before}u;`;
  }
  return [
    `let phase_${axis} = ${phase};`,
    `let first_${axis} = (phase_${axis} + ${a.before}u) % ${phases}u;`,
    `let turns_${axis} = (${a.kernel + phases - 1}u - first_${axis}) / ${phases}u;`,
    `let shift_${axis} = (phase_${axis} + ${a.before}u) / ${phases}u;`,
  ].join('\n');
}

/** The input pixels of a phase; the last ones of a phase may lie outside the image. */
function inputPixels(c: KernelContext, g: ConvGeometry): OutputCode {
  const [py, px] = [phaseAxis(g.y), phaseAxis(g.x)];
  const coordinate = (name: string, phases: number, axis: string): string =>
    phases === 1 ? name : `${name} * ${phases}u + phase_${axis}`;
  const output = imageOutput(outputBinding(c), [g.y.input, g.x.input, g.channels], g, (id, row) =>
    [
      pixelOf(id, row, py.size, px.size),
      `let ${id}_row = ${coordinate(`${id}_v`, py.phases, 'y')};`,
      `let ${id}_col = ${coordinate(`${id}_u`, px.phases, 'x')};`,
    ].join('\n'),
  );
  if (g.y.input % py.phases === 0 && g.x.input % px.phases === 0) return output;
  return { ...output, valid: (id) => `${id}_row < ${g.y.input}u && ${id}_col < ${g.x.input}u` };
}

/** Lowers the gradient of the filter. */
export function lowerConv2DBackpropFilter(c: KernelContext, choose: VariantChoice): Lowered {
  const g = convGeometry(c.attrs, c.input(0).shape, c.output(0).shape, c.input(2).shape);
  const { x, y } = g;
  const [channels, filters] = [g.channels / g.groups, g.filters / g.groups];
  const strides = outputStrides(g);
  const rows = y.kernel * x.kernel * channels;
  const lines = g.batch * y.output;
  const contraction: Contraction = {
    label: c.op,
    dtype: c.output(0).dtype,
    rows,
    columns: filters,
    depth: x.output,
    batch: g.groups,
    loops: [
      {
        variable: 'line',
        count: lines,
        head: `let line_n = line / ${Math.max(y.output, 1)}u;\nlet line_y = line % ${Math.max(y.output, 1)}u;`,
      },
    ],
    prologue: 'let group = batch;',
    a: tapPixels(g, inputBinding(c, 0, 'input')),
    b: linearFactor({
      binding: inputBinding(c, 2, 'out_backprop'),
      free: filters,
      depth: x.output,
      freeStride: strides.channel,
      depthStride: strides.x,
      terms: [
        ['group', filters * strides.channel],
        ['line_n', strides.image],
        ['line_y', strides.y],
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
  const shape = { rows, columns: filters, depth: x.output, turns: lines, batch: g.groups };
  return lowerContraction(c, contraction, choose(g.groups === 1 ? { ...shape, splits } : shape));
}

function lowerWith(lower: (c: KernelContext, choose: VariantChoice) => Lowered): Kernel {
  return device((c) => lower(c, (shape) => chooseVariant(shape, c.adapter)));
}

export const CONV_KERNELS = {
  Conv2D: lowerWith((c, choose) => lowerConv2D(c, choose)),
  Conv2DBackpropInput: lowerWith(lowerConv2DBackpropInput),
  Conv2DBackpropFilter: lowerWith(lowerConv2DBackpropFilter),
} satisfies Partial<Record<OpName, Kernel>>;
