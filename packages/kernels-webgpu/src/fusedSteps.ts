/**
 * Kernels of products with the attribute `fused_ops`: the product's own kernel, whose results go through the steps
 * (bias, normalization, a sum, an activation) where they are stored, as the compiler fuses elementwise ops.
 */
import { fusedSteps, lookupOp, type FusedStep, type OpName } from '@forerun/graph';
import type { ElementRef, ElementwiseProgram, ElementwiseStep } from './elementwiseProgram.js';
import { lowerElementwise } from './elementwise.js';
import { fuseStores, programEffect } from './fusion/stores.js';
import {
  device,
  type BindingSource,
  type DeviceKernel,
  type ElementwiseKernel,
  type Kernel,
  type KernelContext,
  type Lowered,
  type Operand,
  type ShaderSpec,
} from './kernel.js';
import { UNARY_KERNELS } from './unary.js';
import { literal } from './wgsl/dtype.js';
import { bytesOf } from './wgsl/indexing.js';
import { rebound, shader } from './wgsl/shader.js';

/** Inputs before `args`: the factors of the product. */
const FACTORS = 2;

/** The kernel of `product`, which `lower` makes, with the steps in `fused_ops` behind it. */
export function withFusedSteps(product: OpName, lower: DeviceKernel['lower']): Kernel {
  return device((c) => {
    const steps = fusedSteps(c.attrs);
    if ('unknown' in steps) return c.unsupported(`the fused op "${steps.unknown}" is not known`);
    const lowered = lower({ ...c, op: product, inputs: c.inputs.slice(0, FACTORS) });
    if (steps.length === 0 || lowered.dispatches.length === 0) return lowered;
    const program = stepsProgram(c, steps);
    return atStores(c, lowered, program) ?? behind(c, lowered, program);
  });
}

/** The op's source for one of the program, whose input 0 is the result of the product. */
function sourceOf(source: BindingSource): BindingSource {
  return source.kind === 'input' ? { kind: 'input', index: source.index + FACTORS - 1 } : source;
}

/** The steps at the stores of the product; `null` where that takes more bindings than the adapter has. */
function atStores(c: KernelContext, lowered: Lowered, program: ElementwiseProgram): Lowered | null {
  const effect = programEffect(program, [0]);
  const fuse = ({ spec }: { readonly spec: ShaderSpec }): ShaderSpec | null =>
    fuseStores(spec, {
      target: { kind: 'output', index: 0 },
      keep: false,
      label: program.label,
      effect: (width, prefix) => {
        const { bindings, statements } = effect(width, prefix);
        return { bindings: bindings.map((one) => ({ ...one, source: sourceOf(one.source) })), statements };
      },
    });
  const dispatches = lowered.dispatches.flatMap((dispatch) => {
    const spec = fuse(dispatch);
    return spec === null || spec.bindings.length > c.adapter.maxBindings ? [] : [shader(spec, c.adapter)];
  });
  return dispatches.length < lowered.dispatches.length ? null : { ...lowered, dispatches };
}

/** The steps in dispatches of their own, over the results in a scratch buffer. */
function behind(c: KernelContext, lowered: Lowered, program: ElementwiseProgram): Lowered {
  const after = lowerElementwise(program, c.adapter);
  const scratch = [...(lowered.scratch ?? []), bytesOf(program.shape)];
  const result: BindingSource = { kind: 'scratch', index: scratch.length - 1 };
  const moved = (source: BindingSource): BindingSource => {
    if (source.kind === 'input' && source.index === 0) return result;
    return source.kind === 'scratch'
      ? { kind: 'scratch', index: source.index + scratch.length }
      : sourceOf(source);
  };
  return {
    dispatches: [
      ...lowered.dispatches.map((dispatch) =>
        rebound(dispatch, (source) => (source.kind === 'output' ? result : source)),
      ),
      ...after.dispatches.map((dispatch) => rebound(dispatch, moved)),
    ],
    scratch: [...scratch, ...(after.scratch ?? [])],
  };
}

/** The steps as a program: input 0 is the result of the product, then come the op's `args`. */
function stepsProgram(c: KernelContext, steps: readonly FusedStep[]): ElementwiseProgram {
  const { dtype, shape } = c.output(0);
  const vectors = new Set(steps.flatMap(vectorOperands));
  const args = c.inputs.slice(FACTORS).map((arg, i) => (vectors.has(i) ? perChannel(c, arg) : arg));
  return {
    label: steps.map(({ type }) => type).join('+'),
    shape,
    inputs: [{ dtype, shape }, ...args],
    steps: steps.map((step, s): ElementwiseStep => {
      const x: ElementRef = s === 0 ? { kind: 'input', index: 0 } : { kind: 'step', index: s - 1 };
      const { expression, names } = expressionOf(c, step);
      const taken = names.map((name, i): [string, ElementRef] => [
        name,
        { kind: 'input', index: 1 + step.firstArg + i },
      ]);
      return { expression, operands: Object.fromEntries([['x', x], ...taken]), dtype };
    }),
    outputs: [steps.length - 1],
  };
}

/** Operands with a value for each channel, wherever the channels are. */
function vectorOperands({ kind, firstArg, args }: FusedStep): number[] {
  if (kind !== 'BiasAdd' && kind !== 'FusedBatchNorm') return [];
  return Array.from({ length: args }, (_, i) => firstArg + i);
}

function perChannel({ attrs }: KernelContext, { dtype, shape }: Operand): Operand {
  const channelsFirst = attrs.has('data_format') && attrs.string('data_format') === 'NCHW';
  return { dtype, shape: channelsFirst ? [...shape, 1, 1] : shape };
}

/** A step as scalar WGSL over `x` and the names of its operands. */
function expressionOf(
  c: KernelContext,
  step: FusedStep,
): { readonly expression: string; readonly names: readonly string[] } {
  switch (step.kind) {
    case 'BiasAdd':
    case 'Add':
      return { expression: 'x + y', names: ['y'] };
    case 'FusedBatchNorm': {
      const epsilon = literal(c.attrs.float('epsilon'), 'float32');
      return {
        expression: `(x - mean) * (scale / safe_sqrt(variance + ${epsilon})) + offset`,
        names: ['scale', 'offset', 'mean', 'variance'],
      };
    }
    case 'Prelu':
      return { expression: 'select(x, x * alpha, x < f32(0.0))', names: ['alpha'] };
    case 'GeluApproximate':
      return {
        expression:
          'x * f32(0.5) * (f32(1.0) + safe_tanh(f32(0.7978845608) * (x + f32(0.044715) * x * x * x)))',
        names: [],
      };
    case 'GeluExact':
      return { expression: 'x * f32(0.5) * (f32(1.0) + erf(x * f32(0.7071067812)))', names: [] };
    case 'Swish':
      return { expression: 'x * sigmoid(x)', names: [] };
    case 'Activation':
      return { expression: activation(c, step.type), names: [] };
  }
}

/** The expression of an activation's own kernel, over `x`. */
function activation(c: KernelContext, type: string): string {
  if (type === 'LeakyRelu') {
    return `select(x, x * ${literal(c.attrs.float('leakyrelu_alpha'), 'float32')}, x < f32(0.0))`;
  }
  const kernels: Partial<Record<OpName, { readonly kind: string }>> = UNARY_KERNELS;
  const kernel = kernels[type as OpName];
  if (kernel?.kind !== 'elementwise') return c.unsupported(`there is no kernel for the fused op "${type}"`);
  const { expression } = kernel as ElementwiseKernel;
  const text = typeof expression === 'string' ? expression : expression(c);
  const operand = lookupOp(type)?.inputs[0]?.name ?? 'x';
  return text.replace(new RegExp(`(?<![.\\w])${operand}\\b`, 'g'), 'x');
}
