/**
 * A run whose course depends on values that it computes: loops until a condition on them ends, conditionals, shapes
 * that follow from elements. The straight parts between are compiled plans as ever; what cuts them is carried
 * out here. Values stay on the device from one part to the next, and only what decides is read.
 */
import {
  calledFunction,
  InternalError,
  InvalidArgumentError,
  type FuncGraph,
  type Operation,
  type TensorValue,
} from '@forerun/graph';
import { NO_SALT, type Salt } from '@forerun/kernels-webgpu';
import { bodyOf, isLoop, saltOfCall } from '../compiler/calls.js';
import type { DeviceHandle } from '../device/handle.js';
import type { Plan } from '../plan.js';
import type { Feed } from './feeds.js';
import type { HostEnvironment } from './hostOps.js';
import { Part } from './part.js';
import { fedValue, type PartRequest, type Scope } from './partRequest.js';
import { readTensor, readTensors } from './readback.js';
import type { RuntimePool, RuntimeValue } from './runtimeValues.js';
import type { Tracer } from './tracer.js';

export interface StagedContext {
  readonly handle: DeviceHandle;
  readonly environment: HostEnvironment;
  readonly pool: RuntimePool;
  readonly tracer: Tracer | undefined;
  /** A plan for a part, from the session's cache or compiled now. */
  readonly plan: (request: PartRequest) => Promise<Plan>;
}

/** A loop that has gone round this often begins its next iteration before its condition is known. */
const SPECULATE_AFTER = 2;

export class StagedRun {
  constructor(private readonly context: StagedContext) {}

  /** Runs a request whose first part is compiled; values of the fetches on the host. */
  async start(
    first: Plan,
    feeds: readonly Feed[],
    scope: Omit<Scope, 'key' | 'operations' | 'salt'>,
  ): Promise<TensorValue[]> {
    const { texts } = this.context.handle;
    const run = texts.begin();
    try {
      const known = new Map(feeds.map((feed) => [feed.tensor, fedValue(feed)] as const));
      const part = new Part(this, this.context, { ...scope, key: '', operations: [], salt: NO_SALT }, known);
      await part.execute(first, feeds);
      return await this.readAll(await part.run());
    } finally {
      texts.end(run);
      this.context.pool.reset();
    }
  }

  /** The results of a function. The caller releases them. */
  async call(fn: FuncGraph, args: readonly RuntimeValue[], salt: Salt): Promise<RuntimeValue[]> {
    const known = new Map(
      fn.inputs.flatMap((input, i) => (args[i] === undefined ? [] : [[input, args[i]] as const])),
    );
    const scope = {
      key: `${fn.functionName}@${fn.version}`,
      operations: bodyOf(fn),
      fetches: fn.outputs,
      targets: fn.effects,
      salt,
    };
    return this.context.pool.hold(await new Part(this, this.context, scope, known).run());
  }

  private async readAll(values: readonly RuntimeValue[]): Promise<TensorValue[]> {
    const tensors = values.map((value) => {
      if (value.kind !== 'tensor')
        throw new InvalidArgumentError('a tensor list cannot be fetched: stack it');
      return value;
    });
    const { handle } = this.context;
    await readTensors(handle, tensors);
    return Promise.all(tensors.map((tensor) => readTensor(handle, tensor)));
  }

  /** Carries out a call of functions in a body of salt `outer`. */
  async control(op: Operation, inputs: readonly RuntimeValue[], outer: Salt): Promise<RuntimeValue[]> {
    if (isLoop(op)) return this.loop(op, inputs, outer);
    const salt = saltOfCall(op, outer, 0);
    const called = calledFunction(op);
    if (called !== null) return this.call(called, inputs, salt);
    const [selector, ...args] = inputs;
    const chosen = await this.scalar(selector, op);
    if (op.type.endsWith('If')) {
      return this.call(
        op.graph.getFunction(op.attrs.func(chosen === 0 ? 'else_branch' : 'then_branch').name),
        args,
        salt,
      );
    }
    const branches = op.attrs.funcs('branches');
    const branch = branches[chosen] ?? branches.at(-1);
    return this.call(op.graph.getFunction(branch?.name ?? ''), args, salt);
  }

  private async scalar(value: RuntimeValue | undefined, op: Operation): Promise<number> {
    if (value?.kind !== 'tensor') throw new InternalError(`${op.describe()} has no selector`);
    return Number((await readTensor(this.context.handle, value)).data[0]);
  }

  private async loop(op: Operation, initial: readonly RuntimeValue[], outer: Salt): Promise<RuntimeValue[]> {
    const cond = op.graph.getFunction(op.attrs.func('cond').name);
    const body = op.graph.getFunction(op.attrs.func('body').name);
    const { pool } = this.context;
    let vars = pool.hold([...initial]);
    for (let i = 0; ; i++) {
      const salt = saltOfCall(op, outer, i);
      const [predicate] = await this.calledOnce(cond, vars, salt);
      const isKnown = predicate?.kind === 'tensor' && predicate.value !== null;
      const ahead =
        isKnown || i < SPECULATE_AFTER || !op.type.startsWith('Stateless')
          ? null
          : settled(this.call(body, vars, salt));
      const goesOn = await this.scalar(predicate, op);
      if (goesOn === 0) {
        if (ahead !== null) await ahead;
        return vars;
      }
      const next = ahead === null ? await this.call(body, vars, salt) : unwrap(await ahead);
      pool.release(vars);
      vars = next;
      pool.collect();
    }
  }

  private async calledOnce(
    fn: FuncGraph,
    args: readonly RuntimeValue[],
    salt: Salt,
  ): Promise<RuntimeValue[]> {
    const values = await this.call(fn, args, salt);
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
