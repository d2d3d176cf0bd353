/**
 * Runs a plan: writes the feeds, encodes each stretch of device work into one compute pass and one
 * submit, carries out host steps between them, and reads the fetches through one mapped buffer.
 */
import { InternalError, sizeOf, TensorValue } from '@forerun/graph';
import type { DeviceHandle } from '../device/handle.js';
import { fromWords, toWords } from '../device/words.js';
import { fetchSize, type DeviceStep, type HostStep, type Plan, type PlannedValue } from '../plan.js';
import { encodeCommands } from './encode.js';
import type { Feed } from './feeds.js';
import type { HostEnvironment } from './hostOps.js';
import { hostTensor, type RuntimePool, type RuntimeTensor } from './runtimeValues.js';
import type { Tracer } from './tracer.js';

/** Runs the plan and returns the fetched values in order. `tracer` measures every dispatch. */
export function execute(
  plan: Plan,
  feeds: readonly Feed[],
  environment: HostEnvironment,
  tracer?: Tracer,
): Promise<TensorValue[]> {
  return plan.use(() => new Execution(plan, feeds, environment, tracer).run());
}

/** Runs a plan and leaves what it fetches on the device, in buffers of `pool`. Does not wait. */
export function executeKeeping(
  plan: Plan,
  feeds: readonly Feed[],
  environment: HostEnvironment,
  pool: RuntimePool,
  tracer?: Tracer,
): Promise<RuntimeTensor[]> {
  return plan.use(() => new Execution(plan, feeds, environment, tracer).runKeeping(pool));
}

class Execution {
  readonly #handle: DeviceHandle;
  readonly #results: (TensorValue | undefined)[];
  #encoder: GPUCommandEncoder | null = null;

  constructor(
    private readonly plan: Plan,
    private readonly feeds: readonly Feed[],
    private readonly environment: HostEnvironment,
    private readonly tracer: Tracer | undefined,
  ) {
    this.#handle = plan.handle;
    this.#results = new Array<TensorValue | undefined>(plan.init.hostSlots).fill(undefined);
  }

  async run(): Promise<TensorValue[]> {
    await this.runSteps();
    const values = await this.fetch();
    this.environment.variables.markInitialized(this.plan.init.initializes);
    return values;
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
    const buffer = pool.acquire(shape);
    this.encoder.copyBufferToBuffer(located.source.buffer, 0, buffer, 0, sizeOf(shape) * 4);
    return {
      kind: 'tensor',
      dtype,
      shape,
      buffer,
      value: known?.data.length === sizeOf(shape) ? known : null,
    };
  }

  private async runSteps(): Promise<void> {
    const { steps, requires, random } = this.plan.init;
    this.#handle.check();
    this.environment.variables.requireInitialized(requires);
    this.writeFeeds();
    if (random !== null) this.#handle.queue.writeBuffer(random, 0, this.environment.random.words());
    for (const step of steps) {
      if (step.kind === 'device') await this.encode(step);
      else await this.runHostStep(step);
    }
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
    this.plan.init.feeds.forEach(({ buffer, name }, i) => {
      const feed = this.feeds[i];
      if (buffer === null || feed === undefined) return;
      if (feed.buffer !== null)
        this.encoder.copyBufferToBuffer(feed.buffer, 0, buffer, 0, sizeOf(feed.value.shape) * 4);
      else this.upload(feed.value, buffer, name);
    });
  }

  private upload(value: TensorValue, buffer: GPUBuffer, name: string): void {
    this.#handle.queue.writeBuffer(buffer, 0, toWords(value, name));
  }

  private async encode({ commands }: DeviceStep): Promise<void> {
    if (this.tracer !== undefined) {
      this.submit();
      await this.tracer.run(commands);
      return;
    }
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

  private async fetch(): Promise<TensorValue[]> {
    const { fetches } = this.plan.init;
    const located = fetches.map((value) => this.located(value));
    if (located.some((value, i) => value !== fetches[i] && fetchSize(value) > 0)) return this.read(located);
    if (this.plan.fetchBytes > 0) {
      const staging = this.plan.takeStaging();
      try {
        return await this.readThrough(staging, fetches);
      } finally {
        this.plan.returnStaging(staging);
      }
    }
    this.submit();
    await this.#handle.wait(this.#handle.queue.onSubmittedWorkDone());
    return this.readThrough(null, fetches);
  }

  /** Values for a host step: rare (saving, asserting), so its staging buffer is made and freed here. */
  private async read(values: readonly PlannedValue[]): Promise<TensorValue[]> {
    const bytes = values.reduce((total, value) => total + fetchSize(value), 0);
    if (bytes === 0) return this.readThrough(null, values);
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.#handle.createBuffer(bytes, usage, 'host step');
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
    await this.#handle.wait(staging.mapAsync(GPUMapMode.READ));
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
    const bytes = mapped === null ? new ArrayBuffer(0) : mapped.slice(offset, offset + length * 4);
    return fromWords(bytes, dtype, shape, length);
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
