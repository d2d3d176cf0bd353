/**
 * `Session`: runs parts of a graph on the device. The first run of a request compiles a plan; later
 * ones only write feeds, encode and read fetches.
 */
import type { Tensor } from '@forerun/graph';
import {
  allocateData,
  FailedPreconditionError,
  getDefaultGraph,
  InvalidArgumentError,
  TensorValue,
  type Graph,
} from '@forerun/graph';
import { compile, type CompileRequest } from './compiler/compile.js';
import { pruneGraph } from './compiler/prune.js';
import { sharedDevice, wrapDevice } from './device/acquire.js';
import { adapterName } from './device/facts.js';
import type { DeviceHandle } from './device/handle.js';
import { GrowthWatch } from './growth.js';
import { readRestored, restoreNodes } from './checkpoint/restoreNodes.js';
import type { Plan, PlanReport } from './plan.js';
import { PlanCache, type KeptPlan } from './planCache.js';
import { Version1Requests, graphKey, requestKey } from './requests.js';
import { Execution } from './run/execute.js';
import {
  feedTarget,
  feedsOf,
  feedTensor,
  resolveFeed,
  resolveFeeds,
  type Feed,
  type DenseFeedKey,
  type FeedKey,
  type Feeds,
  type FeedValue,
} from './run/feeds.js';
import { resolveFetches, type Fetched, type Fetches, type ResolvedFetches } from './run/fetches.js';
import { Flights } from './run/flights.js';
import type { HostEnvironment } from './run/hostOps.js';
import { PlanMemo } from './run/planMemo.js';
import { RandomState } from './run/random.js';
import { RuntimePool } from './run/runtimeValues.js';
import type { PartRequest } from './run/partRequest.js';
import { StagedRun } from './run/stagedRun.js';
import { Tracer } from './run/tracer.js';
import { sessionTuner } from './tuning/sessionTuner.js';
import type { Tuner } from './tuning/tuner.js';
import { warmUp } from './run/warmUp.js';
import type {
  CompileOptions,
  FeedShapes,
  RunOptions,
  SessionConfig,
  SessionOptions,
  SessionStats,
} from './sessionConfig.js';
import { TableStore } from './tables.js';
import { VariableStore } from './variables.js';
import { ConstantStore } from './constants.js';

const DEFAULT_PLAN_CACHE = 64;
const NO_OPTIONS: RunOptions = {};

function printOut(text: string, stream: 'stdout' | 'stderr'): void {
  if (stream === 'stdout') console.info(text);
  else console.error(text);
}

export class Session {
  readonly #variables: VariableStore;
  readonly #constants: ConstantStore;
  readonly #tables = new TableStore();
  readonly #random = new RandomState();
  /** Buffers of values between the parts of runs that are cut. */
  readonly #pool: RuntimePool;
  readonly #versions: Version1Requests;
  readonly #plans: PlanCache;
  readonly #growth: GrowthWatch;
  readonly #tuner: Tuner;
  readonly #environment: Omit<HostEnvironment, 'random'>;
  /** Runs are executed one after the other, in the order of the calls. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #flights = new Flights();
  /** Tasks that are being carried out and runs in flight: what they use is freed after them. */
  #active = 0;

  private constructor(
    readonly graph: Graph,
    private readonly handle: DeviceHandle,
    private readonly config: SessionConfig,
  ) {
    this.#variables = new VariableStore(handle);
    this.#constants = new ConstantStore(handle);
    this.#pool = new RuntimePool(handle);
    this.#plans = new PlanCache(config.planCacheSize ?? DEFAULT_PLAN_CACHE);
    this.#versions = new Version1Requests(graph);
    this.#growth = new GrowthWatch(graph, (message) => this.warn(message));
    this.#tuner = sessionTuner(handle, config, (message) => this.warn(message));
    this.#environment = {
      variables: this.#variables,
      tables: this.#tables,
      print: config.onPrint ?? printOut,
    };
  }

  /** Opens a session. Throws `UnavailableError` saying what to install when there is no adapter. */
  static async create({
    graph = getDefaultGraph(),
    device,
    config = {},
  }: SessionOptions = {}): Promise<Session> {
    const { memory } = config;
    if (typeof memory === 'number' && !(memory > 0)) {
      throw new InvalidArgumentError(
        `config.memory must be 'minimize' or a number of bytes above 0, got ${memory}`,
      );
    }
    return new Session(graph, device === undefined ? await sharedDevice() : wrapDevice(device), config);
  }

  /** Passes a warning to `config.onWarning`, or prints it. */
  warn(message: string): void {
    if (this.config.onWarning !== undefined) this.config.onWarning(message);
    else console.warn(`forerun: ${message}`);
  }

  /** The GPU device, for buffers that are fed without a copy through JavaScript. */
  get device(): GPUDevice {
    return this.handle.device;
  }

  /** A readable name of the adapter. */
  get adapterName(): string {
    return adapterName(this.handle.device.adapterInfo);
  }

  get stats(): SessionStats {
    return {
      created: { ...this.handle.counts },
      bufferBytes: this.handle.bufferBytes,
      plans: this.#plans.size,
      variableBytes: this.#variables.bytes,
    };
  }

  /**
   * Runs what `fetches` need (`tf.Session.run`). Fetches may be nested; the result has the same
   * nesting, `TensorValue` for tensors and variables, `undefined` for operations.
   * Throws before anything runs when a name, feed or state is wrong; variables stay as they were.
   */
  run<const F extends Fetches>(fetches: F, feeds?: Feeds, options: RunOptions = {}): Promise<Fetched<F>> {
    return this.runNested(fetches, feeds, options) as Promise<Fetched<F>>;
  }

  private async runNested(fetches: Fetches, feeds: Feeds | undefined, options: RunOptions): Promise<unknown> {
    this.requireOpen();
    return this.runResolved(resolveFetches(this.graph, fetches), resolveFeeds(this.graph, feeds), options);
  }

  /**
   * A function that runs `fetches` with values for `feedTensors` in order (`tf.Session.make_callable`):
   * names and nesting are resolved once.
   */
  makeCallable<const F extends Fetches>(
    fetches: F,
    feedTensors: readonly FeedKey[] = [],
  ): (...values: FeedValue[]) => Promise<Fetched<F>> {
    this.requireOpen();
    const resolved = resolveFetches(this.graph, fetches);
    const targets = feedTensors.map((key) => feedTarget(this.graph, key));
    const memo = new PlanMemo();
    const call = async (values: readonly FeedValue[]): Promise<unknown> => {
      this.requireOpen();
      if (values.length !== targets.length) {
        throw new InvalidArgumentError(`the callable takes ${targets.length} values, got ${values.length}`);
      }
      const feeds: Feed[] = [];
      targets.forEach((target, i) => {
        const value = values[i];
        if (value !== undefined) feeds.push(...feedsOf(target, value));
      });
      return this.runResolved(resolved, feeds, NO_OPTIONS, memo);
    };
    return (...values) => call(values) as Promise<Fetched<F>>;
  }

  /**
   * Compiles the plan for `fetches` and feeds of the given shapes ahead of the first run, and warms it up: every
   * pipeline is dispatched once over nothing, because drivers translate shaders only then. No variable changes.
   */
  async compile(
    fetches: Fetches,
    feedShapes: FeedShapes = {},
    { onProgress }: CompileOptions = {},
  ): Promise<PlanReport> {
    this.requireOpen();
    const resolved = resolveFetches(this.graph, fetches);
    const entries: readonly (readonly [DenseFeedKey, readonly number[]])[] =
      feedShapes instanceof Map
        ? [...feedShapes]
        : Object.entries(feedShapes as Record<string, readonly number[]>);
    const feeds = entries.map(([key, shape]) => zeroFeed(feedTensor(this.graph, key), shape));
    return this.enqueue(async () => {
      const { plan } = await this.planFor(...this.#versions.translate(resolved, feeds), onProgress);
      await warmUp(this.handle, plan, (done, total) => onProgress?.({ stage: 'warmUp', done, total }));
      return plan.init.report;
    });
  }

  /**
   * Starts a run when those before it have started, and gives its result when the device is done. `known` is the
   * plan where the caller has kept it.
   */
  private async runResolved(
    resolved: ResolvedFetches,
    feeds: readonly Feed[],
    options: RunOptions,
    memo?: PlanMemo,
  ): Promise<unknown> {
    const { completion } = await this.enqueue(async () => {
      await this.#flights.room();
      this.requireOpen();
      this.#growth.check();
      const started = await this.startRun(resolved, feeds, options, memo);
      this.#active++;
      const done = started().finally(() => this.leave());
      this.#flights.add(done);
      return { completion: done };
    });
    return resolved.assemble(await completion);
  }

  /** Submits a run; what it returns waits for the values. */
  private async startRun(
    resolved: ResolvedFetches,
    given: readonly Feed[],
    { traceLevel, runMetadata }: RunOptions,
    memo: PlanMemo | undefined,
  ): Promise<() => Promise<TensorValue[]>> {
    const { plan, feeds, request } = await this.planOf(resolved, given, memo);
    const tracer = traceLevel === 'FULL_TRACE' ? new Tracer(this.handle) : undefined;
    const record = (encodeMilliseconds: number): void =>
      runMetadata?.record({
        device: this.adapterName,
        kernels: tracer?.kernels ?? [],
        plan: plan.init.report,
        variableBytes: this.#variables.bytes,
        encodeMilliseconds,
      });
    if (plan.init.deferred.length > 0) {
      const values = await this.runInParts(plan, feeds, request, tracer);
      record(0);
      return () => Promise.resolve(values);
    }
    const execution = new Execution(plan, feeds, this.environmentOfRun(), tracer);
    await execution.start();
    record(execution.encodeMilliseconds);
    return () => execution.finish();
  }

  /** The plan of a run, and the request in the form that it has there. */
  private async planOf(
    resolved: ResolvedFetches,
    given: readonly Feed[],
    memo: PlanMemo | undefined,
  ): Promise<{ plan: Plan; feeds: readonly Feed[]; request: ResolvedFetches }> {
    const kept = memo?.plan(this.graph, given);
    if (kept !== undefined) return { plan: kept, feeds: given, request: resolved };
    const [request, feeds] = this.#versions.translate(resolved, given);
    const found = await this.planFor(request, feeds);
    const isOwn = request === resolved && found.feeds === given && found.valueFeeds.length === 0;
    if (isOwn) memo?.keep(this.graph, given, found.plan);
    return { ...found, request };
  }

  private enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.carryOut(task));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  private async carryOut<T>(task: () => Promise<T>): Promise<T> {
    this.requireOpen();
    this.#active++;
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  private leave(): void {
    this.#active--;
    if (this.#closed && this.#active === 0) this.release();
  }

  /** The plan for a request, compiled when there is none; with the feeds it takes. */
  private async planFor(
    resolved: ResolvedFetches,
    feeds: readonly Feed[],
    onProgress?: CompileOptions['onProgress'],
  ): Promise<{ plan: Plan; feeds: readonly Feed[]; valueFeeds: readonly number[] }> {
    const { tensors, operations } = resolved;
    const fed = feeds.map(({ value }) => value);
    const key = requestKey(tensors, operations, feeds);
    const known = this.#plans.get(key, fed);
    if (known !== undefined) return { ...known, feeds };
    const restored = await this.readRestores(resolved, feeds);
    if (restored.length > 0) return this.planFor(resolved, [...feeds, ...restored], onProgress);
    const positions = new Map(feeds.map(({ tensor }, i) => [tensor, i]));
    const pruned = pruneGraph(tensors, operations, positions);
    const fedTensors = feeds.map(({ tensor }) => tensor);
    return { ...(await this.compilePlan(key, { ...pruned, feeds: fedTensors, fed, onProgress })), feeds };
  }

  private async compilePlan(
    key: string,
    request: Omit<CompileRequest, 'passes' | 'tuner'>,
  ): Promise<KeptPlan> {
    const state = { variables: this.#variables, constants: this.#constants };
    const { plan, valueFeeds } = await compile(this.handle, state, {
      ...request,
      passes: this.config.passes ?? {},
      memory: this.config.memory,
      tuner: this.#tuner,
    });
    this.#plans.set(key, request.fed, valueFeeds, plan);
    return { plan, valueFeeds };
  }

  private environmentOfRun(): HostEnvironment {
    return { ...this.#environment, random: this.#random.forRun() };
  }

  /** Runs a plan to its end. */
  private async carryThrough(
    plan: Plan,
    feeds: readonly Feed[],
    request: ResolvedFetches,
  ): Promise<TensorValue[]> {
    if (plan.init.deferred.length > 0) return this.runInParts(plan, feeds, request);
    const execution = new Execution(plan, feeds, this.environmentOfRun());
    await execution.start();
    return execution.finish();
  }

  /** Runs a plan part by part, where values decide how it goes on. */
  private runInParts(
    plan: Plan,
    feeds: readonly Feed[],
    { tensors, operations }: ResolvedFetches,
    tracer?: Tracer,
  ): Promise<TensorValue[]> {
    const environment = this.environmentOfRun();
    const staged = new StagedRun({
      handle: this.handle,
      environment,
      pool: this.#pool,
      tracer,
      plan: (request) => this.partPlan(request),
    });
    return staged.start(plan, feeds, { fetches: tensors, targets: operations });
  }

  private async partPlan(request: PartRequest): Promise<Plan> {
    const key = `part ${graphKey(request.operations[0])}|${request.key}`;
    const fed = request.feeds.map(({ value }) => value);
    const known = this.#plans.get(key, fed);
    if (known !== undefined) return known.plan;
    const feeds = request.feeds.map(({ tensor }) => tensor);
    const { plan } = await this.compilePlan(key, { ...request, feeds, fed, keep: true });
    return plan;
  }

  /** What the request's `RestoreV2` nodes read from files, as feeds of their outputs. */
  private async readRestores(
    { tensors, operations }: ResolvedFetches,
    feeds: readonly Feed[],
  ): Promise<Feed[]> {
    const nodes = restoreNodes(tensors, operations, new Set(feeds.map(({ tensor }) => tensor)));
    const restored: Feed[] = [];
    for (const node of nodes) {
      const asked = resolveFetches(node.graph, node.inputs.slice(0, 3));
      const { plan, feeds: all } = await this.planFor(
        asked,
        feeds.filter(({ tensor }) => tensor.dtype === 'string'),
      );
      const values = await readRestored(node, await this.carryThrough(plan, all, asked));
      values.forEach((value, i) => restored.push(resolveFeed(node.output(i), value)));
    }
    return restored;
  }

  /** Sets variables, given by their handles, to values and marks them initialized. For restoring checkpoints. */
  async assignVariables(values: ReadonlyMap<Tensor, TensorValue>): Promise<void> {
    this.requireOpen();
    await this.enqueue(() => {
      for (const [handle, value] of values) this.#variables.assign(handle, value);
      return Promise.resolve();
    });
  }

  /** The step that random ops are keyed by. Checkpoints keep it, so that training resumes exactly. */
  get randomStep(): bigint {
    return this.#random.step;
  }

  set randomStep(step: bigint) {
    this.#random.step = step;
  }

  private requireOpen(): void {
    if (this.#closed) throw new FailedPreconditionError('the session is closed');
  }

  /**
   * Frees everything the session holds on the device, after the runs in flight, which end well. Queued and further
   * runs throw `FailedPreconditionError`; closing twice does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#active === 0) this.release();
  }

  private release(): void {
    this.#plans.clear();
    this.#constants.close();
    this.#pool.close();
    this.#variables.close();
    this.#tables.clear();
  }

  /** Waits for runs under way, then closes: `await using sess = await Session.create()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await this.#flights.drained();
    this.close();
  }
}

function zeroFeed(tensor: Tensor, shape: readonly number[]): Feed {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const data = tensor.dtype === 'string' ? new Array<string>(size).fill('') : undefined;
  const value =
    data === undefined ? fullOfZeros(tensor, shape, size) : new TensorValue('string', shape, data);
  return resolveFeed(tensor, value);
}

function fullOfZeros(tensor: Tensor, shape: readonly number[], size: number): TensorValue {
  return new TensorValue(tensor.dtype, shape, allocateData(tensor.dtype, size));
}
