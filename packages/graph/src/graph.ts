/**
 * `Graph`: owns operations in creation order, their names, scopes and collections. Only grows.
 * `createOp` is the one door through which builders, gradients, importers and tests add nodes.
 */
import { Attrs, type AttrValue } from './attr.js';
import { CallSite } from './callSite.js';
import type { DType } from './dtype.js';
import { GRADIENT_OP_TYPE } from './gradientRegistry.js';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InternalError,
  InvalidArgumentError,
  NotFoundError,
} from './errors.js';
import { withGraph } from './graphStack.js';
import { addOutputs, explain } from './nodeOutputs.js';
import { NameTable, nearestNames } from './names.js';
import { Operation, type OperationInit } from './operation.js';
import { lookupOp } from './opTable.js';
import { resolveAttrs, resolveOwnAttrs, RuleError, type AttrEntries, type AttrInputs } from './resolveOp.js';
import type { FuncGraph } from './funcGraph.js';
import type { Tensor } from './tensor.js';

/** A request for a node. */
export interface CreateOpOptions {
  /** TensorFlow's op type, for example `MatMul`. */
  readonly type: string;
  /** Name below the current scope; made unique. A trailing `/` means: exactly this name. Default: the type. */
  readonly name?: string | undefined;
  /** The whole name, in place of `name`. For importers. */
  readonly fullName?: string;
  /** Inputs in the op's order; repeated arguments flattened. */
  readonly inputs?: readonly Tensor[];
  /** Attributes by TensorFlow's names; types and counts that follow from the inputs may be left out. */
  readonly attrs?: AttrInputs | ReadonlyMap<string, AttrValue>;
  /** Whether `attrs`, a map, is the node's from now on, so that it need not be copied. Default false. */
  readonly ownsAttrs?: boolean;
  readonly controlInputs?: readonly Operation[];
  readonly device?: string;
  /** Dtypes of the outputs, for op types that are not registered. */
  readonly outputDTypes?: readonly DType[] | undefined;
  /** Infers the shapes of the outputs when one is first asked for. Default false. */
  readonly deferShapes?: boolean;
}

/** Anything that leads to an operation. */
export type OperationLike = Operation | Tensor | { readonly op: Operation };

export class Graph {
  readonly #operations: Operation[] = [];
  readonly #byName = new Map<string, Operation>();
  readonly #names = new NameTable();
  readonly #collections = new Map<string, unknown[]>();
  #scope = '';
  #device = '';
  #control: readonly Operation[] = [];
  #gradientNames: Readonly<Record<string, string>> = {};
  #version = 0;
  #edits = 0;
  #finalized = false;
  #seed: number | null = null;
  readonly #functions = new Map<string, FuncGraph>();
  /** Functions of the library that are the gradients of others, by the names of these. */
  readonly functionGradients = new Map<string, string>();

  /** Graph-level random seed (`tf.set_random_seed`), or `null`. */
  get seed(): number | null {
    return this.#seed;
  }

  set seed(seed: number | null) {
    this.#seed = seed;
  }

  /** What ops without a seed of their own derive theirs from: the number of nodes, as in TensorFlow. */
  get seedCount(): number {
    return this.#operations.length;
  }

  /** The graph that holds variables, collections and the function library: itself, or for a function its user's. */
  get root(): Graph {
    return itself(this);
  }

  /** Functions of the library by name. */
  get functions(): ReadonlyMap<string, FuncGraph> {
    return this.#functions;
  }

  /** The function called `name`. Throws `NotFoundError` with the nearest names. */
  getFunction(name: string): FuncGraph {
    const found = this.root.functions.get(name);
    if (found !== undefined && found.fault !== null) throw found.fault;
    if (found !== undefined) return found;
    throw new NotFoundError(this.missing('function', name));
  }

  /** Adds a function to the library under its name. Throws `AlreadyExistsError` when there is one. */
  addFunction(fn: FuncGraph): void {
    if (this.#functions.has(fn.functionName)) {
      throw new AlreadyExistsError(`the graph has another function named "${fn.functionName}"`);
    }
    this.#functions.set(fn.functionName, fn);
  }

  /** All operations in creation order. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Grows with every new node and every change. */
  get version(): number {
    return this.#version;
  }

  get finalized(): boolean {
    return this.#finalized;
  }

  /** The current name scope with its trailing slash, or the empty string. */
  get currentScope(): string {
    return this.#scope;
  }

  /** The operations that new nodes depend on by `controlDependencies`. */
  get currentControlInputs(): readonly Operation[] {
    return this.#control;
  }

  /** Makes the graph read-only (`tf.Graph.finalize`): creating a node throws from now on. */
  finalize(): void {
    this.#finalized = true;
  }

  /** Counts changes to existing nodes: new nodes leave what was compiled before valid. */
  get edits(): number {
    return this.#edits;
  }

  /** Records a change to an existing node. */
  noteChange(): void {
    if (this.#finalized) throw new FailedPreconditionError('the graph is finalized and cannot be modified');
    this.#version++;
    this.#edits++;
  }

  /**
   * Adds a node. Throws `InvalidArgumentError` naming type, node, rule, values and the caller's line
   * when inputs or attributes break the op's signature or shape rules.
   */
  createOp(options: CreateOpOptions): Operation {
    if (this.#finalized) {
      throw new FailedPreconditionError(
        `cannot add ${options.type}: the graph is finalized. Build everything before the training loop`,
      );
    }
    const { type } = options;
    const inputs = this.adopt(type, options.inputs ?? []);
    const site = CallSite.capture(this.createOp);
    const name = options.fullName ?? this.#names.peek(this.#scope, options.name ?? defaultName(type));
    if (this.#byName.has(name)) {
      throw new InvalidArgumentError(`two nodes with the name "${name}"`, { node: name });
    }
    const def = lookupOp(type) ?? this.root.functions.get(type)?.record ?? undefined;
    const op = this.makeOp(options, { name, type, def, inputs, site });
    this.#names.take(name);
    this.#operations.push(op);
    this.#byName.set(name, op);
    this.#version++;
    return op;
  }

  private makeOp(
    options: CreateOpOptions,
    made: Pick<OperationInit, 'name' | 'type' | 'def' | 'inputs' | 'site'>,
  ): Operation {
    const { name, type, def, inputs, site } = made;
    const given = this.withGradientName(type, attrEntries(options.attrs));
    try {
      // Written out: V8 makes a slow object of a literal that goes on after a spread.
      const op = new Operation({
        graph: this,
        id: this.#operations.length,
        name,
        type,
        def,
        inputs,
        site,
        controlInputs: this.controlInputsFor(inputs, options.controlInputs ?? NONE),
        attrs: completedAttrs(made, given, options.ownsAttrs === true),
        device: options.device ?? this.#device,
      });
      addOutputs(op, options.outputDTypes ?? NONE, options.deferShapes === true);
      return op;
    } catch (error) {
      return explain(error, made);
    }
  }

  /** The attributes of a new node, with the name of its gradient where `gradientOverrideMap` gives it one. */
  private withGradientName(type: string, given: AttrEntries): AttrEntries {
    const value = this.gradientNameOf(type);
    return value === undefined ? given : [[GRADIENT_OP_TYPE, { kind: 'string', value }], ...given];
  }

  /**
   * Gives a node more inputs and outputs and other attributes. For the gradients of control flow, which make
   * a loop keep what its derivative needs. Throws `InvalidArgumentError` when the signature does not allow it.
   */
  extendOp(op: Operation, added: readonly Tensor[], changed: AttrInputs): void {
    const inputs = [...op.inputs, ...this.adopt(op.type, added)];
    const kept = Object.fromEntries([...op.attrs.values].filter(([name]) => !(name in changed)));
    const { def } = op;
    if (def === undefined)
      throw new InternalError(`${op.describe()} is not registered and cannot be extended`);
    const listed = new Set(def.inputs.flatMap((arg) => arg.typeListAttr ?? []));
    const given = Object.fromEntries(
      Object.entries({ ...kept, ...changed }).filter(([name]) => !listed.has(name)),
    );
    op.inferDeferred();
    op.extend(inputs, resolveAttrs(def, inputs, Object.entries(given), op.name));
    addOutputs(op, NONE, false);
    this.noteChange();
  }

  /** The inputs of a node to be as tensors of this graph. */
  protected adopt(type: string, inputs: readonly Tensor[]): readonly Tensor[] {
    const foreign = inputs.find((input) => input.graph !== this);
    if (foreign !== undefined) {
      throw new InvalidArgumentError(
        `${type}: input ${foreign.name} belongs to another graph${foreign.op.creationSite()}`,
      );
    }
    return inputs;
  }

  protected controlInputsFor(
    inputs: readonly Tensor[],
    explicit: readonly Operation[],
  ): readonly Operation[] {
    if (explicit.length === 0 && this.#control.length === 0) return [];
    const direct = new Set(inputs.map((input) => input.op));
    return [...new Set([...explicit, ...this.#control])].filter(
      (op) => !direct.has(op) || explicit.includes(op),
    );
  }

  /** A name that no node has yet: `name`, or `name_1`, `name_2` … (`tf.Graph.unique_name`). Reserves it. */
  uniqueName(name: string): string {
    const unique = this.#names.peek(this.#scope, name);
    this.#names.take(unique);
    return unique;
  }

  /** See `nameScope` in scopes.ts. `null` or the empty string leads back to the root. */
  nameScope<R>(name: string | null, build: (scope: string) => R): R {
    const outer = this.#scope;
    if (name === null || name === '') this.#scope = '';
    else if (name.endsWith('/')) this.#scope = name;
    else this.#scope = `${this.uniqueName(name)}/`;
    const inner = this.#scope;
    try {
      return CallSite.within(this.nameScope, () => build(inner));
    } finally {
      this.#scope = outer;
    }
  }

  /** See `controlDependencies` in scopes.ts. */
  controlDependencies<R>(inputs: readonly OperationLike[] | null, build: () => R): R {
    const outer = this.#control;
    const added = inputs?.map(operationOf);
    this.#control = added === undefined ? [] : [...new Set([...outer, ...added])];
    try {
      return build();
    } finally {
      this.#control = outer;
    }
  }

  /** See `device` in scopes.ts. */
  withDevice<R>(name: string | null, build: () => R): R {
    const outer = this.#device;
    this.#device = name ?? '';
    try {
      return build();
    } finally {
      this.#device = outer;
    }
  }

  /**
   * While `build` runs, nodes of these op types get the gradients registered under these names in place of their own
   * (`tf.Graph.gradient_override_map`; see `registerGradient`). Inner maps add to outer ones. Returns what `build` returns.
   */
  gradientOverrideMap<R>(opTypes: Readonly<Record<string, string>>, build: () => R): R {
    const outer = this.#gradientNames;
    this.#gradientNames = { ...outer, ...opTypes };
    try {
      return build();
    } finally {
      this.#gradientNames = outer;
    }
  }

  /** The name of the gradient that new nodes of a type get in place of their own. */
  gradientNameOf(type: string): string | undefined {
    return Object.hasOwn(this.#gradientNames, type) ? this.#gradientNames[type] : undefined;
  }

  /** Makes this the default graph while `build` runs and returns its result. */
  asDefault<R>(build: () => R): R {
    const result = CallSite.within(this.asDefault, () => withGraph(this, build));
    if (result instanceof Promise) {
      throw new InvalidArgumentError('asDefault() takes a synchronous callback');
    }
    return result;
  }

  /** The operation called `name`. Throws `NotFoundError` with the nearest names. */
  getOperationByName(name: string): Operation {
    const op = this.#byName.get(name);
    if (op === undefined) throw new NotFoundError(this.missing('operation', name));
    return op;
  }

  /** The tensor called `op:index`. Throws for a missing index, an unknown op or output. */
  getTensorByName(name: string): Tensor {
    const [, opName, index] = /^(.*):(\d+)$/.exec(name) ?? [];
    if (opName === undefined || index === undefined) {
      const hint = this.#byName.has(name) ? `; "${name}" is an operation, its output is "${name}:0"` : '';
      throw new InvalidArgumentError(`"${name}" is not a tensor name of the form "op:0"${hint}`);
    }
    const op = this.#byName.get(opName);
    if (op === undefined) throw new NotFoundError(this.missing('tensor', name, opName));
    return op.output(Number(index));
  }

  /** The tensor or operation that a name means: `op:0` or `op`. */
  asGraphElement(name: string): Operation | Tensor {
    return name.includes(':') ? this.getTensorByName(name) : this.getOperationByName(name);
  }

  /** The operation called `name`, or `undefined`. */
  findOperation(name: string): Operation | undefined {
    return this.#byName.get(name);
  }

  protected missing(kind: string, name: string, opName = name): string {
    const names = kind === 'function' ? this.root.functions.keys() : this.#byName.keys();
    const near = nearestNames(opName, names);
    const hint = near.length === 0 ? '' : `. Did you mean ${near.map((n) => `"${n}"`).join(', ')}?`;
    return `the graph has no ${kind} "${name}"${hint}`;
  }

  /** Appends to a collection (`tf.Graph.add_to_collection`). */
  addToCollection(key: string, value: unknown): void {
    this.getCollectionRef(key).push(value);
  }

  /** Appends to several collections. */
  addToCollections(keys: readonly string[], value: unknown): void {
    keys.forEach((key) => this.addToCollection(key, value));
  }

  /** A copy of the collection, restricted to items whose `name` starts with `scope` when given. */
  getCollection(key: string, scope?: string): unknown[] {
    const items = this.#collections.get(key) ?? [];
    if (scope === undefined) return [...items];
    return items.filter((item) => hasName(item) && item.name.startsWith(scope));
  }

  /** The collection itself, created when it is missing. */
  getCollectionRef(key: string): unknown[] {
    const items = this.#collections.get(key) ?? [];
    this.#collections.set(key, items);
    return items;
  }

  /** Empties a collection. */
  clearCollection(key: string): void {
    this.#collections.delete(key);
  }

  /** Keys of all collections, in order of creation. */
  get collectionKeys(): string[] {
    return [...this.#collections.keys()];
  }
}

/** A graph as a `Graph`: a function's root is another graph than the function. */
function itself(graph: Graph): Graph {
  return graph;
}

/** The operation behind a tensor, an operation or a variable. */
export function operationOf(item: OperationLike): Operation {
  return item instanceof Operation ? item : item.op;
}

function hasName(item: unknown): item is { readonly name: string } {
  return typeof item === 'object' && item !== null && 'name' in item && typeof item.name === 'string';
}

/** The types of fused ops begin with an underscore, which names may not. */
function defaultName(type: string): string {
  return type.replace(/^_+/, '');
}

const NONE: readonly never[] = [];

function attrEntries(attrs: CreateOpOptions['attrs']): AttrEntries {
  return attrs instanceof Map ? (attrs as ReadonlyMap<string, AttrValue>) : Object.entries(attrs ?? {});
}

function completedAttrs(
  { def, inputs, name }: Pick<OperationInit, 'def' | 'inputs' | 'name'>,
  given: AttrEntries,
  owned: boolean,
): Attrs {
  if (def === undefined) return taggedAttrs(given, name);
  if (owned && given instanceof Map)
    return resolveOwnAttrs(def, inputs, given as Map<string, AttrValue>, name);
  return resolveAttrs(def, inputs, given, name);
}

function taggedAttrs(given: AttrEntries, owner: string): Attrs {
  const values = new Map<string, AttrValue>();
  for (const [name, value] of given) {
    if (typeof value !== 'object' || value === null || !('kind' in value)) {
      throw new RuleError(`attribute "${name}" of an unregistered op needs a tagged value`);
    }
    values.set(name, value);
  }
  return new Attrs(values, owner);
}
