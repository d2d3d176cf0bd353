/**
 * The epilogue of a product with the attribute `fused_ops`: bias, normalization, a sum, an activation,
 * applied to each result before it is stored. Written as a WGSL function for one result and for four.
 */
import { fusedSteps, lookupOp, type FusedStep, type OpName } from '@forerun/graph';
import type { Epilogue } from './contraction/contraction.js';
import type { ElementwiseKernel, KernelContext } from './kernel.js';
import { UNARY_KERNELS } from './unary.js';
import { literal, vectorType, type Width } from './wgsl/dtype.js';
import { broadcastIndex, unflatten } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, type ShaderBinding } from './wgsl/shader.js';

/** Inputs before `args`: the factors of the product. */
const FACTORS = 2;

/** How the results lie in memory. */
export interface ResultLayout {
  /** Size of the axis of the biases. */
  readonly channels: number;
  /** Distance of neighbouring channels in elements. */
  readonly channelStride: number;
  /** Columns of the product are channels; otherwise (groups, channels first) a result's place tells its channel. */
  readonly columnsAreChannels: boolean;
}

/** An operand of a step. */
interface Operand {
  readonly binding: ShaderBinding;
  /** One value for all, one per channel, or any shape that broadcasts to the output's. */
  readonly kind: 'scalar' | 'channel' | 'element';
  readonly position: number;
}

/** The epilogue of the op in `c`, or `undefined` when its steps do nothing. */
export function fusedEpilogue(c: KernelContext, layout: ResultLayout): Epilogue | undefined {
  const steps = fusedSteps(c.attrs);
  if ('unknown' in steps) return c.unsupported(`the fused op "${steps.unknown}" is not known`);
  if (steps.length === 0) return undefined;
  const vectors = new Set(steps.flatMap(vectorOperands));
  const operands = c.inputs
    .slice(FACTORS)
    .map((_, position) => operandOf(c, position, layout, vectors.has(position)));
  const declarations = [
    ...operands.flatMap((operand) => (operand.kind === 'element' ? [elementAccess(c, operand)] : [])),
    finish(c, steps, operands, layout, 1),
    finish(c, steps, operands, layout, 4),
  ];
  return {
    bindings: operands.map(({ binding }) => binding),
    declarations: declarations.join('\n'),
    expression: (value, column, width, at) => call(value, column, width, at, layout),
  };
}

/** Operands with a value for each channel, wherever the channels are. */
function vectorOperands({ kind, firstArg, args }: FusedStep): number[] {
  if (kind !== 'BiasAdd' && kind !== 'FusedBatchNorm') return [];
  return Array.from({ length: args }, (_, i) => firstArg + i);
}

function operandOf(
  c: KernelContext,
  position: number,
  { channels, columnsAreChannels }: ResultLayout,
  isVector: boolean,
): Operand {
  const i = FACTORS + position;
  const { shape } = c.input(i);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const alongChannels = isVector || shape.at(channelsLast(c) ? -1 : -3) === size;
  const kind = size === 1 ? 'scalar' : size === channels && alongChannels ? 'channel' : 'element';
  const width: Width = kind === 'channel' && columnsAreChannels && channels % 4 === 0 ? 4 : 1;
  return { binding: inputBinding(c, i, `arg_${position}`, width), kind, position };
}

function channelsLast({ attrs }: KernelContext): boolean {
  return !attrs.has('data_format') || attrs.string('data_format') === 'NHWC';
}

/** A function that reads an operand at the place of output element `at`. */
function elementAccess(c: KernelContext, { binding: { name }, position }: Operand): string {
  const { shape } = c.output(0);
  const { code, names } = unflatten('at', shape);
  const index = broadcastIndex(names, c.input(FACTORS + position).shape, shape);
  return `fn ${name}_at(at: u32) -> f32 {\n${code}\nreturn ${name}[${index}];\n}`;
}

/** `width` values of an operand at `channel` (of the first) and `at` (its element of the output). */
function load({ binding, kind }: Operand, width: Width, { channelStride }: ResultLayout): string {
  const { name } = binding;
  const lanes = (text: (lane: number) => string): string =>
    width === 1 ? text(0) : `vec4<f32>(${[0, 1, 2, 3].map(text).join(', ')})`;
  if (kind === 'scalar') return lanes(() => `${name}[0]`);
  if (kind === 'element') return lanes((lane) => `${name}_at(at + ${lane * channelStride}u)`);
  if (binding.width !== 4) return lanes((lane) => `${name}[channel + ${lane}u]`);
  return width === 4 ? `${name}[channel >> 2u]` : `${name}[channel >> 2u][channel & 3u]`;
}

/** The function that takes `width` results through all steps. */
function finish(
  c: KernelContext,
  steps: readonly FusedStep[],
  operands: readonly Operand[],
  layout: ResultLayout,
  width: Width,
): string {
  const type = vectorType('f32', width);
  const lines = steps.map((step, s) => {
    const taken = operands.slice(step.firstArg, step.firstArg + step.args);
    const loads = taken.map((operand, i) => `let s${s}_${i} = ${load(operand, width, layout)};`);
    const text = stepExpression(c, step, s === 0 ? 'value' : `s${s - 1}`, `s${s}_`);
    return [...loads, `let s${s} = ${widen(text, width)};`].join('\n');
  });
  return `fn finish_${width}(value: ${type}, channel: u32, at: u32) -> ${type} {
${lines.join('\n')}
return s${steps.length - 1};
}`;
}

/** One step as scalar WGSL over `x` and its operands `<arg>0`, `<arg>1` … */
function stepExpression(c: KernelContext, step: FusedStep, x: string, arg: string): string {
  switch (step.kind) {
    case 'BiasAdd':
    case 'Add':
      return `(${x} + ${arg}0)`;
    case 'FusedBatchNorm': {
      const epsilon = literal(c.attrs.float('epsilon'), 'float32');
      return `((${x} - ${arg}2) * (${arg}0 / safe_sqrt(${arg}3 + ${epsilon})) + ${arg}1)`;
    }
    case 'Prelu':
      return `select(${x}, ${x} * ${arg}0, ${x} < f32(0.0))`;
    case 'GeluApproximate':
      return `(${x} * f32(0.5) * (f32(1.0) + safe_tanh(f32(0.7978845608) * (${x} + f32(0.044715) * ${x} * ${x} * ${x}))))`;
    case 'GeluExact':
      return `(${x} * f32(0.5) * (f32(1.0) + erf(${x} * f32(0.7071067812))))`;
    case 'Swish':
      return `(${x} * sigmoid(${x}))`;
    case 'Activation':
      return activation(c, step.type, x);
  }
}

/** The expression of an activation's own kernel, over `x`. */
function activation(c: KernelContext, type: string, x: string): string {
  if (type === 'LeakyRelu') {
    const alpha = literal(c.attrs.float('leakyrelu_alpha'), 'float32');
    return `select(${x}, ${x} * ${alpha}, ${x} < f32(0.0))`;
  }
  const kernels: Partial<Record<OpName, { readonly kind: string }>> = UNARY_KERNELS;
  const kernel = kernels[type as OpName];
  if (kernel?.kind !== 'elementwise') return c.unsupported(`there is no kernel for the fused op "${type}"`);
  const { expression } = kernel as ElementwiseKernel;
  const text = typeof expression === 'string' ? expression : expression(c);
  const operand = lookupOp(type)?.inputs[0]?.name ?? 'x';
  return text.replace(new RegExp(`(?<![.\\w])${operand}\\b`, 'g'), x);
}

/** Takes `width` results, the first of which is `column` and lies at `at`, through the steps. */
function call(value: string, column: string, width: number, at: string, layout: ResultLayout): string {
  const { channels, channelStride, columnsAreChannels } = layout;
  const channel = columnsAreChannels ? column : `${at} / ${channelStride}u % ${channels}u`;
  if (width === 4) return `finish_4(${value}, ${channel}, ${at})`;
  if (width === 1) return `finish_1(${value}, ${channel}, ${at})`;
  const second = `finish_1(${value}.y, ${channel} + 1u, ${at} + ${channelStride}u)`;
  return `vec2<f32>(finish_1(${value}.x, ${channel}, ${at}), ${second})`;
}
