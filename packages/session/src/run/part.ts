/** One part after the other of a scope: what the run does itself, then a plan for the rest, until all is done. */
import { InternalError, type Operation, type Tensor } from '@forerun/graph';
import { isCall } from '../compiler/calls.js';
import type { DeferredOp, Export } from '../compiler/values.js';
import type { Plan } from '../plan.js';
import { executeKeeping } from './execute.js';
import type { Feed } from './feeds.js';
import type { HostEnvironment } from './hostOps.js';
import { PartOps } from './partOps.js';
import { partRequest, type Scope } from './partRequest.js';
import { readTensors } from './readback.js';
import { hostTensor, type RuntimeTensor, type RuntimeValue } from './runtimeValues.js';
import type { StagedContext, StagedRun } from './stagedRun.js';

/** The operations of one scope on their way to being done. */
export class Part {
  #rest: readonly DeferredOp[];
  /** Whether a value was read since the last plan: then the next one may do more. */
  #read = false;
  readonly #ops: PartOps;
  /** The run's, drawing with the salt of the scope. */
  readonly #environment: HostEnvironment;

  constructor(
    private readonly staged: StagedRun,
    private readonly context: StagedContext,
    private readonly scope: Scope,
    private readonly known: Map<Tensor, RuntimeValue>,
  ) {
    const { environment } = context;
    this.#environment = { ...environment, random: environment.random.withSalt(scope.salt) };
    this.#ops = new PartOps(staged, { ...context, environment: this.#environment });
    this.#rest = scope.operations.map((op) => ({ op, hostInputs: null }));
  }

  /** Runs what is left and returns the fetches. */
  async run(): Promise<RuntimeValue[]> {
    const held = this.context.pool.hold({ [Symbol.iterator]: () => this.known.values() });
    try {
      await this.settle();
      while (this.#rest.length > 0) {
        const before = this.#rest;
        const request = partRequest(
          this.scope,
          before.map(({ op }) => op),
          this.known,
        );
        await this.execute(await this.context.plan(request), request.feeds);
        await this.settle();
        if (this.isStuck(before)) this.failStuck();
      }
      return this.scope.fetches.map((tensor) => this.value(tensor));
    } finally {
      this.context.pool.release(held);
    }
  }

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
    const { pool, tracer } = this.context;
    const values = await executeKeeping(plan, feeds, this.#environment, pool, tracer);
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

  /** Carries out everything that the run itself does and whose inputs are there. */
  private async settle(): Promise<void> {
    const waiting = new Set(this.#rest.map(({ op }) => op));
    const rest: DeferredOp[] = [];
    for (const deferred of this.#rest) {
      const outputs = this.isReady(deferred.op, waiting) ? await this.carryOut(deferred) : null;
      if (outputs === null) {
        rest.push(deferred);
        continue;
      }
      outputs.forEach((value, i) => this.known.set(deferred.op.output(i), value));
      waiting.delete(deferred.op);
    }
    this.#rest = rest;
  }

  private isReady(op: Operation, waiting: ReadonlySet<Operation>): boolean {
    return (
      op.inputs.every((input) => this.isThere(input)) &&
      !op.controlInputs.some((control) => waiting.has(control))
    );
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
    return this.#ops.carryOut({ op, hostInputs }, inputs);
  }

  private async controlled(op: Operation, inputs: readonly RuntimeValue[]): Promise<readonly RuntimeValue[]> {
    const values = await this.staged.control(op, inputs, this.scope.salt);
    this.context.pool.release(values);
    return values.slice(0, op.outputs.length);
  }

  private async readInputs(inputs: readonly RuntimeValue[], wanted: readonly number[]): Promise<void> {
    const tensors = wanted.flatMap((i) => {
      const value = inputs[i];
      return value?.kind === 'tensor' && value.value === null ? [value] : [];
    });
    if (tensors.length === 0) return;
    await readTensors(this.context.handle, tensors);
    this.#read = true;
  }
}
