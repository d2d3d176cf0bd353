/**
 * Builds a program from operations: every value gets its static shape, calls of functions are replaced by the
 * functions' bodies, loops whose number of iterations is known by as many bodies. What cannot be
 * decided yet is deferred, together with all that depends on it.
 */
import {
  Attrs,
  InternalError,
  InvalidArgumentError,
  isRefDType,
  OPS,
  RuleError,
  TensorShape,
  TensorValue,
  UnimplementedError,
  type AttrValue,
  type OpDef,
  type Operation,
  type Tensor,
  type OpName,
} from '@forerun/graph';
import { isHostStep } from '../run/hostOps.js';
import { variableRef } from '../variables.js';
import { buildCall, isCall } from './calls.js';
import { kernelOf, SESSION_OPS } from './fuse.js';
import { HostValues } from './hostValues.js';
import {
  inputOf,
  makeNode,
  outputOf,
  type IrNode,
  type IrValue,
  type NodeInit,
  type OutputInit,
  type Program,
  type VariableRef,
} from './ir.js';
import { buildList, touchesLists } from './lists.js';
import { isReplaced, type Pruned } from './prune.js';
import { readReference, resourceEquivalent, type Reference } from './references.js';
import { StaticInferContext } from './staticInfer.js';
import {
  Deferral,
  FedList,
  isIrValue,
  ListValue,
  type DeferredOp,
  type Export,
  type Frame,
  type Value,
} from './values.js';

/** A program and what is left out of it. */
export interface Specialized {
  readonly program: Program;
  readonly host: HostValues;
  /** Operations for a later part of the run, in order. */
  readonly deferred: readonly DeferredOp[];
  /** Where the tensors are that deferred operations and the caller need, when values stay on the device. */
  readonly exports: ReadonlyMap<Tensor, Export>;
}

/** Dtype and shape of a fed value. */
export type FeedSpec = Pick<TensorValue, 'dtype' | 'shape'>;

export interface SpecializeOptions {
  /** Operations to leave out, and the inputs whose values they want. */
  readonly forced?: ReadonlyMap<Operation, readonly number[]>;
  /** Values stay on the device, for a caller that goes on with them. */
  readonly keep?: boolean;
}

/** Any tensor may be fed, whatever op makes it: inside the program it is a placeholder. */
const placeholderDef = OPS.Placeholder;

export class ProgramBuilder {
  readonly #nodes: IrNode[] = [];
  readonly #references = new Map<Tensor, Reference>();
  readonly #deferred = new Map<Operation, readonly number[] | null>();
  readonly #values = new Map<Tensor, Value>();
  readonly #nodeOf = new Map<Operation, readonly IrNode[]>();
  /** Effects inside functions: they happen though nothing uses them. */
  readonly #effects: IrNode[] = [];
  readonly host: HostValues;

  constructor(
    private readonly pruned: Pruned,
    fed: readonly TensorValue[],
    private readonly options: SpecializeOptions,
  ) {
    this.host = new HostValues(fed);
    for (const [tensor, position] of pruned.feeds) {
      const value = fed[position];
      const bound = pruned.bound?.get(tensor);
      if (bound !== undefined) this.addBound(tensor, bound);
      else if (value !== undefined) this.addFeed(tensor, position, value);
    }
  }

  private addFeed(tensor: Tensor, position: number, { dtype, shape }: FeedSpec): void {
    const node = this.push(
      {
        ...describeOp(tensor.op, placeholderDef),
        type: 'Placeholder',
        inputs: [],
        controls: [],
        literal: null,
        feed: position,
      },
      [{ dtype, shape, variable: null }],
    );
    this.#values.set(tensor, outputOf(node));
  }

  private addBound(tensor: Tensor, bound: VariableRef | 'list'): void {
    if (bound === 'list') {
      this.#values.set(tensor, new FedList(tensor));
      return;
    }
    const node = this.push(
      {
        ...describeOp(tensor.op, OPS.VarHandleOp),
        type: 'VarHandleOp',
        inputs: [],
        controls: [],
        literal: null,
        feed: null,
      },
      [{ dtype: 'resource', shape: [], variable: bound }],
    );
    if (isRefDType(tensor.dtype)) this.#references.set(tensor, { handle: outputOf(node), after: [] });
    this.#values.set(tensor, outputOf(node));
  }

  /** Makes a node of the program. */
  push(init: NodeInit, outputs: readonly OutputInit[]): IrNode {
    const node = makeNode(init, outputs);
    this.#nodes.push(node);
    return node;
  }

  /** Number of nodes so far: a measure of how far loops have been unrolled. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Adds an operation of the graph, or defers it. */
  add(op: Operation): void {
    if (isReplaced(op, this.pruned.feeds)) return;
    if (this.waitsForDeferred(op)) {
      this.#deferred.set(op, null);
      return;
    }
    const [nodes, effects] = [this.#nodes.length, this.#effects.length];
    try {
      this.refuseForced(op);
      const frame = { values: this.#values, nodes: this.#nodeOf, path: '', salt: 0, waits: [], origin: op };
      this.build(op, frame);
    } catch (error) {
      if (!(error instanceof Deferral)) throw error;
      this.#nodes.length = nodes;
      this.#effects.length = effects;
      this.#deferred.set(op, error.hostInputs);
    }
  }

  private waitsForDeferred(op: Operation): boolean {
    const { feeds } = this.pruned;
    return (
      op.inputs.some((input) => !feeds.has(input) && this.#deferred.has(input.op)) ||
      op.controlInputs.some((control) => this.#deferred.has(control))
    );
  }

  private refuseForced(op: Operation): void {
    const wanted = this.options.forced?.get(op);
    if (wanted === undefined) return;
    const unknown = wanted.filter((i) => {
      const input = op.inputs[i];
      const value = input === undefined ? undefined : this.#values.get(input);
      return value === undefined || !isIrValue(value) || this.host.get(value, 'feeds') === null;
    });
    if (unknown.length > 0 || wanted.length === 0) throw new Deferral(unknown);
  }

  /** Adds an operation of a frame. Throws `Deferral` when it cannot be decided yet. */
  build(op: Operation, frame: Frame): void {
    if (isCall(op)) buildCall(this, op, frame);
    else if (touchesLists(op)) buildList(this, op, frame);
    else if (op.type === 'CheckNumerics') this.buildCheck(op, frame);
    else this.buildNode(op, frame);
  }

  private buildNode(op: Operation, frame: Frame): void {
    const equivalent = resourceEquivalent(op.type);
    const { type, def } = equivalent ?? { type: op.type, def: requireDef(op) };
    const waits = this.waitsOf(op, frame);
    const { inputs, after } = this.inputsOf(op, waits, frame);
    if (type.startsWith('ResourceScatter') && equivalent !== undefined) this.checkScatter(op, inputs);
    const outputs =
      equivalent === undefined ? this.inferOutputs(op, def, inputs) : resourceOutputs(op, type, inputs);
    const literal = op.type === 'Const' ? op.attrs.tensor('value') : null;
    const controls = [...new Set([...waits, ...after])];
    const described = this.describe(op, frame, def);
    const node = this.push({ ...described, type, inputs, controls, literal, feed: null }, outputs);
    if (this.isUnknownHostValue(node)) throw new Deferral([]);
    frame.nodes.set(op, [node]);
    if (equivalent !== undefined) this.noteReference(op, node);
    this.setOutputs(op, node.outputs, frame);
  }

  /**
   * The value passes through; whether it is finite is found on the device, so that the host reads one word, not
   * the tensor. Users of the value need not wait for the check: the run fails either way.
   */
  private buildCheck(op: Operation, frame: Frame): void {
    const [input] = op.inputs;
    if (input === undefined) throw new InternalError(`${op.describe()} has no input`);
    const value = this.irValue(input, op, frame);
    const controls = this.waitsOf(op, frame);
    const { shape } = value;
    const make = (
      type: OpName,
      inputs: IrValue[],
      attrs: Record<string, AttrValue>,
      outShape: readonly number[],
    ): IrValue => {
      const described = this.describe(op, frame, OPS[type]);
      const node = {
        ...described,
        type,
        attrs: new Attrs(new Map(Object.entries(attrs)), op.name),
        inputs,
        controls,
        literal: null,
        feed: null,
      };
      return outputOf(this.push(node, [{ dtype: 'bool', shape: outShape, variable: null }]));
    };
    const finite = make('IsFinite', [value], { T: { kind: 'type', value: value.dtype } }, shape);
    const all = make(
      'All',
      [finite, this.axes(op, shape.length, frame)],
      { keep_dims: { kind: 'bool', value: false } },
      [],
    );
    const check = this.push(
      { ...this.describe(op, frame), inputs: [all], controls, literal: null, feed: null },
      [],
    );
    this.keep([check]);
    frame.nodes.set(op, [check]);
    this.setOutputs(op, [value], frame);
  }

  /** All axes of a rank, as a constant. */
  private axes(op: Operation, rank: number, frame: Frame): IrValue {
    const literal = new TensorValue(
      'int32',
      [rank],
      Int32Array.from({ length: rank }, (_, i) => i),
    );
    const node = {
      ...this.describe(op, frame, OPS.Const),
      type: 'Const',
      inputs: [],
      controls: [],
      literal,
      feed: null,
    };
    return outputOf(this.push(node, [{ dtype: 'int32', shape: [rank], variable: null }]));
  }

  /** The nodes that an operation comes after. */
  waitsOf(op: Operation, frame: Frame): readonly IrNode[] {
    return [
      ...new Set([...frame.waits, ...op.controlInputs.flatMap((control) => frame.nodes.get(control) ?? [])]),
    ];
  }

  /** Gives an operation's outputs their values; fed ones keep theirs. */
  setOutputs(op: Operation, values: readonly Value[], frame: Frame): void {
    values.forEach((value, i) => {
      const output = op.output(i);
      if (!frame.values.has(output)) frame.values.set(output, value);
    });
  }

  /** Name, attributes and origin of a node; random ops of a call get seeds of their own. */
  describe(
    op: Operation,
    { path, salt, origin }: Frame,
    def = requireDef(op),
  ): ReturnType<typeof describeOp> {
    const described = describeOp(op, def);
    if (path === '') return described;
    const attrs = salt !== 0 && op.attrs.has('seed2') ? reseeded(op.attrs, salt, op.name) : op.attrs;
    const name = `${path}${op.name}`;
    return { ...described, attrs, name, sources: [name], origin };
  }

  /** Notes nodes that must run though nothing uses them. */
  keep(nodes: readonly IrNode[]): void {
    this.#effects.push(...nodes);
  }

  /** The values of an op's inputs. References are passed on where the op takes one, else read. */
  private inputsOf(
    op: Operation,
    waits: readonly IrNode[],
    frame: Frame,
  ): { inputs: IrValue[]; after: readonly IrNode[] } {
    const after: IrNode[] = [];
    const inputs = op.inputs.map((input, i) => {
      const reference = this.#references.get(input);
      const isFed = this.pruned.feeds.has(input) && this.pruned.bound?.has(input) !== true;
      if (reference === undefined || isFed) return this.irValue(input, op, frame);
      if (op.def?.inputs[i]?.isRef !== true) return this.read(reference, op, waits);
      after.push(...reference.after);
      return reference.handle;
    });
    return { inputs, after };
  }

  private read(reference: Reference, op: Operation, controls: readonly IrNode[]): IrValue {
    const node = readReference(reference, { ...describeOp(op, OPS.ReadVariableOp), controls });
    this.#nodes.push(node);
    return outputOf(node);
  }

  /** The reference that an op on references gives: the variable itself, or the variable after the update. */
  private noteReference(op: Operation, node: IrNode): void {
    const [output] = op.outputs;
    if (output === undefined || !isRefDType(output.dtype)) return;
    const declared = node.outputs[0];
    if (declared !== undefined) this.#references.set(output, { handle: declared, after: [] });
    else this.#references.set(output, { handle: inputOf(node, 0), after: [node] });
  }

  /** The value of a tensor, as a program or a list sees it. */
  value(tensor: Tensor, frame: Frame): Value {
    const value = frame.values.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    return value;
  }

  /** The value of a tensor that is no list. */
  irValue(tensor: Tensor, user: Operation, frame: Frame): IrValue {
    const value = this.value(tensor, frame);
    if (isIrValue(value)) return value;
    throw new UnimplementedError(`${user.describe()} cannot take a tensor list${user.creationSite()}`, {
      node: user.name,
    });
  }

  finish(): Specialized {
    const { fetches: wanted } = this.pruned;
    const deferred = [...this.#deferred].map(([op, hostInputs]) => ({ op, hostInputs }));
    const targets = [
      ...this.pruned.targets.flatMap((op) => (this.#deferred.has(op) ? [] : (this.#nodeOf.get(op) ?? []))),
      ...this.#effects,
    ];
    if (deferred.length === 0 && this.options.keep !== true) {
      const fetches = wanted.map((tensor) => this.fetched(tensor));
      return {
        program: { nodes: this.#nodes, fetches, targets },
        host: this.host,
        deferred,
        exports: new Map(),
      };
    }
    const needed = new Set([...wanted, ...deferred.flatMap(({ op }) => op.inputs)]);
    const fetches: IrValue[] = [];
    const exports = new Map<Tensor, Export>();
    for (const tensor of needed) {
      if (this.pruned.feeds.has(tensor) || this.#deferred.has(tensor.op)) continue;
      exports.set(tensor, this.exported(tensor, fetches));
    }
    // What must happen now must not wait for a value that is only needed later.
    return { program: { nodes: this.#nodes, fetches, targets }, host: this.host, deferred, exports };
  }

  private fetched(tensor: Tensor): IrValue {
    const reference = this.#references.get(tensor);
    if (reference !== undefined) return this.read(reference, tensor.op, []);
    const value = this.#values.get(tensor);
    if (value !== undefined && isIrValue(value)) return value;
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    throw new InvalidArgumentError(`"${tensor.name}" is a tensor list, which cannot be fetched: stack it`);
  }

  private exported(tensor: Tensor, fetches: IrValue[]): Export {
    const reference = this.#references.get(tensor);
    if (reference?.handle.variable !== undefined && reference.handle.variable !== null) {
      return { kind: 'variable', variable: reference.handle.variable };
    }
    const value = this.#values.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    return exportOf(value, fetches);
  }

  private inferOutputs(op: Operation, def: OpDef, inputs: readonly IrValue[]): OutputInit[] {
    const shapes = this.infer(op, def, inputs);
    return op.outputs.map((output, i) => {
      const shape = (shapes[i] ?? TensorShape.UNKNOWN).mergeWith(output.shape);
      if (shape === null) {
        throw new InvalidArgumentError(
          `${op.describe()}: output ${i} has shape ${String(shapes[i])}, but the graph says ${output.shape.toString()}${op.creationSite()}`,
          { node: op.name },
        );
      }
      const variable = output.dtype === 'resource' ? variableOf(op, inputs) : null;
      return { dtype: output.dtype, shape: this.staticShape(op, shape, i), variable };
    });
  }

  /** Shapes from constants; from fed values where that is not enough; else the op waits for values. */
  private infer(op: Operation, def: OpDef, inputs: readonly IrValue[]): readonly TensorShape[] {
    try {
      const shapes = def.infer(new StaticInferContext(op, inputs, this.host, 'constants'));
      if (shapes.every((shape) => shape.isFullyDefined)) return shapes;
      if (isEvaluated(op)) throw new Deferral([]);
      const context = new StaticInferContext(op, inputs, this.host, 'feeds');
      const known = def.infer(context);
      if (!known.every((shape) => shape.isFullyDefined) && context.missing.size > 0) {
        throw new Deferral([...context.missing]);
      }
      if (isHostStep(op.type) && op.outputs.some(({ shape }) => !shape.isFullyDefined))
        throw new Deferral([]);
      return known;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      throw new InvalidArgumentError(`${op.describe()}: ${error.message}${op.creationSite()}`, {
        node: op.name,
      });
    }
  }

  /** Checks an update of rows by the rule of the op on references, for which the handle has the variable's shape. */
  private checkScatter(op: Operation, [handle, ...rest]: readonly IrValue[]): void {
    if (handle === undefined) return;
    const known = handle.variable?.shape.isFullyDefined === true;
    const shape = known ? handle.variable.shape.toStatic() : handle.shape;
    this.infer(op, requireDef(op), [{ ...handle, shape }, ...rest]);
  }

  private staticShape(op: Operation, shape: TensorShape, i: number): readonly number[] {
    if (shape.isFullyDefined) return shape.toStatic();
    throw new UnimplementedError(
      `${op.describe()}: the shape ${shape.toString()} of output ${i} depends on values computed on the device${op.creationSite()}`,
      { node: op.name },
    );
  }

  /** An op that is evaluated on the host, whose inputs only the run computes. */
  private isUnknownHostValue(node: IrNode): boolean {
    if (kernelOf(node).kind !== 'host' || node.literal !== null || node.def.evaluate === undefined)
      return false;
    if (SESSION_OPS.has(node.type) || isHostStep(node.type) || node.outputs.length === 0) return false;
    return node.outputs.some((output) => this.host.get(output, 'feeds') === null);
  }
}

/** Whether the run evaluates an op on the host, from values that it reads. */
function isEvaluated(op: Operation): boolean {
  if (op.def?.evaluate === undefined || op.def.stateful) return false;
  return kernelOf({ type: op.type }).kind === 'host' && !SESSION_OPS.has(op.type);
}

function exportOf(value: Value, fetches: IrValue[]): Export {
  if (value instanceof FedList) return { kind: 'fed', tensor: value.tensor };
  if (value instanceof ListValue) {
    const elements = value.elements.map((element) => (element === null ? null : exportOf(element, fetches)));
    return { kind: 'list', elements, element: value.element };
  }
  if (value.variable !== null) return { kind: 'variable', variable: value.variable };
  fetches.push(value);
  return { kind: 'value', index: fetches.length - 1 };
}

/** Attributes with another second seed: the same op in another iteration draws other numbers. */
function reseeded(attrs: Attrs, salt: number, name: string): Attrs {
  const seed2 = Number(BigInt.asUintN(31, attrs.bigint('seed2') + BigInt(salt)));
  const values = new Map<string, AttrValue>([...attrs.values, ['seed2', { kind: 'int', value: seed2 }]]);
  return new Attrs(values, name);
}

function requireDef(op: Operation): OpDef {
  if (op.def === undefined)
    throw new UnimplementedError(`${op.describe()}: the op type is not known to Forerun`);
  return op.def;
}

export function describeOp(
  op: Operation,
  def: OpDef,
): Pick<IrNode, 'type' | 'name' | 'attrs' | 'def' | 'sources' | 'site' | 'origin'> {
  const { type, name, attrs } = op;
  return { type, name, attrs, def, sources: [name], site: op.creationSite(), origin: op };
}

/** Outputs of the resource op that stands for an op on references. Throws when an update's shapes differ. */
function resourceOutputs(op: Operation, type: string, [handle, value]: readonly IrValue[]): OutputInit[] {
  if (type === 'VarHandleOp') return [{ dtype: 'resource', shape: [], variable: variableRef(op.output(0)) }];
  if (type === 'VarIsInitializedOp') return [{ dtype: 'bool', shape: [], variable: null }];
  const shape = handle?.variable?.shape;
  if (
    type.startsWith('Assign') &&
    value !== undefined &&
    shape?.isCompatibleWith(new TensorShape(value.shape)) === false
  ) {
    throw new InvalidArgumentError(
      `${op.describe()}: the value has shape [${value.shape.join(',')}], the variable has ${shape.toString()}${op.creationSite()}`,
      { node: op.name },
    );
  }
  return [];
}

/** The variable that a resource output stands for: declared here, or passed through from an input. */
function variableOf(op: Operation, inputs: readonly IrValue[]): VariableRef | null {
  const passed = inputs.find((input) => input.variable !== null)?.variable;
  return passed ?? (op.type === 'VarHandleOp' ? variableRef(op.output(0)) : null);
}
