/** `Operation`: a node of the graph. Made by `Graph.createOp` only. */
import type { Attrs } from './attr.js';
import type { CallSite } from './callSite.js';
import { InvalidArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import type { OpDef } from './opDef.js';
import type { TensorShape } from './shape.js';
import type { Tensor } from './tensor.js';

/** Everything of a new node but its outputs. */
export interface OperationInit {
  readonly graph: Graph;
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly def: OpDef | undefined;
  readonly inputs: readonly Tensor[];
  readonly controlInputs: readonly Operation[];
  readonly attrs: Attrs;
  readonly device: string;
  readonly site: CallSite | undefined;
}

/**
 * A node: an op type applied to inputs. `def` is undefined for types that are not registered; such
 * nodes come from files, can be inspected and written back, and stop a run only when it needs them.
 */
export class Operation {
  readonly graph: Graph;
  /** Position in creation order. */
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly def: OpDef | undefined;
  #attrs: Attrs;
  /** Device label, kept for files and for reading; it does not choose an adapter. */
  readonly device: string;
  /** The user's line that created the node. */
  readonly site: CallSite | undefined;
  #outputs: Tensor[] = [];
  #inputs: Tensor[];
  readonly #controlInputs: Operation[];
  #deferred: ((op: Operation) => void) | null = null;

  constructor(init: OperationInit) {
    this.graph = init.graph;
    this.id = init.id;
    this.name = init.name;
    this.type = init.type;
    this.def = init.def;
    this.#attrs = init.attrs;
    this.device = init.device;
    this.site = init.site;
    this.#inputs = [...init.inputs];
    this.#controlInputs = [...init.controlInputs];
  }

  get attrs(): Attrs {
    return this.#attrs;
  }

  get outputs(): Tensor[] {
    return this.#outputs;
  }

  get inputs(): readonly Tensor[] {
    return this.#inputs;
  }

  get controlInputs(): readonly Operation[] {
    return this.#controlInputs;
  }

  /** Output `index`. Throws `InvalidArgumentError` when the op has fewer. */
  output(index = 0): Tensor {
    const output = this.outputs[index];
    if (output === undefined) {
      throw new InvalidArgumentError(`${this.describe()} has no output ${index}`, { node: this.name });
    }
    return output;
  }

  /** `MatMul "dense/logits"`, as messages name a node. */
  describe(): string {
    return `${this.type} "${this.name}"`;
  }

  /** ` (created at train.ts:41)`, or nothing when the place is not known. */
  creationSite(): string {
    const site = this.site?.toString();
    return site === undefined ? '' : ` (created at ${site})`;
  }

  /** Gives the node outputs behind those that it has. For the graph. */
  addOutputs(added: Tensor[]): void {
    this.#outputs = this.#outputs.length === 0 ? added : [...this.#outputs, ...added];
  }

  /** Leaves the shapes of the outputs to `infer`, which gives them when one is first asked for. For the graph. */
  deferShapes(infer: (op: Operation) => void): void {
    this.#deferred = infer;
  }

  /** Whether the shapes of the outputs have not been inferred yet. */
  get shapesDeferred(): boolean {
    return this.#deferred !== null;
  }

  /** Infers shapes that were deferred. Throws `InvalidArgumentError` naming the node whose inputs do not fit, every time. */
  inferDeferred(): void {
    this.#deferred?.(this);
  }

  /** Gives the outputs the shapes that were deferred. For the graph. */
  resolveShapes(shapes: readonly TensorShape[]): void {
    shapes.forEach((shape, i) => this.outputs[i]?.resolveShape(shape));
    this.#deferred = null;
  }

  /** Replaces an input. For importers, which meet the back edges of loops before their source. */
  replaceInput(index: number, tensor: Tensor): void {
    this.inferDeferred();
    if (this.#inputs[index] === undefined) {
      throw new InvalidArgumentError(`${this.describe()} has no input ${index}`, { node: this.name });
    }
    this.#inputs[index] = tensor;
    this.graph.noteChange();
  }

  /** Replaces inputs and attributes together. For `Graph.extendOp`, which checks them. */
  extend(inputs: readonly Tensor[], attrs: Attrs): void {
    this.#inputs = [...inputs];
    this.#attrs = attrs;
  }

  /** Adds a control dependency on `op`. */
  addControlInput(op: Operation): void {
    if (this.#controlInputs.includes(op)) return;
    this.#controlInputs.push(op);
    this.graph.noteChange();
  }

  toString(): string {
    return `<Operation ${this.describe()}>`;
  }
}
