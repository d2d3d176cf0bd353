/**
 * What a session does with a request: finds its plan or compiles one, and runs it, in parts where values decide how it goes on.
 * The session sees to it that only one task is carried out at a time.
 */
import type { Graph, TensorValue } from '@forerun/graph';
import { compile, type CompileRequest } from './compiler/compile.js';
import { pruneGraph } from './compiler/prune.js';
import { ConstantStore } from './constants.js';
import { readRestored, restoreNodes } from './checkpoint/restoreNodes.js';
import { adapterName } from './device/facts.js';
import type { DeviceHandle } from './device/handle.js';
import type { Plan, PlanReport } from './plan.js';
import { PlanCache, type KeptPlan } from './planCache.js';
import { Version1Requests, graphKey, requestKey } from './requests.js';
import { Execution } from './run/execute.js';
import { resolveFeed, type Feed } from './run/feeds.js';
import { resolveFetches, type ResolvedFetches } from './run/fetches.js';
import type { HostEnvironment } from './run/hostOps.js';
import type { PartRequest } from './run/partRequest.js';
import type { PlanMemo } from './run/planMemo.js';
import { RandomState } from './run/random.js';
import { RuntimePool } from './run/runtimeValues.js';
import { StagedRun } from './run/stagedRun.js';
import { Tracer } from './run/tracer.js';
import { warmUp } from './run/warmUp.js';
import type { CompileOptions, RunOptions, SessionConfig } from './sessionConfig.js';
import { TableStore } from './tables.js';
import { sessionTuner } from './tuning/sessionTuner.js';
import type { Tuner } from './tuning/tuner.js';
import { VariableStore } from './variables.js';

const DEFAULT_PLAN_CACHE = 64;

function printOut(text: string, stream: 'stdout' | 'stderr'): void {
  if (stream === 'stdout') console.info(text);
  else console.error(text);
}

/** A session's plans, and all that its runs share. */
export class Runner {
  readonly variables: VariableStore;
  readonly random = new RandomState();
  readonly #constants: ConstantStore;
  readonly #tables = new TableStore();
  /** Buffers of values between the parts of runs that are cut. */
  readonly #pool: RuntimePool;
  readonly #versions: Version1Requests;
  readonly #plans: PlanCache;
  readonly #tuner: Tuner;
  readonly #environment: Omit<HostEnvironment, 'random'>;

  constructor(
    private readonly graph: Graph,
    private readonly handle: DeviceHandle,
    private readonly config: SessionConfig,
    warn: (message: string) => void,
  ) {
    this.variables = new VariableStore(handle);
    this.#constants = new ConstantStore(handle);
    this.#pool = new RuntimePool(handle);
    this.#plans = new PlanCache(config.planCacheSize ?? DEFAULT_PLAN_CACHE);
    this.#versions = new Version1Requests(graph);
    this.#tuner = sessionTuner(handle, config, warn);
    this.#environment = {
      variables: this.variables,
      tables: this.#tables,
      print: config.onPrint ?? printOut,
    };
  }

  /** Number of plans that are kept. */
  get plans(): number {
    return this.#plans.size;
  }

  /** Compiles and warms up the plan of a request. */
  async compile(
    resolved: ResolvedFetches,
    feeds: readonly Feed[],
    onProgress: CompileOptions['onProgress'],
  ): Promise<PlanReport> {
    const { plan } = await this.planFor(...this.#versions.translate(resolved, feeds), onProgress);
    await warmUp(this.handle, plan, (done, total) => onProgress?.({ stage: 'warmUp', done, total }));
    return plan.init.report;
  }

  /** Submits a run; what it returns waits for the values. */
  async start(
    resolved: ResolvedFetches,
    given: readonly Feed[],
    { traceLevel, runMetadata }: RunOptions,
    memo: PlanMemo | undefined,
  ): Promise<() => Promise<TensorValue[]>> {
    const { plan, feeds, request } = await this.planOf(resolved, given, memo);
    const tracer = traceLevel === 'FULL_TRACE' ? new Tracer(this.handle) : undefined;
    const record = (encodeMilliseconds: number): void =>
      runMetadata?.record({
        device: adapterName(this.handle.device.adapterInfo),
        kernels: tracer?.kernels ?? [],
        plan: plan.init.report,
        variableBytes: this.variables.bytes,
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
    const state = { variables: this.variables, constants: this.#constants };
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
    return { ...this.#environment, random: this.random.forRun() };
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

  /** Frees everything on the device. */
  release(): void {
    this.#plans.clear();
    this.#constants.close();
    this.#pool.close();
    this.variables.close();
    this.#tables.clear();
  }
}
