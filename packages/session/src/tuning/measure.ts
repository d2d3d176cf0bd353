/**
 * Runs single kernels on the device to time them, with buffers of zeros in place of their operands. Times come from
 * timestamp queries where these are fine enough, else from the clock; short kernels are repeated within one pass.
 */
import { InternalError, sizeOf } from '@forerun/graph';
import {
  adapted,
  type BindingSource,
  type Choice,
  type Dispatch,
  type Lowered,
  type Operand,
} from '@forerun/kernels-webgpu';
import { BufferUsage, MapMode, ShaderStage } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';
import { encodeCommands } from '../run/encode.js';

/** Times the candidates of one choice. */
export interface Bench {
  /** Compiles candidate `index` and runs it once. Milliseconds. Throws when it does not run. */
  first(index: number): Promise<number>;
  /** Milliseconds of one run of a candidate that `first` has compiled. */
  time(index: number): Promise<number>;
  close(): void;
}

export interface Measurer {
  open(choice: Choice): Bench;
}

const STORAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
/** A timing should take this long, so that neither the clock's grain nor the submission counts. */
const SPAN_MILLISECONDS = 2;
const MOST_REPEATS = 200;
/** Dawn rounds timestamps to this many nanoseconds unless it is told not to. */
const COARSE_NANOSECONDS = 65_536n;

type Command = Parameters<typeof encodeCommands>[1][number];

export class DeviceMeasurer implements Measurer {
  constructor(private readonly handle: DeviceHandle) {}

  open(choice: Choice): Bench {
    return new DeviceBench(this.handle, choice);
  }
}

class DeviceBench implements Bench {
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #commands = new Map<number, readonly Command[]>();
  readonly #last = new Map<number, number>();
  readonly #clock: Timestamps | null;

  constructor(
    private readonly handle: DeviceHandle,
    private readonly choice: Choice,
  ) {
    this.#clock = handle.timestamps ? new Timestamps(handle) : null;
  }

  async first(index: number): Promise<number> {
    const [start, worked] = [performance.now(), processorTime()];
    const { name } = this.choice.candidates[index] ?? { name: `candidate ${index}` };
    const lowered = adapted(this.choice.lower(index), operandsOf(this.choice), this.handle.facts);
    const prepare = (): Promise<Command[]> =>
      Promise.all(lowered.dispatches.map((dispatch) => this.command(lowered, dispatch)));
    this.#commands.set(index, await this.handle.guarded(`tuning ${name}`, prepare));
    const compiled = performance.now();
    await this.submit(index, 1);
    this.#last.set(index, performance.now() - compiled);
    // Drivers compile in this process: where other processes compete for the cores, its own time says more.
    return Math.min(performance.now() - start, processorTime() - worked);
  }

  async time(index: number): Promise<number> {
    const last = this.#last.get(index) ?? SPAN_MILLISECONDS;
    const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(SPAN_MILLISECONDS / Math.max(last, 1e-3))));
    const time = (await this.submit(index, repeats)) / repeats;
    this.#last.set(index, time);
    return time;
  }

  /** Milliseconds of `repeats` runs. */
  private async submit(index: number, repeats: number): Promise<number> {
    const commands = this.#commands.get(index);
    if (commands === undefined) throw new InternalError(`candidate ${index} was not compiled`);
    const encoder = this.handle.device.createCommandEncoder();
    const pass = encoder.beginComputePass(this.#clock === null ? {} : this.#clock.pass);
    for (let i = 0; i < repeats; i++) encodeCommands(pass, commands);
    pass.end();
    this.#clock?.resolve(encoder);
    const start = performance.now();
    this.handle.queue.submit([encoder.finish()]);
    await this.handle.wait(this.handle.queue.onSubmittedWorkDone());
    const elapsed = performance.now() - start;
    return (await this.#clock?.read()) ?? elapsed;
  }

  /** The pipeline is not kept among the session's: most candidates are never used again. */
  private async command(lowered: Lowered, { wgsl, label, bindings, workgroups }: Dispatch): Promise<Command> {
    const { device } = this.handle;
    const layout = device.createBindGroupLayout({
      entries: bindings.map(({ access }, binding) => ({
        binding,
        visibility: ShaderStage.COMPUTE,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      })),
    });
    const entries = bindings.map(({ source, window }, binding) => {
      const buffer = this.buffer(source, lowered);
      const range = window === undefined ? {} : { offset: window.offset, size: window.bytes };
      return { binding, resource: { buffer, ...range } };
    });
    const module = device.createShaderModule({ code: wgsl, label });
    const pipeline = await this.handle.wait(
      device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      }),
    );
    const bindGroup = device.createBindGroup({ label, layout, entries });
    return { pipeline, bindGroup, workgroups, label, sources: [] };
  }

  /** The buffer behind a binding; candidates share those of the operands, scratch grows to the largest. */
  private buffer(source: BindingSource, { scratch = [] }: Lowered): GPUBuffer {
    if (source.kind === 'data' || source.kind === 'random') {
      throw new InternalError(`kernels that bind ${source.kind} are not tuned`);
    }
    const { kind, index } = source;
    const operand =
      kind === 'scratch' ? undefined : (kind === 'input' ? this.choice.inputs : this.choice.outputs)[index];
    const bytes = Math.max(16, kind === 'scratch' ? (scratch[index] ?? 0) : bytesOf(operand));
    const key = kind === 'scratch' ? `${kind} ${index} ${bytes}` : `${kind} ${index}`;
    let buffer = this.#buffers.get(key);
    if (buffer === undefined) {
      buffer = this.handle.createBuffer(bytes, STORAGE, `tuning ${key}`);
      this.#buffers.set(key, buffer);
    }
    return buffer;
  }

  close(): void {
    for (const buffer of this.#buffers.values()) this.handle.destroyBuffer(buffer);
    this.#clock?.close();
  }
}

/** Milliseconds that this process has computed; the clock's where that is not known. */
function processorTime(): number {
  if (typeof process === 'undefined' || typeof process.cpuUsage !== 'function') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function operandsOf({ inputs, outputs }: Choice): Parameters<typeof adapted>[1] {
  const at = (operands: readonly Operand[], i: number): Operand => {
    const operand = operands[i];
    if (operand === undefined)
      throw new InternalError(`a candidate binds operand ${i}, which does not exist`);
    return operand;
  };
  return { input: (i) => at(inputs, i), output: (i) => at(outputs, i) };
}

/** Bytes of an operand on the device. */
function bytesOf(operand: Operand | undefined): number {
  return operand === undefined ? 0 : sizeOf(operand.shape) * 4;
}

/** Bytes that the operands of a choice take together. */
export function operandBytes({ inputs, outputs }: Choice): number {
  return [...inputs, ...outputs].reduce((total, operand) => total + bytesOf(operand), 0);
}

/** The two timestamps around a pass. */
class Timestamps {
  readonly pass: GPUComputePassDescriptor;
  readonly #querySet: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  #coarse = false;

  constructor(private readonly handle: DeviceHandle) {
    this.#querySet = handle.device.createQuerySet({ type: 'timestamp', count: 2 });
    this.pass = {
      timestampWrites: { querySet: this.#querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    };
    this.#resolved = handle.createBuffer(16, BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC, 'timestamps');
    this.#staging = handle.createBuffer(16, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'timestamps');
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#querySet, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16);
  }

  /** Milliseconds between the timestamps; `undefined` where they are rounded too much or stand still. */
  async read(): Promise<number | undefined> {
    await this.handle.wait(this.#staging.mapAsync(MapMode.READ));
    const [begin = 0n, end = 0n] = new BigUint64Array(this.#staging.getMappedRange());
    this.#staging.unmap();
    if (begin % COARSE_NANOSECONDS === 0n && end % COARSE_NANOSECONDS === 0n) this.#coarse = true;
    return this.#coarse || end <= begin ? undefined : Number(end - begin) / 1e6;
  }

  close(): void {
    this.handle.destroyBuffer(this.#resolved);
    this.handle.destroyBuffer(this.#staging);
    this.#querySet.destroy();
  }
}
