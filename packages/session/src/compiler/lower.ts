/**
 * Stage 5: each unit becomes dispatches (WGSL, bindings, workgroups), a host step, or nothing. What comes
 * out is open: `fusion/` may still join it with others before `bindUnits` resolves the bindings.
 */
import {
  InternalError,
  InvalidArgumentError,
  TensorShape,
  UnimplementedError,
  type DType,
  type HostValue,
} from '@forerun/graph';
import {
  elementwiseOfOp,
  lowerElementwise,
  adapted,
  computedDType,
  computedOperand,
  type AdapterFacts,
  type Binding,
  type Dispatch,
  type ElementRef,
  type ElementwiseProgram,
  type ElementwiseStep,
  type KernelContext,
  type Lowered,
  type Operand,
  type RowProgram,
} from '@forerun/kernels-webgpu';
import { isDeviceDType } from '../device/words.js';
import { isHostStep } from '../run/hostOps.js';
import { fitsBindings } from './fusion/join.js';
import { Alike, programKey } from './alike.js';
import { isView, kernelOf, isLiteral, SESSION_OPS, type Unit } from './fuse.js';
import type { HostValues } from './hostValues.js';
import { describe, elements, inputOf, outputOf, type IrNode, type IrValue } from './ir.js';

/** A binding whose source is resolved to the program's values. */
export interface BoundDispatch {
  readonly dispatch: Dispatch;
  readonly bindings: readonly BoundBinding[];
}

export type BoundSource =
  | { readonly kind: 'value'; readonly value: IrValue }
  | Exclude<Binding['source'], { readonly kind: 'input' | 'output' }>;

export interface BoundBinding {
  readonly source: BoundSource;
  readonly access: Binding['access'];
  readonly window?: Binding['window'];
}

export interface LoweredUnit {
  readonly unit: Unit;
  /** `device`: dispatches. `host`: a host step. `none`: only a place for values or ordering. */
  readonly kind: 'device' | 'host' | 'none';
  readonly dispatches: readonly BoundDispatch[];
  /** Byte sizes of scratch buffers. */
  readonly scratch: readonly number[];
  /** Variables' values that are read only where the same element is then written. */
  readonly inPlace: ReadonlySet<IrValue>;
}

/** A lowered unit whose dispatches may still be fused with others: bindings go by position. */
export interface OpenUnit {
  readonly unit: Unit;
  readonly kind: LoweredUnit['kind'];
  readonly lowered: Lowered;
  /** What the bindings' inputs and outputs are. */
  readonly inputs: readonly IrValue[];
  readonly outputs: readonly IrValue[];
  /** Of units of elementwise ops alone. */
  readonly program: ElementwiseProgram | null;
  /** Of reductions of rows, and what has been joined to them. */
  readonly rows: RowProgram | null;
  /** Every output is stored element by element, once. */
  readonly storesOnce: boolean;
  /** How often the elements of an input are loaded. */
  readonly loads: (input: number) => number;
  /** Variables' values that are read only where the same element is then written. */
  readonly inPlace: ReadonlySet<IrValue>;
}

/** Lowers every unit. Throws errors that name the node whose case is not supported. */
export function lower(units: readonly Unit[], host: HostValues, adapter: AdapterFacts): OpenUnit[] {
  const made = new Made();
  return units.map((unit) => lowerUnit(unit, host, adapter, made));
}

/** What nodes that are alike share. */
class Made {
  readonly kernels = new Alike<Lowered>();
  readonly programs = new Alike<ElementwiseProgram>();
  readonly chains = new Map<string, Pick<OpenUnit, 'lowered'> & { readonly program: ElementwiseProgram }>();
}

function lowerUnit(unit: Unit, host: HostValues, adapter: AdapterFacts, made: Made): OpenUnit {
  const { root } = unit;
  if (unit.kind === 'elementwise') return lowerChain(unit, host, adapter, made);
  const kernel = kernelOf(root);
  if (root.feed !== null || root.literal !== null || isView(root)) return nothing(unit);
  if (isHostStep(root.type)) return { ...nothing(unit), kind: 'host' };
  if (kernel.kind === 'host') {
    requireKnown(root, host);
    return nothing(unit);
  }
  if (kernel.kind !== 'device') throw new InternalError(`${describe(root)}: kernel of kind ${kernel.kind}`);
  const context = contextOf(root, host, adapter);
  const lowered = made.kernels.get(context, (c) => kernel.lower(c));
  return {
    ...nothing(unit),
    kind: lowered.dispatches.length === 0 ? 'none' : 'device',
    lowered,
    inputs: root.inputs,
    outputs: root.outputs,
    rows: kernel.rows?.(context) ?? null,
    storesOnce: kernel.storesOnce === true,
    loads: (input) => (input < root.inputs.length ? (kernel.loads?.(context, input) ?? Infinity) : Infinity),
  };
}

const NO_VALUES: ReadonlySet<IrValue> = new Set();

function nothing(unit: Unit): OpenUnit {
  return {
    unit,
    kind: 'none',
    lowered: { dispatches: [] },
    inputs: [],
    outputs: [],
    program: null,
    rows: null,
    storesOnce: false,
    loads: () => Infinity,
    inPlace: NO_VALUES,
  };
}

/** Checks that a host-evaluated node's values are known now; they are then uploaded as constants. */
function requireKnown(node: IrNode, host: HostValues): void {
  if (SESSION_OPS.has(node.type)) return;
  if (node.outputs.length === 0) {
    throw new UnimplementedError(`${describe(node)}: the session cannot carry out this op${node.site()}`, {
      node: node.name,
    });
  }
  if (node.outputs.every((output) => host.get(output, 'feeds') !== null)) return;
  throw new NeedsHostValue(node, [...node.inputs.keys()], 'its value');
}

/** A kernel must know the values of inputs that are computed on the device: the run has to read them first. */
export class NeedsHostValue extends UnimplementedError {
  constructor(
    readonly irNode: IrNode,
    readonly hostInputs: readonly number[],
    what: string,
  ) {
    super(
      `${describe(irNode)}: ${what} must be known when the plan is compiled, but depends on values computed on the device${irNode.site()}`,
      { node: irNode.name },
    );
  }
}

/** What a kernel sees of a node. */
export function contextOf(node: IrNode, host: HostValues, adapter: AdapterFacts): KernelContext {
  // A scalar may be a parameter that the kernel takes from the host.
  const held = [...node.inputs.filter((value) => elements(value) !== 1), ...node.outputs];
  for (const value of held) requireComputed(node, operandOf(value).dtype);
  const inputs = node.inputs.map((value) => computedOperand(operandOf(value)));
  const outputs = node.outputs.map((value) => computedOperand(operandOf(value)));
  return {
    op: node.type,
    name: node.name,
    attrs: node.attrs,
    inputs,
    outputs,
    adapter,
    input: (i) => computedOperand(operandOf(inputOf(node, i))),
    output: (i) => computedOperand(operandOf(outputOf(node, i))),
    host: (i) => host.get(inputOf(node, i)),
    requireHost: (i, what) => requireHost(node, i, what, host),
    unsupported: (why) => {
      throw new UnimplementedError(`${describe(node)}: ${why}${node.site()}`, { node: node.name });
    },
  };
}

/** Refuses dtypes that the device does not hold. */
function requireComputed(node: IrNode, dtype: DType): void {
  if (isDeviceDType(dtype)) return;
  throw new UnimplementedError(
    `${describe(node)}: dtype ${dtype} is not computed with on the device${node.site()}`,
    { node: node.name },
  );
}

function requireHost(node: IrNode, i: number, what: string, host: HostValues): HostValue {
  const value = host.get(inputOf(node, i), 'feeds');
  if (value !== null) return value;
  throw new NeedsHostValue(node, [i], what);
}

/** Dtype in memory and shape; a resource stands for its variable. */
export function operandOf(value: IrValue): Operand {
  if (value.variable === null) return { dtype: value.dtype, shape: value.shape };
  const { dtype, shape, key } = value.variable;
  if (!TensorShape.of(shape).isFullyDefined) {
    throw new InvalidArgumentError(
      `variable "${key}" has the shape ${shape.toString()}, which is not fully known`,
    );
  }
  return { dtype, shape: shape.toStatic() };
}

/** Resolves the bindings of all units, and cuts those that are larger than the adapter binds. */
export function bindUnits(units: readonly OpenUnit[], adapter: AdapterFacts): LoweredUnit[] {
  const known = new WeakMap<Lowered, Map<string, Lowered>>();
  return units.map((unit) => bindUnit(unit, adapter, known));
}

function bindUnit(
  open: OpenUnit,
  adapter: AdapterFacts,
  known: WeakMap<Lowered, Map<string, Lowered>>,
): LoweredUnit {
  const { unit, inputs, outputs, inPlace } = open;
  const valueOf = (kind: 'input' | 'output', index: number): IrValue => {
    const value = (kind === 'input' ? inputs : outputs)[index];
    if (value === undefined) {
      throw new InternalError(`${describe(unit.root)}: kernel binds ${kind} ${index}, which does not exist`);
    }
    return value;
  };
  const resolve = ({ source, access, window }: Binding): BoundBinding => {
    if (source.kind !== 'input' && source.kind !== 'output') return { source, access, window };
    return { source: { kind: 'value', value: valueOf(source.kind, source.index) }, access, window };
  };
  const operands = {
    input: (i: number) => operandOf(valueOf('input', i)),
    output: (i: number) => operandOf(valueOf('output', i)),
  };
  // A kernel whose operands are not cut is adapted in one way for the same dtypes.
  const whole = fitsBindings(open, adapter);
  const key = whole ? halvesOf(open) : '';
  const forms = known.get(open.lowered) ?? new Map<string, Lowered>();
  const kernel = (whole ? forms.get(key) : undefined) ?? adapted(open.lowered, operands, adapter);
  if (whole) known.set(open.lowered, forms.set(key, kernel));
  const { dispatches, scratch = [] } = kernel;
  return {
    unit,
    kind: open.kind,
    dispatches: dispatches.map((dispatch) => ({
      dispatch,
      bindings: dispatch.bindings.map(resolve),
    })),
    scratch,
    inPlace,
  };
}

/** Which values are float16 in memory. */
function halvesOf({ inputs, outputs }: OpenUnit): string {
  const isHalf = (value: IrValue): string => (operandOf(value).dtype === 'float16' ? 'h' : '-');
  return `${inputs.map(isHalf).join('')} ${outputs.map(isHalf).join('')}`;
}

/** Joins the one-op programs of a chain into one program and lowers it. */
function lowerChain(unit: Unit, host: HostValues, adapter: AdapterFacts, made: Made): OpenUnit {
  const joiner = new ChainJoiner(unit, host, adapter, made);
  unit.nodes.forEach((node) => joiner.add(node));
  const output = outputOf(unit.root);
  if (elements(output) === 0) return nothing(unit);
  const program = joiner.finish();
  const key = programKey(program);
  const chain = made.chains.get(key) ?? { program, lowered: lowerElementwise(program, adapter) };
  made.chains.set(key, chain);
  return {
    ...nothing(unit),
    ...chain,
    kind: 'device',
    inputs: joiner.inputs,
    outputs: [output],
    storesOnce: true,
  };
}

/** An input of a joined program: the value, and the shape under which a step reads it. */
interface JoinedInput {
  readonly value: IrValue;
  readonly operand: Operand;
}

class ChainJoiner {
  readonly #inputs: JoinedInput[] = [];
  readonly #steps: ElementwiseStep[] = [];
  readonly #results = new Map<IrValue, ElementRef>();

  constructor(
    private readonly unit: Unit,
    private readonly host: HostValues,
    private readonly adapter: AdapterFacts,
    private readonly made: Made,
  ) {}

  /** The values that the joined program reads, in the order of its inputs. */
  get inputs(): IrValue[] {
    return this.#inputs.map(({ value }) => value);
  }

  add(node: IrNode): void {
    const kernel = kernelOf(node);
    if (kernel.kind !== 'elementwise') throw new InternalError(`${describe(node)} is not elementwise`);
    const context = contextOf(node, this.host, this.adapter);
    const program = this.made.programs.get(context, (c) => elementwiseOfOp(kernel, c));
    const base = this.#steps.length;
    for (const step of program.steps) {
      const operands: Record<string, ElementRef> = {};
      for (const [name, ref] of Object.entries(step.operands)) {
        operands[name] = this.relocate(ref, node, program.inputs, base);
      }
      this.#steps.push({ ...step, operands });
    }
    this.#results.set(outputOf(node), { kind: 'step', index: base + (program.outputs[0] ?? 0) });
  }

  private relocate(ref: ElementRef, node: IrNode, operands: readonly Operand[], base: number): ElementRef {
    if (ref.kind === 'literal') return ref;
    if (ref.kind === 'step') return { kind: 'step', index: ref.index + base };
    const value = inputOf(node, ref.index);
    return this.reference(value, operands[ref.index] ?? computedOperand(operandOf(value)));
  }

  private reference(value: IrValue, operand: Operand): ElementRef {
    const result = this.#results.get(value);
    if (result !== undefined) return result;
    if (isLiteral(value, this.host)) {
      const literal = this.host.get(value)?.data[0];
      if (literal !== undefined)
        return { kind: 'literal', value: literal, dtype: computedDType(value.dtype) };
    }
    const shape = operand.shape.join();
    const known = this.#inputs.findIndex(
      (input) => input.value === value && input.operand.shape.join() === shape,
    );
    if (known >= 0) return { kind: 'input', index: known };
    this.#inputs.push({ value, operand });
    return { kind: 'input', index: this.#inputs.length - 1 };
  }

  finish(): ElementwiseProgram {
    return {
      label: this.unit.nodes.map((node) => node.type).join('+'),
      shape: outputOf(this.unit.root).shape,
      inputs: this.#inputs.map(({ operand }) => operand),
      steps: this.#steps,
      outputs: [this.#steps.length - 1],
    };
  }
}
