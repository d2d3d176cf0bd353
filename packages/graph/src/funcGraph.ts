/**
 * `FuncGraph`: the body of a function, for loops, conditionals and calls. It is a graph whose placeholders
 * are the function's arguments. A node made in it may use tensors of the graph around it: each becomes
 * one more argument (a capture), constants are copied.
 */
import { nameForCopy } from './names.js';
import { InternalError } from './errors.js';
import { Graph } from './graph.js';
import type { FunctionSignature, HandleData, OpDef } from './opDef.js';
import type { Operation } from './operation.js';
import { baseDType, type DType } from './dtype.js';
import type { TensorShape } from './shape.js';
import type { Tensor } from './tensor.js';

/** An argument as a function declares it. */
export interface ArgumentSpec {
  readonly dtype: DType;
  readonly shape: TensorShape;
  readonly name: string;
  /** The variable behind a resource argument, or the elements of a list. */
  readonly handle?: HandleData | null;
}

export class FuncGraph extends Graph {
  /** Placeholders of the arguments, captures among them. */
  inputs: Tensor[] = [];
  outputs: Tensor[] = [];
  /** Why the function of a file cannot be called. */
  fault: Error | null = null;
  /** The record of nodes whose type is this function's name; functions of files have one. */
  record: OpDef | null = null;
  /** While the function of a file is read: its arguments and results are not all there. */
  isPartial = false;
  readonly #captures = new Map<Tensor, Tensor>();
  readonly #copies = new Map<Tensor, Tensor>();
  readonly #order = new EffectOrder();
  /** Operations of the graph around that nodes in here are to wait for. */
  readonly outerControls = new Set<Operation>();

  constructor(
    readonly functionName: string,
    readonly outer: Graph,
  ) {
    super();
  }

  /** Those of the graph around hold for its functions too. */
  override gradientNameOf(type: string): string | undefined {
    return super.gradientNameOf(type) ?? this.outer.gradientNameOf(type);
  }

  override get root(): Graph {
    return this.outer.root;
  }

  override get seed(): number | null {
    return this.root.seed;
  }

  override set seed(seed: number | null) {
    this.root.seed = seed;
  }

  /** Nodes of the graph around count too: ops inside and outside must not share seeds. */
  override get seedCount(): number {
    return super.seedCount + this.outer.seedCount + this.root.functions.size;
  }

  /** Captured tensors of the graph around, in the order of their arguments, with these arguments. */
  get captures(): ReadonlyMap<Tensor, Tensor> {
    return this.#captures;
  }

  /** Dtypes of arguments and results; `null` where the function is not whole. */
  get signature(): FunctionSignature | null {
    if (this.isPartial || this.fault !== null) return null;
    const dtypes = (tensors: readonly Tensor[]): DType[] => tensors.map(({ dtype }) => baseDType(dtype));
    return { inputs: dtypes(this.inputs), outputs: dtypes(this.outputs) };
  }

  /** Nodes that must run though nothing uses their outputs. */
  get effects(): readonly Operation[] {
    return this.#order.effects;
  }

  /** Adds an argument. */
  addInput({ dtype, shape, name, handle = null }: ArgumentSpec): Tensor {
    const input = this.createPlaceholder({ dtype, shape, name, handle });
    this.inputs.push(input);
    return input;
  }

  private createPlaceholder({ dtype, shape, name, handle }: Required<ArgumentSpec>): Tensor {
    const behind =
      handle === null
        ? {}
        : {
            _handle_dtype: { kind: 'type', value: handle.dtype } as const,
            _handle_shape: { kind: 'shape', value: handle.shape } as const,
          };
    return this.nameScope(null, () =>
      this.controlDependencies(null, () =>
        this.createOp({ type: 'Placeholder', name, attrs: { dtype, shape, ...behind } }).output(0),
      ),
    );
  }

  /** The tensor of this graph that stands for a tensor of a graph around it. */
  capture(tensor: Tensor): Tensor {
    if (tensor.graph === this) return tensor;
    if (tensor.op.type === 'Const') return this.copyConstant(tensor);
    const direct = tensor.graph === this.outer ? tensor : this.outerTensor(tensor);
    const known = this.#captures.get(direct);
    if (known !== undefined) return known;
    const { dtype, shape, handle, op } = direct;
    const input = this.addInput({ dtype, shape, handle, name: nameForCopy(op.name.split('/').at(-1) ?? '') });
    this.#captures.set(direct, input);
    return input;
  }

  private outerTensor(tensor: Tensor): Tensor {
    if (this.outer instanceof FuncGraph) return this.outer.capture(tensor);
    super.adopt('the function', [tensor]);
    throw new InternalError(`${tensor.name} cannot be captured`);
  }

  /** Shape arithmetic in the function sees through constants that were copied. */
  private copyConstant(tensor: Tensor): Tensor {
    const known = this.#copies.get(tensor);
    if (known !== undefined) return known;
    const { attrs, name } = tensor.op;
    const copy = this.nameScope(null, () =>
      this.controlDependencies(null, () =>
        this.createOp({ type: 'Const', name: nameForCopy(name), attrs: attrs.values }).output(0),
      ),
    );
    this.#copies.set(tensor, copy);
    return copy;
  }

  /** Orders the captures as `outers`, adding those that are missing. For functions that share a signature. */
  alignCaptures(outers: readonly Tensor[]): void {
    const own = new Set(this.#captures.values());
    const declared = this.inputs.filter((input) => !own.has(input));
    this.inputs = [...declared, ...outers.map((outer) => this.capture(outer))];
  }

  protected override adopt(_type: string, inputs: readonly Tensor[]): readonly Tensor[] {
    return inputs.map((input) => this.capture(input));
  }

  override createOp(options: Parameters<Graph['createOp']>[0]): Operation {
    const op = super.createOp(options);
    this.#order.add(op);
    return op;
  }

  protected override controlInputsFor(
    inputs: readonly Tensor[],
    explicit: readonly Operation[],
  ): readonly Operation[] {
    const all = super.controlInputsFor(inputs, explicit);
    const own = all.filter((op) => op.graph === this);
    for (const op of all) if (op.graph !== this) this.outerControls.add(op);
    return own;
  }

  /** Plans are kept per version of the graph that a session runs. */
  override noteChange(): void {
    super.noteChange();
    this.outer.noteChange();
  }

  override getCollectionRef(key: string): unknown[] {
    return this.root.getCollectionRef(key);
  }

  override getCollection(key: string, scope?: string): unknown[] {
    return this.root.getCollection(key, scope);
  }
}

/** Ops that change nothing behind the handle that they take. */
const READS: ReadonlySet<string> = new Set([
  'ReadVariableOp',
  'LookupTableFindV2',
  'LookupTableSizeV2',
  'LookupTableExportV2',
]);

/**
 * Program order inside a function: effects on one variable happen in the order of their creation, and an
 * effect happens though nothing uses it (the automatic control dependencies of TensorFlow's functions).
 */
class EffectOrder {
  readonly effects: Operation[] = [];
  readonly #writer = new Map<Tensor, Operation>();
  readonly #readers = new Map<Tensor, Operation[]>();
  #last: Operation | null = null;

  add(op: Operation): void {
    if (op.type === 'VarHandleOp' || op.type === 'Placeholder' || op.def?.stateful !== true) return;
    const handles = op.inputs.filter((input) => input.dtype === 'resource');
    if (READS.has(op.type)) handles.forEach((handle) => this.read(op, handle));
    else if (handles.length > 0) handles.forEach((handle) => this.write(op, handle));
    else if (op.outputs.length === 0 || op.type.startsWith('Print')) this.sequence(op);
  }

  private read(op: Operation, handle: Tensor): void {
    const writer = this.#writer.get(handle);
    if (writer !== undefined) op.addControlInput(writer);
    this.#readers.set(handle, [...(this.#readers.get(handle) ?? []), op]);
  }

  private write(op: Operation, handle: Tensor): void {
    for (const before of [this.#writer.get(handle), ...(this.#readers.get(handle) ?? [])]) {
      if (before !== undefined && before !== op) op.addControlInput(before);
    }
    this.#writer.set(handle, op);
    this.#readers.delete(handle);
    this.effects.push(op);
  }

  private sequence(op: Operation): void {
    if (this.#last !== null) op.addControlInput(this.#last);
    this.#last = op;
    this.effects.push(op);
  }
}
