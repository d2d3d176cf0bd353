/**
 * Runs a plan in two halves. `start` writes the feeds, encodes each stretch of device work into one compute pass and
 * one submit, and carries out host steps between them; `finish` waits and reads the fetches through one mapped
 * buffer. Between the halves other runs may start: the queue of the device keeps them in order.
 */
import { InternalError, sizeOf, TensorValue } from '@forerun/graph';
import type { VariableRef } from '../compiler/ir.js';
import { BufferUsage, MapMode } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';
import { fromWords, toWords, transferBytes } from '../device/words.js';
import {
  fetchSize,
  layoutFetches,
  type DeviceStep,
  type HostStep,
  type Plan,
  type PlannedValue,
} from '../plan.js';
import { encodeCommands } from './encode.js';
import type { Feed } from './feeds.js';
import type { HostEnvironment } from './hostOps.js';
import { hostTensor, type RuntimePool, type RuntimeTensor } from './runtimeValues.js';
import type { Tracer } from './tracer.js';

/** Runs a plan and leaves what it fetches on the device, in buffers of `pool`. Does not wait. */
export async function executeKeeping(
  plan: Plan,
  feeds: readonly Feed[],
  environment: HostEnvironment,
  pool: RuntimePool,
  tracer?: Tracer,
): Promise<RuntimeTensor[]> {
  plan.retain();
  try {
    return await new Execution(plan, feeds, environment, tracer).runKeeping(pool);
  } finally {
    plan.release();
  }
}

/** One run of a plan. */
export class Execution {
  /** Milliseconds that encoding the dispatches took. */
  encodeMilliseconds = 0;
  readonly #handle: DeviceHandle;
  readonly #results: (TensorValue | undefined)[];
  #encoder: GPUCommandEncoder | null = null;
  #staging: GPUBuffer | null = null;
  /** What the device says about this run's submit, where it is one. */
  #verdict: Promise<GPUError | null> | null = null;
  #initialized: readonly VariableRef[] = [];
  /** The run as the pool of texts knows it. */
  #run: number | null = null;
  /** Fetches and their places where they are not the plan's. */
  #apart: { readonly fetches: readonly PlannedValue[]; readonly copies: Plan['fetchCopies'] } | null = null;

  constructor(
    private readonly plan: Plan,
    private readonly feeds: readonly Feed[],
    private readonly environment: HostEnvironment,
    private readonly tracer?: Tracer,
  ) {
    this.#handle = plan.handle;
    this.#results = new Array<TensorValue | undefined>(plan.init.hostSlots).fill(undefined);
  }

  /** Submits the run. Waits for the device only where a host step or `tracer` does. Throws before anything runs when the state is wrong. */
  async start(): Promise<void> {
    this.plan.retain();
    this.#run = this.#handle.texts.begin();
    try {
      if (this.plan.isOneSubmit && this.tracer === undefined) this.submitAll();
      else {
        await this.runSteps();
        this.copyFetches();
        this.submit();
      }
      this.#initialized = this.environment.variables.markInitialized(this.plan.init.initializes);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** The fetched values in order, when the device is done. A run that failed leaves variables uninitialized that it was to initialize. */
  async finish(): Promise<TensorValue[]> {
    try {
      const values = await this.collect();
      const failure = await this.#verdict;
      if (failure) throw new InternalError(`WebGPU reported: ${failure.message}`);
      return values;
    } catch (error) {
      this.environment.variables.unmarkInitialized(this.#initialized);
      throw error;
    } finally {
      this.end();
    }
  }

  private end(): void {
    if (this.#run !== null) this.#handle.texts.end(this.#run);
    this.#run = null;
    const staging = this.#staging;
    this.#staging = null;
    if (staging !== null && this.#apart !== null) this.#handle.destroyBuffer(staging);
    else if (staging !== null) this.plan.returnStaging(staging);
    this.plan.release();
  }

  /** Everything in one go, with the device's opinion on it apart from other runs'. */
  private submitAll(): void {
    const { device } = this.#handle;
    this.prepare();
    device.pushErrorScope('validation');
    try {
      this.writeFeeds();
      const started = performance.now();
      for (const step of this.plan.init.steps) if (step.kind === 'device') this.encode(step);
      this.encodeMilliseconds = performance.now() - started;
      this.copyFetches();
      this.submit();
    } finally {
      this.#verdict = device.popErrorScope();
      // Heard in `finish`; a rejection before that is not unhandled.
      this.#verdict.catch(() => undefined);
    }
  }

  async runKeeping(pool: RuntimePool): Promise<RuntimeTensor[]> {
    await this.runSteps();
    const values = this.plan.init.fetches.map((value) => this.kept(value, pool));
    this.submit();
    this.environment.variables.markInitialized(this.plan.init.initializes);
    return values;
  }

  /** A value that outlives the next run of the plan. */
  private kept(value: PlannedValue, pool: RuntimePool): RuntimeTensor {
    const { dtype, shape, source } = value;
    const located = this.located(value);
    if (located.source.kind !== 'buffer' || sizeOf(shape) === 0) {
      return hostTensor(this.valueOf(located, null, 0));
    }
    const known = source.kind === 'feed' ? this.fed(source.position).value : null;
    const buffer = pool.acquire(shape, dtype);
    this.encoder.copyBufferToBuffer(located.source.buffer, 0, buffer, 0, transferBytes(shape, dtype));
    return {
      kind: 'tensor',
      dtype,
      shape,
      buffer,
      value: known?.data.length === sizeOf(shape) ? known : null,
    };
  }

  private async runSteps(): Promise<void> {
    this.prepare();
    this.writeFeeds();
    for (const step of this.plan.init.steps) {
      if (step.kind === 'host') await this.runHostStep(step);
      else if (this.tracer === undefined) this.encode(step);
      else {
        this.submit();
        await this.tracer.run(step.commands);
      }
    }
  }

  /** Checks the state and draws the run's random step. */
  private prepare(): void {
    const { requires, random } = this.plan.init;
    this.#handle.check();
    this.environment.variables.requireInitialized(requires);
    if (random !== null) this.#handle.queue.writeBuffer(random, 0, this.environment.random.words());
  }

  private get encoder(): GPUCommandEncoder {
    return (this.#encoder ??= this.#handle.device.createCommandEncoder());
  }

  private submit(): void {
    if (this.#encoder === null) return;
    this.#handle.queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
  }

  private writeFeeds(): void {
    const planned = this.plan.init.feeds;
    for (let i = 0; i < planned.length; i++) {
      const { buffer = null, name = '' } = planned[i] ?? {};
      const feed = this.feeds[i];
      if (buffer === null || feed === undefined) continue;
      if (feed.buffer !== null)
        this.encoder.copyBufferToBuffer(
          feed.buffer,
          0,
          buffer,
          0,
          transferBytes(feed.value.shape, feed.value.dtype),
        );
      else this.upload(feed.value, buffer, name);
    }
  }

  private upload(value: TensorValue, buffer: GPUBuffer, name: string): void {
    this.#handle.queue.writeBuffer(buffer, 0, toWords(value, name, this.#handle.texts));
  }

  private encode({ commands }: DeviceStep): void {
    const pass = this.encoder.beginComputePass();
    encodeCommands(pass, commands);
    pass.end();
  }

  private async runHostStep(step: HostStep): Promise<void> {
    const inputs = await this.read(step.inputs.map((value) => this.located(value)));
    this.submit();
    const outputs = await step.run(step.node, inputs, this.environment);
    step.outputs.forEach(({ slot, upload }, i) => {
      const value = outputs[i];
      if (value === undefined) throw new InternalError(`${step.node.name}: host step gave no output ${i}`);
      this.#results[slot] = value;
      if (upload !== null) this.upload(value, upload, step.node.name);
    });
  }

  /** A fed buffer is read where it is: the caller's value has no elements on the host. */
  private located(value: PlannedValue): PlannedValue {
    if (value.source.kind !== 'feed') return value;
    const { buffer } = this.fed(value.source.position);
    return buffer === null ? value : { ...value, source: { kind: 'buffer', buffer } };
  }

  /** Copies the fetches into a staging buffer: one of the plan's ring, or one of its own where fed buffers are fetched. */
  private copyFetches(): void {
    const { plan } = this;
    let copies = plan.fetchCopies;
    if (plan.fetchesFeeds && this.feeds.some(({ buffer }) => buffer !== null)) {
      const fetches = plan.init.fetches.map((value) => this.located(value));
      const layout = layoutFetches(fetches);
      ({ copies } = layout);
      this.#apart = { fetches, copies };
      if (layout.bytes > 0) this.#staging = this.makeStaging(layout.bytes);
    } else if (plan.fetchBytes > 0) this.#staging = plan.takeStaging();
    if (this.#staging === null) return;
    for (const copy of copies) {
      if (copy === null) continue;
      this.encoder.copyBufferToBuffer(copy.buffer, 0, this.#staging, copy.offset, copy.bytes);
    }
  }

  private async collect(): Promise<TensorValue[]> {
    const { fetches, copies } = this.#apart ?? {
      fetches: this.plan.init.fetches,
      copies: this.plan.fetchCopies,
    };
    if (this.#staging === null) {
      await this.#handle.wait(this.#handle.queue.onSubmittedWorkDone());
      return fetches.map((value) => this.valueOf(value, null, 0));
    }
    await this.#handle.wait(this.#staging.mapAsync(MapMode.READ));
    try {
      const mapped = this.#staging.getMappedRange();
      return fetches.map((value, i) => this.valueOf(value, mapped, copies[i]?.offset ?? 0));
    } finally {
      this.#staging.unmap();
    }
  }

  private makeStaging(bytes: number): GPUBuffer {
    return this.#handle.createBuffer(bytes, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'values read once');
  }

  /** Values for a host step: rare (saving, asserting), so its staging buffer is made and freed here. */
  private async read(values: readonly PlannedValue[]): Promise<TensorValue[]> {
    const bytes = values.reduce((total, value) => total + fetchSize(value), 0);
    if (bytes === 0) return this.readThrough(null, values);
    const staging = this.makeStaging(bytes);
    try {
      return await this.readThrough(staging, values);
    } finally {
      this.#handle.destroyBuffer(staging);
    }
  }

  private async readThrough(
    staging: GPUBuffer | null,
    values: readonly PlannedValue[],
  ): Promise<TensorValue[]> {
    let offset = 0;
    const offsets = values.map((value) => {
      const start = offset;
      const size = fetchSize(value);
      if (value.source.kind === 'buffer' && staging !== null && size > 0) {
        this.encoder.copyBufferToBuffer(value.source.buffer, 0, staging, start, size);
      }
      offset += size;
      return start;
    });
    if (staging === null) return values.map((value) => this.valueOf(value, null, 0));
    this.submit();
    await this.#handle.wait(staging.mapAsync(MapMode.READ));
    const mapped = staging.getMappedRange();
    const result = values.map((value, i) => this.valueOf(value, mapped, offsets[i] ?? 0));
    staging.unmap();
    return result;
  }

  private valueOf(value: PlannedValue, mapped: ArrayBuffer | null, offset: number): TensorValue {
    const { source, dtype, shape } = value;
    if (source.kind === 'literal') return reshaped(source.value(), shape);
    if (source.kind === 'feed') return reshaped(this.fed(source.position).value, shape);
    if (source.kind === 'host') {
      const result = this.#results[source.slot];
      if (result === undefined)
        throw new InternalError(`host result ${source.slot} is used before it is made`);
      return reshaped(result, shape);
    }
    const length = sizeOf(shape);
    return fromWords(mapped ?? new ArrayBuffer(0), offset, dtype, shape, length, this.#handle.texts);
  }

  private fed(position: number): Feed {
    const feed = this.feeds[position];
    if (feed === undefined) throw new InternalError(`feed ${position} is missing`);
    return feed;
  }
}

function reshaped(value: TensorValue, shape: readonly number[]): TensorValue {
  if (value.shape.length === shape.length && value.shape.every((dim, i) => dim === shape[i])) return value;
  return new TensorValue(value.dtype, shape, value.data);
}
