/**
 * Copies rows of tensors into batches, bit for bit and without making objects in the long run. Rows of whole
 * 32-bit words are copied as such, so two kinds of array serve all dtypes and the loops stay fast. Wide rows
 * go through `set`, about ten times as fast as a loop, on views that are made once for each row.
 */
import { leavesOf, sizeOf, type DataValue } from './value.js';

/** Rows of at least this many bytes get a view each: the views then cost a tenth of the data at most. */
const WIDE_ROW_BYTES = 1024;

type Unit = Int32Array | Uint8Array;

/** Copies the rows of one tensor. */
export class RowCopier {
  readonly #source: Unit;
  readonly #width: number;
  readonly #views: (Unit | undefined)[] | undefined;

  /** @param tensor Value of shape [n, ...]. */
  constructor(tensor: DataValue) {
    const { data, shape } = tensor;
    const bytes = sizeOf(shape.slice(1)) * data.BYTES_PER_ELEMENT;
    this.#source =
      bytes % 4 === 0 && data.byteOffset % 4 === 0
        ? new Int32Array(data.buffer, data.byteOffset, Math.floor(data.byteLength / 4))
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#width = bytes / this.#source.BYTES_PER_ELEMENT;
    this.#views = bytes < WIDE_ROW_BYTES ? undefined : new Array<Unit | undefined>(shape[0] ?? 0);
  }

  /** The memory of a batch of such rows in the copier's unit; it must start at a multiple of 4 bytes. */
  target(batch: DataValue | undefined): Unit {
    if (batch === undefined) return new Uint8Array();
    const { buffer, byteOffset, byteLength } = batch.data;
    return this.#source instanceof Int32Array
      ? new Int32Array(buffer, byteOffset, Math.floor(byteLength / 4))
      : new Uint8Array(buffer, byteOffset, byteLength);
  }

  /** Copies `row` of the tensor to row `at` of `target`. */
  copy(target: Unit | undefined, at: number, row: number): void {
    const width = this.#width;
    if (target === undefined) return;
    if (this.#views !== undefined) {
      const view = (this.#views[row] ??= this.#source.subarray(row * width, (row + 1) * width));
      target.set(view, at * width);
    } else if (target instanceof Int32Array && this.#source instanceof Int32Array) {
      copyWords(target, at * width, this.#source, row * width, width);
    } else if (target instanceof Uint8Array && this.#source instanceof Uint8Array) {
      copyBytes(target, at * width, this.#source, row * width, width);
    }
  }
}

// The same loop twice: each sees one class of array, which the compiler turns into plain loads and stores.
function copyWords(to: Int32Array, toAt: number, from: Int32Array, fromAt: number, width: number): void {
  for (let i = 0; i < width; i++) to[toAt + i] = from[fromAt + i] ?? 0;
}

function copyBytes(to: Uint8Array, toAt: number, from: Uint8Array, fromAt: number, width: number): void {
  for (let i = 0; i < width; i++) to[toAt + i] = from[fromAt + i] ?? 0;
}

/** A copier for each value of a structure of tensors, in the order of `leavesOf`. */
export function rowCopiers(tensors: unknown): RowCopier[] {
  return leavesOf('batch', tensors).map((leaf) => new RowCopier(leaf.value));
}
