/**
 * A run whose course depends on values that it computes: loops until a condition on them ends, conditionals, shapes
 * that follow from elements. The straight parts between are compiled plans as ever; what cuts them is carried
 * out here. Values stay on the device from one part to the next, and only what decides is read.
 */
import {
  fromHostValue,
  FuncGraph,
  InternalError,
  InvalidArgumentError,
  isInteger,
  sizeOf,
  TensorShape,
  TensorValue,
  toHostValue,
  type HostValue,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { bodyOf, isCall } from '../compiler/calls.js';
import type { Pruned } from '../compiler/prune.js';
import { touchesLists } from '../compiler/lists.js';
import type { DeferredOp, Export } from '../compiler/values.js';
import type { DeviceHandle } from '../device/handle.js';
import { fromWords } from '../device/words.js';
import type { Plan } from '../plan.js';
import { executeKeeping } from './execute.js';
import type { Feed } from './feeds.js';
import { hostStep, isHostStep, type HostEnvironment } from './hostOps.js';
import { addends, runListOp } from './runtimeLists.js';
import {
  hostTensor,
  type RuntimeList,
  type RuntimePool,
  type RuntimeTensor,
  type RuntimeValue,
} from './runtimeValues.js';
import type { Tracer } from './tracer.js';

/** What is to be run in one part, with feeds from the parts before. */
export interface PartRequest {
  /** Tells the function and what has been done of it. */
  readonly key: string;
  readonly operations: readonly Operation[];
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly Feed[];
  readonly bound: NonNullable<Pruned['bound']>;
}

export interface StagedContext {
  readonly handle: DeviceHandle;
  readonly environment: HostEnvironment;
  readonly pool: RuntimePool;
  readonly tracer: Tracer | undefined;
  /** A plan for a part, from the session's cache or compiled now. */
  readonly plan: (request: PartRequest) => Promise<Plan>;
}

/** Operations, what is wanted of them, and a name for the cache. */
interface Scope {
  readonly key: string;
  readonly operations: readonly Operation[];
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
}

/** Integers up to this size are computed on the host, when all operands are there: counters, conditions on them. */
const MAX_HOST_ELEMENTS = 64;
/** A loop that has gone round this often begins its next iteration before its condition is known. */
const SPECULATE_AFTER = 2;

export class StagedRun {
  constructor(private readonly context: StagedContext) {}

  /** Runs a request whose first part is compiled; values of the fetches on the host. */
  async start(
    first: Plan,
    feeds: readonly Feed[],
    scope: Omit<Scope, 'key' | 'operations'>,
  ): Promise<TensorValue[]> {
    try {
      const known = new Map(feeds.map((feed) => [feed.tensor, fedValue(feed)] as const));
      const part = new Part(this, this.context, { ...scope, key: '', operations: [] }, known);
      await part.execute(first, feeds);
      return await this.readAll(await part.run());
    } finally {
      this.context.pool.reset();
    }
  }

  /** The results of a function. The caller releases them. */
  async call(fn: FuncGraph, args: readonly RuntimeValue[]): Promise<RuntimeValue[]> {
    const known = new Map(
      fn.inputs.flatMap((input, i) => (args[i] === undefined ? [] : [[input, args[i]] as const])),
    );
    const scope = {
      key: `${fn.functionName}@${fn.version}`,
      operations: bodyOf(fn),
      fetches: fn.outputs,
      targets: fn.effects,
    };
    return this.context.pool.hold(await new Part(this, this.context, scope, known).run());
  }

  private async readAll(values: readonly RuntimeValue[]): Promise<TensorValue[]> {
    const tensors = values.map((value) => {
      if (value.kind !== 'tensor')
        throw new InvalidArgumentError('a tensor list cannot be fetched: stack it');
      return value;
    });
    await this.read(tensors);
    return Promise.all(tensors.map((tensor) => this.readOne(tensor)));
  }

  async readOne(tensor: RuntimeTensor): Promise<TensorValue> {
    if (tensor.value === null) await this.read([tensor]);
    if (tensor.value === null) throw new InternalError('a value was not read');
    return tensor.value;
  }

  /** Brings the elements of tensors to the host, in one readback. */
  async read(tensors: readonly RuntimeTensor[]): Promise<void> {
    const missing = tensors.filter((tensor) => tensor.value === null && tensor.buffer !== null);
    const bytes = missing.reduce((sum, { shape }) => sum + sizeOf(shape) * 4, 0);
    if (bytes === 0) return;
    const { handle } = this.context;
    const staging = handle.createBuffer(bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, 'decision');
    try {
      const encoder = handle.device.createCommandEncoder();
      let offset = 0;
      for (const { buffer, shape } of missing) {
        const size = sizeOf(shape) * 4;
        if (buffer !== null) encoder.copyBufferToBuffer(buffer, 0, staging, offset, size);
        offset += size;
      }
      handle.queue.submit([encoder.finish()]);
      await handle.wait(staging.mapAsync(GPUMapMode.READ));
      fill(missing, staging.getMappedRange());
      staging.unmap();
    } finally {
      handle.destroyBuffer(staging);
    }
  }

  /** Carries out a call of functions. */
  async control(op: Operation, inputs: readonly RuntimeValue[]): Promise<RuntimeValue[]> {
    if (op.type.endsWith('While')) return this.loop(op, inputs);
    if (op.type.endsWith('Call')) return this.call(op.graph.getFunction(op.attrs.func('f').name), inputs);
    const [selector, ...args] = inputs;
    const chosen = await this.scalar(selector, op);
    if (op.type.endsWith('If')) {
      return this.call(
        op.graph.getFunction(op.attrs.func(chosen === 0 ? 'else_branch' : 'then_branch').name),
        args,
      );
    }
    const branches = op.attrs.funcs('branches');
    const branch = branches[chosen] ?? branches.at(-1);
    return this.call(op.graph.getFunction(branch?.name ?? ''), args);
  }

  private async scalar(value: RuntimeValue | undefined, op: Operation): Promise<number> {
    if (value?.kind !== 'tensor') throw new InternalError(`${op.describe()} has no selector`);
    return Number((await this.readOne(value)).data[0]);
  }

  private async loop(op: Operation, initial: readonly RuntimeValue[]): Promise<RuntimeValue[]> {
    const cond = op.graph.getFunction(op.attrs.func('cond').name);
    const body = op.graph.getFunction(op.attrs.func('body').name);
    const { pool } = this.context;
    let vars = pool.hold([...initial]);
    for (let i = 0; ; i++) {
      const [predicate] = await this.calledOnce(cond, vars);
      const isKnown = predicate?.kind === 'tensor' && predicate.value !== null;
      const ahead =
        isKnown || i < SPECULATE_AFTER || !op.type.startsWith('Stateless')
          ? null
          : settled(this.call(body, vars));
      const goesOn = await this.scalar(predicate, op);
      if (goesOn === 0) {
        if (ahead !== null) await ahead;
        return vars;
      }
      const next = ahead === null ? await this.call(body, vars) : unwrap(await ahead);
      pool.release(vars);
      vars = next;
      pool.collect();
    }
  }

  private async calledOnce(fn: FuncGraph, args: readonly RuntimeValue[]): Promise<RuntimeValue[]> {
    const values = await this.call(fn, args);
    this.context.pool.release(values);
    return values;
  }
}

/** The outcome of an iteration that may turn out not to be wanted: its errors count only if it is. */
type Outcome = { readonly values: RuntimeValue[] } | { readonly error: unknown };

function settled(promise: Promise<RuntimeValue[]>): Promise<Outcome> {
  return promise.then(
    (values) => ({ values }),
    (error: unknown) => ({ error }),
  );
}

function unwrap(outcome: Outcome): RuntimeValue[] {
  if ('error' in outcome) throw outcome.error;
  return outcome.values;
}

function fill(tensors: readonly RuntimeTensor[], mapped: ArrayBuffer): void {
  let offset = 0;
  for (const tensor of tensors) {
    const length = sizeOf(tensor.shape);
    tensor.value = fromWords(mapped.slice(offset, offset + length * 4), tensor.dtype, tensor.shape, length);
    offset += length * 4;
  }
}

function fedValue({ value, buffer }: Feed): RuntimeTensor {
  return {
    kind: 'tensor',
    dtype: value.dtype,
    shape: value.shape,
    buffer,
    value: buffer === null ? value : null,
  };
}

/** The operations of one scope on their way to being done. */
class Part {
  #rest: readonly DeferredOp[];

  constructor(
    private readonly staged: StagedRun,
    private readonly context: StagedContext,
    private readonly scope: Scope,
    private readonly known: Map<Tensor, RuntimeValue>,
  ) {
    this.#rest = scope.operations.map((op) => ({ op, hostInputs: null }));
  }

  /** Runs what is left and returns the fetches. */
  async run(): Promise<RuntimeValue[]> {
    const held = this.context.pool.hold({ [Symbol.iterator]: () => this.known.values() });
    try {
      await this.settle();
      while (this.#rest.length > 0) {
        const before = this.#rest;
        const request = this.request();
        await this.execute(await this.context.plan(request), request.feeds);
        await this.settle();
        if (this.isStuck(before)) this.failStuck();
      }
      return this.scope.fetches.map((tensor) => this.value(tensor));
    } finally {
      this.context.pool.release(held);
    }
  }

  #read = false;

  private isStuck(before: readonly DeferredOp[]): boolean {
    const read = this.#read;
    this.#read = false;
    return this.#rest.length === before.length && !read;
  }

  private failStuck(): never {
    const names = this.#rest.slice(0, 5).map(({ op }) => op.describe());
    throw new InternalError(`the run cannot go on with ${names.join(', ')}`);
  }

  private value(tensor: Tensor): RuntimeValue {
    const value = this.known.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} was not computed`);
    return value;
  }

  /** Runs a plan for what is left, and takes over what it exports and defers. */
  async execute(plan: Plan, feeds: readonly Feed[]): Promise<void> {
    const { environment, pool, tracer } = this.context;
    const values = await executeKeeping(plan, feeds, environment, pool, tracer);
    for (const [tensor, place] of plan.init.exports) this.known.set(tensor, this.located(place, values));
    this.#rest = plan.init.deferred;
  }

  private located(place: Export, values: readonly RuntimeTensor[]): RuntimeValue {
    switch (place.kind) {
      case 'value': {
        const value = values[place.index];
        if (value === undefined) throw new InternalError(`there is no export ${place.index}`);
        return value;
      }
      case 'list': {
        const elements = place.elements.map((element) =>
          element === null ? null : this.located(element, values),
        );
        return { kind: 'list', elements, element: place.element };
      }
      case 'variable':
        return { kind: 'variable', variable: place.variable };
      case 'fed':
        return this.value(place.tensor);
    }
  }

  private request(): PartRequest {
    const operations = this.#rest.map(({ op }) => op);
    const left = new Set(operations);
    const needed = new Set(operations.flatMap((op) => op.inputs));
    const feeds: Feed[] = [];
    const bound = new Map<Tensor, NonNullable<ReturnType<NonNullable<Pruned['bound']>['get']>>>();
    const parts: string[] = [];
    for (const tensor of needed) {
      const value = this.known.get(tensor);
      if (value === undefined) continue;
      feeds.push(feedOf(tensor, value));
      if (value.kind === 'list') bound.set(tensor, 'list');
      if (value.kind === 'variable') bound.set(tensor, value.variable);
      parts.push(`${tensor.op.id}:${tensor.index}=${describeValue(value)}`);
    }
    const fetches = this.scope.fetches.filter((tensor) => !this.known.has(tensor));
    const targets = this.scope.targets.filter((op) => left.has(op));
    const wanted = [...fetches.map(({ op, index }) => `${op.id}:${index}`), ...targets.map(({ id }) => id)];
    return {
      key: `${this.scope.key}|${operations.map(({ id }) => id).join()}|${wanted.join()}|${parts.join()}`,
      operations,
      fetches,
      targets,
      feeds,
      bound,
    };
  }

  /** Carries out everything that the run itself does and whose inputs are there. */
  private async settle(): Promise<void> {
    const waiting = new Set(this.#rest.map(({ op }) => op));
    const rest: DeferredOp[] = [];
    for (const deferred of this.#rest) {
      const { op } = deferred;
      if (
        op.controlInputs.some((control) => waiting.has(control)) ||
        !op.inputs.every((input) => this.isThere(input))
      ) {
        rest.push(deferred);
        continue;
      }
      const outputs = await this.carryOut(deferred);
      if (outputs === null) {
        rest.push(deferred);
        continue;
      }
      outputs.forEach((value, i) => this.known.set(op.output(i), value));
      waiting.delete(op);
    }
    this.#rest = rest;
  }

  private isThere(tensor: Tensor): boolean {
    return this.known.has(tensor) || tensor.op.type === 'Const';
  }

  private input(tensor: Tensor): RuntimeValue {
    const value = this.known.get(tensor);
    return value ?? hostTensor(tensor.op.attrs.tensor('value'));
  }

  /** The outputs of an op, or `null` when it is for a plan. */
  private async carryOut({ op, hostInputs }: DeferredOp): Promise<readonly RuntimeValue[] | null> {
    if (op.type === 'Const') return null;
    const inputs = op.inputs.map((input) => this.input(input));
    if (hostInputs !== null && hostInputs.length > 0) await this.readInputs(inputs, hostInputs);
    else if (isCall(op)) return hostInputs === null ? null : this.controlled(op, inputs);
    const isList =
      touchesLists(op) && (hostInputs?.length === 0 || inputs.some(({ kind }) => kind === 'list'));
    if (isList) return this.listed(op, inputs);
    if (hostInputs?.length === 0) return this.evaluated(op, inputs);
    return this.counted(op, inputs);
  }

  private async controlled(op: Operation, inputs: readonly RuntimeValue[]): Promise<readonly RuntimeValue[]> {
    const values = await this.staged.control(op, inputs);
    this.context.pool.release(values);
    return values.slice(0, op.outputs.length);
  }

  private async readInputs(inputs: readonly RuntimeValue[], wanted: readonly number[]): Promise<void> {
    const tensors = wanted.flatMap((i) => {
      const value = inputs[i];
      return value?.kind === 'tensor' && value.value === null ? [value] : [];
    });
    if (tensors.length === 0) return;
    await this.staged.read(tensors);
    this.#read = true;
  }

  private async listed(op: Operation, inputs: readonly RuntimeValue[]): Promise<readonly RuntimeValue[]> {
    if (op.type === 'AddN') return [await this.added(inputs as RuntimeList[])];
    const { handle, pool } = this.context;
    return runListOp({ handle, pool, read: (value) => this.staged.readOne(value) }, op, inputs);
  }

  /** The sum of lists: `AddN` over the elements of each position. */
  private async added(lists: readonly RuntimeList[]): Promise<RuntimeList> {
    const elements: (RuntimeValue | null)[] = [];
    for (const parts of addends(lists)) elements.push(await this.sum(parts));
    return {
      kind: 'list',
      elements,
      element: lists[0]?.element ?? { dtype: 'float32', shape: TensorShape.UNKNOWN },
    };
  }

  private async sum(parts: readonly RuntimeValue[]): Promise<RuntimeValue | null> {
    const [first, ...others] = parts;
    if (first === undefined || others.length === 0) return first ?? null;
    if (first.kind === 'list') return this.added(parts as RuntimeList[]);
    if (first.kind !== 'tensor') throw new InternalError('variables cannot be added up');
    const fn = sumFunction(parts.length, first, this.scopeGraph().root);
    const [total] = await this.staged.call(fn, parts);
    return total ?? null;
  }

  private scopeGraph(): Operation['graph'] {
    const graph = this.#rest[0]?.op.graph ?? this.scope.fetches[0]?.graph;
    if (graph === undefined) throw new InternalError('a part of a run has no operations');
    return graph;
  }

  /** An op that is evaluated on the host whatever it takes. */
  private async evaluated(
    op: Operation,
    inputs: readonly RuntimeValue[],
  ): Promise<readonly RuntimeValue[] | null> {
    const tensors = inputs.filter((value) => value.kind === 'tensor');
    if (tensors.length < inputs.length) return null;
    if (isHostStep(op.type)) return this.stepped(op, tensors);
    if (op.def?.evaluate === undefined) return null;
    await this.staged.read(tensors);
    return evaluate(op, tensors);
  }

  /** A host step whose results have shapes that only it knows. */
  private async stepped(op: Operation, tensors: readonly RuntimeTensor[]): Promise<readonly RuntimeValue[]> {
    await this.staged.read(tensors);
    const values = await Promise.all(tensors.map((tensor) => this.staged.readOne(tensor)));
    const node = { type: op.type, name: op.name, attrs: op.attrs, inputs: [], site: op.creationSite() };
    const results = (await hostStep(op.type)?.(node, values, this.context.environment)) ?? [];
    return results.map(hostTensor);
  }

  /** Small integers and booleans whose operands are on the host. */
  private counted(op: Operation, inputs: readonly RuntimeValue[]): readonly RuntimeValue[] | null {
    const { def } = op;
    if (def?.evaluate === undefined || def.stateful || op.outputs.length === 0) return null;
    if (!op.inputs.some((input) => this.known.has(input))) return null;
    if (!op.outputs.every(({ dtype }) => isInteger(dtype) || dtype === 'bool')) return null;
    const tensors = inputs.filter(
      (value) => value.kind === 'tensor' && value.value !== null && sizeOf(value.shape) <= MAX_HOST_ELEMENTS,
    ) as RuntimeTensor[];
    if (tensors.length < inputs.length) return null;
    return evaluate(op, tensors);
  }
}

function evaluate(op: Operation, tensors: readonly RuntimeTensor[]): readonly RuntimeValue[] | null {
  const values = tensors.map(({ value }): HostValue | null => (value === null ? null : toHostValue(value)));
  const shapes = tensors.map(({ shape }) => new TensorShape(shape));
  const results = op.def?.evaluate?.({
    attrs: op.attrs,
    shapes,
    outputs: op.outputs.map(({ dtype }) => dtype),
    shape: (i) => shapes[i] ?? TensorShape.UNKNOWN,
    value: (i) => values[i] ?? null,
  });
  return results?.map((value) => hostTensor(fromHostValue(value))) ?? null;
}

const sums = new WeakMap<Operation['graph'], Map<string, FuncGraph>>();

/** A function that adds up `count` tensors of one dtype and shape. */
function sumFunction(count: number, { dtype, shape }: RuntimeTensor, graph: Operation['graph']): FuncGraph {
  const known = sums.get(graph) ?? new Map<string, FuncGraph>();
  sums.set(graph, known);
  const name = `forestagedsum_${count}_${dtype}_${shape.join('x')}`;
  const fn = known.get(name) ?? new FuncGraph(name, graph);
  if (known.has(name)) return fn;
  known.set(name, fn);
  const args = Array.from({ length: count }, (_, i) =>
    fn.addInput({ dtype, shape: new TensorShape(shape), name: `x_${i}` }),
  );
  fn.outputs = fn.createOp({ type: 'AddN', inputs: args }).outputs;
  return fn;
}

function feedOf(tensor: Tensor, value: RuntimeValue): Feed {
  if (value.kind === 'tensor') {
    return {
      tensor,
      value: value.value ?? withoutElements(value),
      buffer: value.value === null ? value.buffer : null,
    };
  }
  return { tensor, value: new TensorValue('int32', [], Int32Array.of(0)), buffer: null };
}

/** What compilation sees of a value that is on the device. */
function withoutElements({ dtype, shape }: RuntimeTensor): TensorValue {
  return Object.create(TensorValue.prototype, {
    dtype: { value: dtype },
    shape: { value: shape },
    data: { value: new Float32Array(0) },
  }) as TensorValue;
}

function describeValue(value: RuntimeValue): string {
  if (value.kind === 'tensor') return `${value.shape.join('x')}${value.value === null ? '' : 'h'}`;
  return value.kind === 'list' ? 'list' : value.variable.key;
}
