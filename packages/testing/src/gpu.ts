/**
 * Runs single ops on the device without the session: lowers one kernel, dispatches it, reads the
 * outputs back. Every error of the device fails the test, with the shader's text.
 */
import type { TensorValue } from '@forerun/graph';
import {
  InternalError,
  TensorShape,
  UnimplementedError,
  failRule,
  sizeOf,
  type AttrInputs,
  type Attrs,
  type HostValue,
  type InferContext,
  type OpName,
  type Operation,
} from '@forerun/graph';
import {
  KERNELS,
  computedOperand,
  elementBytes,
  elementwiseOfOp,
  lowerElementwise,
  adapted,
  type AdapterFacts,
  type BindingSource,
  type Kernel,
  type KernelContext,
  type Lowered,
  type Operand,
} from '@forerun/kernels-webgpu';
import { fuseIdentities } from './fuseIdentity.js';
import { testDevice, throwErrors, type TestDevice } from './device.js';
import { BufferPool, fromWords, toWords, unwritten } from './gpuBuffers.js';
import { encode, executable } from './gpuDispatch.js';
import { interpretWith, runReference, type Step } from './interpret.js';
import { argDTypes, definitionOf, hostValue, makeNode, partsOf } from './nodes.js';

export interface GpuOptions {
  /** Pretends that the adapter is another one, for the forms of a kernel that this one would not choose. */
  readonly adapterOverrides?: Partial<AdapterFacts>;
  /** `false`: kernels see only the input values that they cannot do without. Default `true`. */
  readonly hostInputs?: boolean;
  /** Fuses the kernel with programs that change nothing. */
  readonly fused?: boolean;
  /** All sizes in `main` of the kernel's shaders are parameters in a uniform buffer. */
  readonly parameters?: boolean;
  /** The session's random step (low and high word). Default 0. */
  readonly randomStep?: readonly [number, number];
  /** In place of the node's attributes: those of a random op in a function. */
  readonly attrs?: Attrs;
}

/**
 * Runs one op on the device: outputs, followed by the values after the run of all resource inputs
 * (whose entries in `inputs` are the variables' values). Throws for ops without a device kernel.
 */
export async function runOpOnGpu(
  type: string,
  inputs: readonly (HostValue | TensorValue)[],
  attrs: AttrInputs = {},
  options: GpuOptions = {},
): Promise<HostValue[]> {
  const values = inputs.map(hostValue);
  return runNodeOnGpu(makeNode(type, values, attrs), values, options);
}

/** As `runOpOnGpu`, for a node of a graph with the values of its inputs. */
export async function runNodeOnGpu(
  op: Operation,
  inputs: readonly HostValue[],
  options: GpuOptions = {},
): Promise<HostValue[]> {
  const test = await testDevice();
  const operands = { inputs, outputs: staticOutputs(op, inputs) };
  const context = kernelContext(op, operands, { ...test.facts, ...options.adapterOverrides }, options);
  const [input] = inputs;
  if (kernelOf(op).kind === 'view' && input !== undefined) {
    return operands.outputs.map(({ dtype, shape }) => ({ dtype, shape, data: input.data }));
  }
  if (kernelOf(op).kind === 'composed') return runParts(op, inputs, options);
  const stored = inMemory(op.type, operands);
  const lowered = lowerKernel(kernelOf(op), context, stored, options);
  return runLowered(test, stored, lowered, inputs, refsOf(op, inputs), options);
}

/** Runs the ops that an op is made of, one after the other. */
async function runParts(
  op: Operation,
  inputs: readonly HostValue[],
  options: GpuOptions,
): Promise<HostValue[]> {
  const { outputs, feeds } = partsOf(op, inputs);
  return interpretWith(gpuBackend(options), outputs, feeds);
}

/** A backend for `interpretWith`: kernels on the device; ops that the session carries out by reference. */
export function gpuBackend(options: GpuOptions = {}): (step: Step) => Promise<readonly HostValue[]> {
  return async ({ op, inputs, attrs }) =>
    kernelOf(op).kind === 'host'
      ? runReference(op, inputs, attrs)
      : runNodeOnGpu(op, inputs, { ...options, attrs });
}

/** The shaders that an op becomes on an adapter, without running them. `null` for views and for ops made of others. */
export async function lowerOp(
  type: string,
  inputs: readonly HostValue[],
  attrs: AttrInputs = {},
  options: GpuOptions = {},
): Promise<Lowered | null> {
  const { facts } = await testDevice();
  const op = makeNode(type, inputs, attrs);
  const kernel = kernelOf(op);
  if (kernel.kind === 'view' || kernel.kind === 'composed') return null;
  const operands = { inputs, outputs: staticOutputs(op, inputs) };
  const context = kernelContext(op, operands, { ...facts, ...options.adapterOverrides }, options);
  return lowerKernel(kernel, context, inMemory(op.type, operands), options);
}

function kernelOf(op: Operation): Kernel {
  const kernels: Readonly<Partial<Record<string, Kernel>>> = KERNELS;
  const kernel = kernels[op.type as OpName];
  if (kernel === undefined) throw new InternalError(`${op.describe()}: there is no kernel`);
  return kernel;
}

function lowerKernel(
  kernel: Kernel,
  context: KernelContext,
  stored: StoredOperands,
  { fused = false }: GpuOptions,
): Lowered {
  const whole = lowerWhole(kernel, context);
  return adapted(fused ? fuseIdentities(whole, context) : whole, stored, context.adapter);
}

interface Operands {
  readonly inputs: readonly HostValue[];
  readonly outputs: readonly Operand[];
}

/** Operands with their dtypes in memory, where kernels see those that they compute in. */
type StoredOperands = Pick<KernelContext, 'op' | 'outputs' | 'input' | 'output'>;

function inMemory(op: string, { inputs, outputs }: Operands): StoredOperands {
  return {
    op,
    outputs,
    input: (i) => operandAt(inputs, i, op),
    output: (i) => operandAt(outputs, i, op),
  };
}

function operandAt<T>(items: readonly T[], i: number, what: string): T {
  const item = items[i];
  if (item === undefined) throw new InternalError(`${what}: there is no operand ${i}`);
  return item;
}

function lowerWhole(kernel: Kernel, context: KernelContext): Lowered {
  if (kernel.kind === 'device') return kernel.lower(context);
  if (kernel.kind === 'elementwise')
    return lowerElementwise(elementwiseOfOp(kernel, context), context.adapter);
  throw new UnimplementedError(
    `${context.op} "${context.name}" has no device kernel: it is of kind ${kernel.kind}`,
  );
}

/** Positions of the resource inputs. */
function refsOf(op: Operation, inputs: readonly HostValue[]): number[] {
  const dtypes = argDTypes(definitionOf(op.type), inputs.length);
  return dtypes.flatMap((dtype, i) => (dtype === 'resource' ? [i] : []));
}

/** Static output shapes: inference again, with all shapes and values known. */
function staticOutputs(op: Operation, inputs: readonly HostValue[]): Operand[] {
  const refs = refsOf(op, inputs);
  const shapes = inputs.map((value, i) =>
    refs.includes(i) ? TensorShape.SCALAR : new TensorShape(value.shape),
  );
  const at = <T>(items: readonly T[], i: number): T => {
    const item = items[i];
    if (item === undefined) throw new InternalError(`${op.describe()}: input ${i} was asked for`);
    return item;
  };
  const context: InferContext = {
    attrs: op.attrs,
    shapes,
    dtypes: op.inputs.map((input) => input.dtype),
    compiling: true,
    shape: (i) => at(shapes, i),
    constant: (i) => (refs.includes(i) ? null : (inputs[i] ?? null)),
    handle: (i) => {
      const value = inputs[i];
      return value === undefined || !refs.includes(i)
        ? null
        : { dtype: value.dtype, shape: new TensorShape(value.shape) };
    },
    fail: failRule,
  };
  const inferred = definitionOf(op.type).infer(context);
  return op.outputs.map((output, i) => ({ dtype: output.dtype, shape: at(inferred, i).toStatic() }));
}

function kernelContext(
  op: Operation,
  { inputs, outputs }: Operands,
  adapter: AdapterFacts,
  { hostInputs = true, attrs = op.attrs }: GpuOptions,
): KernelContext {
  const refs = refsOf(op, inputs);
  const value = (i: number): HostValue | null => (refs.includes(i) ? null : (inputs[i] ?? null));
  return {
    op: op.type,
    name: op.name,
    attrs,
    inputs: inputs.map(computedOperand),
    outputs: outputs.map(computedOperand),
    adapter,
    input: (i) => computedOperand(operandAt(inputs, i, `an input of ${op.describe()}`)),
    output: (i) => computedOperand(operandAt(outputs, i, `an output of ${op.describe()}`)),
    host: (i) => (hostInputs ? value(i) : null),
    requireHost: (i, what) => {
      const known = value(i);
      if (known === null) throw new UnimplementedError(`${op.describe()}: ${what} must be known`);
      return known;
    },
    unsupported: (why) => {
      throw new UnimplementedError(`${op.describe()}: ${why}`);
    },
  };
}

/** Runs dispatches that belong to no op; `outputs` says what they store. */
export async function runDispatchesOnGpu(
  lower: (adapter: AdapterFacts) => Lowered,
  inputs: readonly HostValue[],
  outputs: readonly Operand[],
  options: GpuOptions = {},
): Promise<HostValue[]> {
  const test = await testDevice();
  const operands = inMemory('a kernel', { inputs, outputs });
  const lowered = lower({ ...test.facts, ...options.adapterOverrides });
  return runLowered(test, operands, lowered, inputs, [], options);
}

async function runLowered(
  test: TestDevice,
  context: StoredOperands,
  lowered: Lowered,
  inputs: readonly HostValue[],
  refs: readonly number[],
  { randomStep = [0, 0], parameters = false }: GpuOptions,
): Promise<HostValue[]> {
  const pool = new BufferPool(test.device);
  try {
    const inputBuffers = inputs.map((value) => pool.of(toWords(value)));
    const outputBuffers = context.outputs.map(({ dtype, shape }) =>
      pool.of(unwritten(Math.ceil((sizeOf(shape) * elementBytes(dtype)) / 4))),
    );
    const scratch = (lowered.scratch ?? []).map((bytes) => pool.of(unwritten(Math.ceil(bytes / 4))));
    const random = pool.of(Uint32Array.of(randomStep[0], randomStep[1], 0, 0));
    const bufferOf = (source: BindingSource): GPUBuffer | undefined => {
      if (source.kind === 'random') return random;
      if (source.kind === 'data') return pool.of(Uint32Array.from(source.words));
      return { input: inputBuffers, output: outputBuffers, scratch }[source.kind][source.index];
    };
    const dispatches = lowered.dispatches.map((dispatch) => executable(dispatch, parameters));
    await encode(test, dispatches, bufferOf, pool);
    const results: HostValue[] = [];
    for (const [i, buffer] of outputBuffers.entries())
      results.push(fromWords(context.output(i), await pool.read(buffer, test)));
    for (const i of refs) {
      const buffer = inputBuffers[i];
      if (buffer !== undefined) results.push(fromWords(context.input(i), await pool.read(buffer, test)));
    }
    throwErrors(test, `${context.op} on the device`);
    return results;
  } finally {
    pool.destroy();
  }
}
