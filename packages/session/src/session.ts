/**
 * `Session`: runs parts of a graph on the device. The first run of a request compiles a plan; later
 * ones only write feeds, encode and read fetches.
 */
import type { Tensor } from '@forerun/graph';
import {
  FailedPreconditionError,
  getDefaultGraph,
  InvalidArgumentError,
  sizeOf,
  TensorValue,
  zeroElements,
  type Graph,
} from '@forerun/graph';
import { sharedDevice, wrapDevice } from './device/acquire.js';
import { adapterName } from './device/facts.js';
import type { DeviceHandle } from './device/handle.js';
import { GrowthWatch } from './growth.js';
import type { PlanReport } from './plan.js';
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
  type NestedFeedValue,
} from './run/feeds.js';
import { resolveFetches, type Fetched, type Fetches, type ResolvedFetches } from './run/fetches.js';
import { Flights } from './run/flights.js';
import { PlanMemo } from './run/planMemo.js';
import { Runner } from './runner.js';
import type {
  CompileOptions,
  FeedShapes,
  RunOptions,
  SessionConfig,
  SessionOptions,
  SessionStats,
} from './sessionConfig.js';

const NO_OPTIONS: RunOptions = {};

export class Session {
  readonly #runner: Runner;
  readonly #growth: GrowthWatch;
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
    const warn = (message: string): void => this.warn(message);
    this.#growth = new GrowthWatch(graph, warn);
    this.#runner = new Runner(graph, handle, config, warn);
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
      plans: this.#runner.plans,
      variableBytes: this.#runner.variables.bytes,
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
  ): (...values: NestedFeedValue[]) => Promise<Fetched<F>> {
    this.requireOpen();
    const resolved = resolveFetches(this.graph, fetches);
    const targets = feedTensors.map((key) => feedTarget(this.graph, key));
    const memo = new PlanMemo();
    const call = async (values: readonly NestedFeedValue[]): Promise<unknown> => {
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
    return this.enqueue(() => this.#runner.compile(resolved, feeds, onProgress));
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
      const started = await this.#runner.start(resolved, feeds, options, memo);
      this.#active++;
      const done = started().finally(() => this.leave());
      this.#flights.add(done);
      return { completion: done };
    });
    return resolved.assemble(await completion);
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
    if (this.#closed && this.#active === 0) this.#runner.release();
  }

  /** Sets variables, given by their handles, to values and marks them initialized. For restoring checkpoints. */
  async assignVariables(values: ReadonlyMap<Tensor, TensorValue>): Promise<void> {
    this.requireOpen();
    await this.enqueue(() => {
      for (const [handle, value] of values) this.#runner.variables.assign(handle, value);
      return Promise.resolve();
    });
  }

  /** The step that random ops are keyed by. Checkpoints keep it, so that training resumes exactly. */
  get randomStep(): bigint {
    return this.#runner.random.step;
  }

  set randomStep(step: bigint) {
    this.#runner.random.step = step;
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
    if (this.#active === 0) this.#runner.release();
  }

  /** Waits for runs under way, then closes: `await using sess = await Session.create()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await this.#flights.drained();
    this.close();
  }
}

function zeroFeed(tensor: Tensor, shape: readonly number[]): Feed {
  return resolveFeed(tensor, new TensorValue(tensor.dtype, shape, zeroElements(tensor.dtype, sizeOf(shape))));
}
