/**
 * Measures every dispatch of a run: with timestamps around a pass of its own where the device has
 * them, else by submitting each alone and waiting.
 */
import { BufferUsage, MapMode } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';
import type { Command } from '../plan.js';
import { encodeCommands } from './encode.js';

/** One measured dispatch. Times in microseconds; `start` counts from the first dispatch. */
export interface KernelTime {
  readonly label: string;
  readonly sources: readonly string[];
  readonly startMicros: number;
  readonly durationMicros: number;
}

/** Timestamps per query set that every implementation allows. */
const MAX_QUERIES = 4096;

export class Tracer {
  readonly kernels: KernelTime[] = [];
  #origin: number | undefined;

  constructor(private readonly handle: DeviceHandle) {}

  /** Runs and measures commands, in order. */
  async run(commands: readonly Command[]): Promise<void> {
    if (!this.handle.timestamps) return this.runByWaiting(commands);
    for (let i = 0; i < commands.length; i += MAX_QUERIES / 2) {
      await this.runByTimestamps(commands.slice(i, i + MAX_QUERIES / 2));
    }
  }

  private async runByTimestamps(commands: readonly Command[]): Promise<void> {
    const { device } = this.handle;
    const count = commands.length * 2;
    const querySet = device.createQuerySet({ type: 'timestamp', count });
    const resolved = this.handle.createBuffer(
      count * 8,
      BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC,
      'timestamps',
    );
    const staging = this.handle.createBuffer(
      count * 8,
      BufferUsage.MAP_READ | BufferUsage.COPY_DST,
      'timestamps',
    );
    const encoder = device.createCommandEncoder();
    commands.forEach((command, i) => {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      encodeCommands(pass, [command]);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, count * 8);
    this.handle.queue.submit([encoder.finish()]);
    await this.handle.wait(staging.mapAsync(MapMode.READ));
    const nanos = new BigUint64Array(staging.getMappedRange());
    commands.forEach((command, i) =>
      this.note(command, Number(nanos[2 * i]) / 1e3, Number(nanos[2 * i + 1]) / 1e3),
    );
    staging.unmap();
    for (const buffer of [resolved, staging]) this.handle.destroyBuffer(buffer);
    querySet.destroy();
  }

  private async runByWaiting(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      const encoder = this.handle.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encodeCommands(pass, [command]);
      pass.end();
      const start = performance.now() * 1e3;
      this.handle.queue.submit([encoder.finish()]);
      await this.handle.wait(this.handle.queue.onSubmittedWorkDone());
      this.note(command, start, performance.now() * 1e3);
    }
  }

  private note({ label, sources }: Command, start: number, end: number): void {
    this.#origin ??= start;
    this.kernels.push({ label, sources, startMicros: start - this.#origin, durationMicros: end - start });
  }
}
