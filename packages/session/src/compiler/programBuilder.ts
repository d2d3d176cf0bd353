/**
 * Builds a program from operations: every value gets its static shape, calls of functions are replaced by the
 * functions' bodies, loops whose number of iterations is known by as many bodies. What cannot be
 * decided yet is deferred, together with all that depends on it.
 */
import {
  InternalError,
  InvalidArgumentError,
  isRefDType,
  OPS,
  UnimplementedError,
  type OpName,
  type Operation,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { NO_SALT } from '@forerun/kernels-webgpu';
import { buildCall, isCall } from './calls.js';
import { describeIn, describeOp, requireDef } from './describe.js';
import { Exports } from './exports.js';
import { HostValues } from './hostValues.js';
import { inferOutputs, isUnknownHostValue, resourceOutputs } from './inferOutputs.js';
import {
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
import { buildComposed, isComposed } from './composed.js';
import { buildCounter, isCounter } from './counters.js';
import { buildCheck } from './numericChecks.js';
import { isReplaced, type Pruned } from './prune.js';
import { buildLastRead, buildPassedOn, isPassedOn } from './passedReferences.js';
import { readReference, References, resourceEquivalent, type Reference } from './references.js';
import {
  Deferral,
  FedList,
  isIrValue,
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

export class ProgramBuilder {
  readonly #nodes: IrNode[] = [];
  readonly #deferred = new Map<Operation, readonly number[] | null>();
  readonly #values = new Map<Tensor, Value>();
  readonly #nodeOf = new Map<Operation, readonly IrNode[]>();
  /** Effects inside functions: they happen though nothing uses them. */
  readonly #effects: IrNode[] = [];
  readonly references = new References();
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

  /** Any tensor may be fed, whatever op makes it: inside the program it is a placeholder. */
  private addFeed(tensor: Tensor, position: number, { dtype, shape }: FeedSpec): void {
    const node = this.source(tensor.op, 'Placeholder', { dtype, shape, variable: null }, position);
    this.#values.set(tensor, outputOf(node));
  }

  private addBound(tensor: Tensor, bound: VariableRef | 'list'): void {
    if (bound === 'list') {
      this.#values.set(tensor, new FedList(tensor));
      return;
    }
    const output = { dtype: 'resource' as const, shape: [], variable: bound };
    const handle = outputOf(this.source(tensor.op, 'VarHandleOp', output, null));
    if (isRefDType(tensor.dtype)) this.references.declare(tensor, handle);
    this.#values.set(tensor, handle);
  }

  private source(op: Operation, type: OpName, output: OutputInit, feed: number | null): IrNode {
    const described = describeOp(op, OPS[type]);
    return this.push({ ...described, type, inputs: [], controls: [], literal: null, feed }, [output]);
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
      const frame = {
        values: this.#values,
        nodes: this.#nodeOf,
        path: '',
        salt: NO_SALT,
        waits: [],
        origin: op,
        depth: 0,
      };
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
    else if (isComposed(op)) buildComposed(this, op, frame);
    else if (touchesLists(op)) buildList(this, op, frame);
    else if (op.type === 'CheckNumerics') buildCheck(this, op, frame);
    else if (op.type === 'DestroyTemporaryVariable') buildLastRead(this, op, frame);
    else if (isPassedOn(op)) buildPassedOn(this, op, frame);
    else if (isCounter(op.type)) buildCounter(this, op, frame);
    else this.buildNode(op, frame);
  }

  /** Adds an operation as one node. */
  buildNode(op: Operation, frame: Frame): void {
    const equivalent = resourceEquivalent(op.type);
    const { type, def } = equivalent ?? { type: op.type, def: requireDef(op) };
    const waits = this.waitsOf(op, frame);
    const { inputs, after } = this.inputsOf(op, waits, frame);
    const outputs =
      equivalent === undefined
        ? inferOutputs(op, def, inputs, this.host)
        : resourceOutputs(op, type, inputs, this.host);
    const literal = op.type === 'Const' ? op.attrs.tensor('value') : null;
    const controls = [...new Set([...waits, ...after])];
    const described = describeIn(frame, op, def);
    const node = this.push({ inputs, controls, literal, feed: null, ...described, type }, outputs);
    if (isUnknownHostValue(node, this.host)) throw new Deferral([]);
    frame.nodes.set(op, [node]);
    if (equivalent !== undefined) this.references.note(op, node);
    this.setOutputs(op, node.outputs, frame);
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

  /** Notes nodes that must run though nothing uses them. */
  keep(nodes: readonly IrNode[]): void {
    this.#effects.push(...nodes);
  }

  /** The values of an op's inputs. References are passed on where the op takes one, else read. */
  inputsOf(
    op: Operation,
    waits: readonly IrNode[],
    frame: Frame,
  ): { inputs: IrValue[]; after: readonly IrNode[] } {
    const after: IrNode[] = [];
    const inputs = op.inputs.map((input, i) => {
      const reference = this.references.get(input);
      const isFed = this.pruned.feeds.has(input) && this.pruned.bound?.has(input) !== true;
      if (reference === undefined || isFed) return this.irValue(input, op, frame);
      if (op.def?.inputs[i]?.isRef !== true) return this.read(reference, op, waits);
      after.push(...reference.after);
      return reference.handle;
    });
    return { inputs, after };
  }

  /** Reads what a reference stands for, on behalf of an operation. */
  read(reference: Reference, op: Operation, controls: readonly IrNode[]): IrValue {
    const node = readReference(reference, { ...describeOp(op, OPS.ReadVariableOp), controls });
    this.#nodes.push(node);
    return outputOf(node);
  }

  /** The value of a tensor, as a program or a list sees it. */
  value(tensor: Tensor, frame: Frame): Value {
    const value = frame.values.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    return value;
  }

  /** A result of a function: what is behind it, where it is a reference. */
  result(output: Tensor, call: Operation, frame: Frame): Value {
    const reference = this.references.get(output);
    return reference === undefined ? this.value(output, frame) : this.read(reference, call, []);
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
    const { host } = this;
    const deferred = [...this.#deferred].map(([op, hostInputs]) => ({ op, hostInputs }));
    // What a deferred operation comes after happens now, also where nothing else asks for it.
    const awaited = [...this.pruned.targets, ...deferred.flatMap(({ op }) => op.controlInputs)];
    const targets = [
      ...[...new Set(awaited)].flatMap((op) => (this.#deferred.has(op) ? [] : (this.#nodeOf.get(op) ?? []))),
      ...this.#effects,
    ];
    if (deferred.length === 0 && this.options.keep !== true) {
      const fetches = wanted.map((tensor) => this.fetched(tensor));
      return { program: { nodes: this.#nodes, fetches, targets }, host, deferred, exports: new Map() };
    }
    // What must happen now must not wait for a value that is only needed later.
    const { fetches, places } = this.exports([...wanted, ...deferred.flatMap(({ op }) => op.inputs)]);
    return { program: { nodes: this.#nodes, fetches, targets }, host, deferred, exports: places };
  }

  private fetched(tensor: Tensor): IrValue {
    const reference = this.references.get(tensor);
    if (reference !== undefined) return this.read(reference, tensor.op, []);
    const value = this.#values.get(tensor);
    if (value !== undefined && isIrValue(value)) return value;
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    throw new InvalidArgumentError(`"${tensor.name}" is a tensor list, which cannot be fetched: stack it`);
  }

  /** What this program makes of the tensors that are needed after it. */
  private exports(needed: readonly Tensor[]): Exports {
    const exports = new Exports(this.#values, this.references);
    for (const tensor of new Set(needed)) {
      if (!this.pruned.feeds.has(tensor) && !this.#deferred.has(tensor.op)) exports.add(tensor);
    }
    return exports;
  }
}
