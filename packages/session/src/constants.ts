/**
 * Large constants on the device, shared by all plans of a session: a graph with its weights in it
 * would otherwise hold them once per batch size.
 */
import type { TensorValue } from '@forerun/graph';
import { storageBytes } from './compiler/storage.js';
import { BufferUsage } from './device/flags.js';
import type { DeviceHandle } from './device/handle.js';
import { toWords } from './device/words.js';

export class ConstantStore {
  readonly #buffers = new Map<TensorValue, GPUBuffer>();

  constructor(private readonly handle: DeviceHandle) {}

  /** The buffer that holds `value`, uploaded on first use. `name` is for labels and errors. */
  buffer(value: TensorValue, name: string): GPUBuffer {
    let buffer = this.#buffers.get(value);
    if (buffer === undefined) {
      const words = toWords(value, name, this.handle.texts, 'constant');
      const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
      buffer = this.handle.createBuffer(
        storageBytes(value.data.length, value.dtype),
        usage,
        `constant ${name}`,
      );
      this.handle.queue.writeBuffer(buffer, 0, words);
      this.#buffers.set(value, buffer);
    }
    return buffer;
  }

  close(): void {
    for (const buffer of this.#buffers.values()) this.handle.destroyBuffer(buffer);
    this.#buffers.clear();
  }
}
