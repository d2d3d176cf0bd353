/**
 * Values between the parts of a run: tensors that stay on the device or are known on the host, lists of them, and
 * variables. Their buffers come from a pool and go back when nothing refers to them any more.
 */
import { sizeOf, type DType, type HandleData, type TensorValue } from '@forerun/graph';
import type { VariableRef } from '../compiler/ir.js';
import { storageBytes } from '../compiler/storage.js';
import { BufferUsage } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';

/** A tensor: on the device, on the host, or both. */
export interface RuntimeTensor {
  readonly kind: 'tensor';
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly buffer: GPUBuffer | null;
  /** The elements, once they have been read. */
  value: TensorValue | null;
}

/** A list of tensors; `null` for an element that was never set. Lists do not change. */
export interface RuntimeList {
  readonly kind: 'list';
  readonly elements: readonly (RuntimeValue | null)[];
  readonly element: HandleData;
}

export interface RuntimeVariable {
  readonly kind: 'variable';
  readonly variable: VariableRef;
}

export type RuntimeValue = RuntimeTensor | RuntimeList | RuntimeVariable;

/** A tensor that is known on the host. */
export function hostTensor(value: TensorValue): RuntimeTensor {
  return { kind: 'tensor', dtype: value.dtype, shape: value.shape, buffer: null, value };
}

/** Below this many bytes nothing is searched for what can be reused. */
const SWEEP_BYTES = 32 * 2 ** 20;

/** Buffers of the values between the parts of a run, by size; kept for the next run. */
export class RuntimePool {
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #used = new Set<GPUBuffer>();
  /** Arrays and maps whose values are in use. */
  readonly #roots = new Set<Iterable<RuntimeValue>>();
  #sinceSweep = 0;

  constructor(private readonly handle: DeviceHandle) {}

  /** A buffer for a tensor, in use until it is collected or the run ends. */
  acquire(shape: readonly number[], dtype: DType): GPUBuffer {
    const bytes = sizeClass(storageBytes(sizeOf(shape), dtype));
    this.#sinceSweep += bytes;
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    const buffer =
      this.#free.get(bytes)?.pop() ?? this.handle.createBuffer(bytes, usage, 'value between parts');
    this.#used.add(buffer);
    return buffer;
  }

  /** Keeps the values of a collection, whatever it holds at the time, until `release`. */
  hold<T extends Iterable<RuntimeValue>>(values: T): T {
    this.#roots.add(values);
    return values;
  }

  release(values: Iterable<RuntimeValue>): void {
    this.#roots.delete(values);
  }

  /**
   * Takes back buffers that nothing held refers to, once enough have been handed out. For places where all values in
   * use are held: not while the results of a plan are being gathered.
   */
  collect(): void {
    if (this.#sinceSweep > SWEEP_BYTES) this.sweep();
  }

  private sweep(): void {
    this.#sinceSweep = 0;
    const alive = new Set<GPUBuffer>();
    const stack: (RuntimeValue | null)[] = [];
    for (const root of this.#roots) stack.push(...root);
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      if (value?.kind === 'list') for (const element of value.elements) stack.push(element);
      else if (value?.kind === 'tensor' && value.buffer !== null) alive.add(value.buffer);
    }
    for (const buffer of this.#used) if (!alive.has(buffer)) this.giveBack(buffer);
  }

  private giveBack(buffer: GPUBuffer): void {
    this.#used.delete(buffer);
    const free = this.#free.get(buffer.size) ?? [];
    free.push(buffer);
    this.#free.set(buffer.size, free);
  }

  /** Takes all buffers back: the run has ended. */
  reset(): void {
    this.#roots.clear();
    for (const buffer of [...this.#used]) this.giveBack(buffer);
  }

  /** Frees all buffers. */
  close(): void {
    for (const buffer of [...this.#used, ...[...this.#free.values()].flat()])
      this.handle.destroyBuffer(buffer);
    this.#used.clear();
    this.#free.clear();
  }
}

/** Sizes in steps of an eighth of their power of two, so that near sizes share buffers. */
function sizeClass(bytes: number): number {
  const step = Math.max(16, 2 ** Math.floor(Math.log2(bytes)) / 8);
  return Math.ceil(bytes / step) * step;
}
