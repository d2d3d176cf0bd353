/** Tensors in buffers of a device, for single runs: as words there, and back. */
import { float16Bits, float16Value, sizeOf, type DType, type HostValue } from '@forerun/graph';
import type { Operand } from '@forerun/kernels-webgpu';
import { settle, type TestDevice } from './device.js';

/** How elements of a dtype lie on the device: in 4 bytes, of float16 in 2. */
export function toWords({ dtype, data }: HostValue): Uint32Array<ArrayBuffer> {
  if (dtype === 'float16') {
    const halves = new Uint16Array(2 * Math.ceil(data.length / 2));
    data.forEach((x, i) => (halves[i] = float16Bits(x)));
    return new Uint32Array(halves.buffer);
  }
  if (dtype === 'float32') return new Uint32Array(Float32Array.from(data).buffer);
  if (isUnsigned(dtype)) return Uint32Array.from(data);
  return new Uint32Array(Int32Array.from(data).buffer);
}

function isUnsigned(dtype: DType): boolean {
  return dtype === 'bool' || dtype.startsWith('uint');
}

export function fromWords({ dtype, shape }: Operand, words: ArrayBuffer): HostValue {
  if (dtype === 'float16') {
    const halves = new Uint16Array(words).subarray(0, sizeOf(shape));
    return { dtype, shape, data: Float64Array.from(halves, float16Value) };
  }
  const elements =
    dtype === 'float32'
      ? new Float32Array(words)
      : isUnsigned(dtype)
        ? new Uint32Array(words)
        : new Int32Array(words);
  return { dtype, shape, data: Float64Array.from(elements.subarray(0, sizeOf(shape))) };
}

/** What outputs and scratch hold before the run: NaN, or a large integer, so that unwritten elements show. */
const UNWRITTEN = 0x7fc07fc1;

export function unwritten(length: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(length).fill(UNWRITTEN);
}

const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const STORAGE = 0x80;
export const UNIFORM = 0x40;
const MODE_READ = 0x1;

/** Buffers of one run, destroyed together. */
export class BufferPool {
  readonly #buffers: GPUBuffer[] = [];

  constructor(private readonly device: GPUDevice) {}

  /** A buffer, for storage by default, that holds `words`; 16 bytes when there are none, because buffers cannot be empty. */
  of(words: Uint32Array<ArrayBuffer>, usage = STORAGE | COPY_SRC): GPUBuffer {
    const size = Math.max(words.byteLength, words.length === 0 ? 16 : 4);
    const buffer = this.create(size, usage | COPY_DST);
    if (words.length > 0) this.device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  async read(buffer: GPUBuffer, test: TestDevice): Promise<ArrayBuffer> {
    const staging = this.create(buffer.size, MAP_READ | COPY_DST);
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    this.device.queue.submit([encoder.finish()]);
    await settle(staging.mapAsync(MODE_READ), test);
    const copy = staging.getMappedRange().slice(0);
    staging.unmap();
    return copy;
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }

  private create(size: number, usage: number): GPUBuffer {
    const buffer = this.device.createBuffer({ size, usage });
    this.#buffers.push(buffer);
    return buffer;
  }
}
