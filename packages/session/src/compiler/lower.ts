/**
 * Stage 5: each unit becomes dispatches (WGSL, bindings, workgroups), a host step, or nothing. What comes
 * out is open: `fusion/` may still join it with others before `bindUnits` resolves the bindings.
 */
import { InternalError, UnimplementedError } from '@forerun/graph';
import {
  lowerElementwise,
  adapted,
  cutProgram,
  type AdapterFacts,
  type Binding,
  type DeviceKernel,
  type Dispatch,
  type ElementwiseProgram,
  type KernelContext,
  type Lowered,
  type RowProgram,
} from '@forerun/kernels-webgpu';
import { isHostStep } from '../run/hostOps.js';
import { fitsBindings } from './fusion/join.js';
import { Alike, programKey } from './alike.js';
import { ChainProgram } from './chainProgram.js';
import { isView, kernelOf, SESSION_OPS, type Unit } from './fuse.js';
import type { HostValues } from './hostValues.js';
import { describe, elements, inputOf, outputOf, type IrNode, type IrValue } from './ir.js';
import { contextOf, NeedsHostValue, operandOf } from './kernelContext.js';

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
  /** Every output is stored element by element, once. */
  readonly storesOnce: boolean;
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

interface LoweredProgram {
  readonly program: ElementwiseProgram;
  readonly lowered: Lowered;
}

interface LoweredCuts extends LoweredProgram {
  /** The input that is cut. */
  readonly input: number;
}

/** What nodes that are alike share. */
class Made {
  readonly kernels = new Alike<Lowered>();
  readonly programs = new Alike<ElementwiseProgram>();
  readonly cuts = new Alike<LoweredCuts | null>();
  readonly chains = new Map<string, LoweredProgram>();
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
  const cut = kernel.cuts === undefined ? null : lowerCuts(unit, context, kernel.cuts, made);
  if (cut !== null) return cut;
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

/** A unit that cuts parts out of an array, as an elementwise program; `null` where it takes several dispatches. */
function lowerCuts(
  unit: Unit,
  context: KernelContext,
  cuts: NonNullable<DeviceKernel['cuts']>,
  made: Made,
): OpenUnit | null {
  const { root } = unit;
  const cut = made.cuts.get(context, (c) => {
    const copies = cuts(c);
    const program = cutProgram(c, copies);
    if (program === null || program.outputs.length >= c.adapter.maxBindings) return null;
    const lowered = lowerElementwise(
      program,
      c.adapter,
      copies.map(() => 0),
    );
    return { program, lowered, input: copies[0]?.input ?? 0 };
  });
  if (cut === null) return null;
  const array = inputOf(root, cut.input);
  return {
    ...nothing(unit),
    kind: 'device',
    program: cut.program,
    lowered: cut.lowered,
    inputs: root.outputs.map(() => array),
    outputs: root.outputs,
    storesOnce: true,
    loads: () => elements(outputOf(root)) / elements(array),
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
  const { unit, inputs, outputs, storesOnce, inPlace } = open;
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
    storesOnce,
    inPlace,
  };
}

/** Which values are float16 in memory. */
function halvesOf({ inputs, outputs }: OpenUnit): string {
  const isHalf = (value: IrValue): string => (operandOf(value).dtype === 'float16' ? 'h' : '-');
  return `${inputs.map(isHalf).join('')} ${outputs.map(isHalf).join('')}`;
}

/** Lowers the program of a chain. */
function lowerChain(unit: Unit, host: HostValues, adapter: AdapterFacts, made: Made): OpenUnit {
  const joiner = new ChainProgram(unit, host, adapter, made.programs);
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
