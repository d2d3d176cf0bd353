/** Partitioned variables: boxes of a tensor, and putting them together. */
import { DataLossError } from '../errors.js';
import type { TensorSliceProto } from '../proto/messages.js';
import { sizeOf, stridesOf } from '../shape.js';
import { allocateData, isTypedArray, TensorValue, type NumericData, type TensorData } from '../value.js';
import type { DType } from '../dtype.js';
import type { CheckpointEntry } from './checkpointFile.js';
import type { Extent } from './orderedCode.js';

/** The extents of a slice, -1 as length for a whole dimension, as in keys. */
export function sliceExtents(slice: TensorSliceProto): Extent[] {
  return slice.extent.map(({ start, length }) => ({ start, length: length ?? -1 }));
}

/** Start and size of a slice of a tensor of `shape`. Throws `DataLossError` when it does not lie inside. */
export function sliceBox(
  extents: readonly Extent[],
  shape: readonly number[],
  what: string,
): { readonly start: number[]; readonly size: number[] } {
  const start = extents.map((extent) => extent.start);
  const size = extents.map((extent, axis) => (extent.length < 0 ? (shape[axis] ?? 0) : extent.length));
  const inside = shape.every(
    (dim, axis) => (start[axis] ?? -1) >= 0 && (start[axis] ?? 0) + (size[axis] ?? 0) <= dim,
  );
  if (extents.length !== shape.length || !inside) {
    throw new DataLossError(
      `${what}: slice [${start.join(',')}] + [${size.join(',')}] lies outside [${shape.join(',')}]`,
    );
  }
  return { start, size };
}

/** A tensor being put together from slices. */
class SliceAssembler {
  readonly data: NumericData;
  readonly #strides: readonly number[];
  #filled = 0;

  constructor(
    dtype: DType,
    private readonly shape: readonly number[],
    private readonly what: string,
  ) {
    this.data = allocateData(dtype, sizeOf(shape));
    this.#strides = stridesOf(shape);
  }

  /** Copies the elements of a slice to their place. */
  put(start: readonly number[], size: readonly number[], data: TensorData): void {
    const rank = this.shape.length;
    const row = size[rank - 1] ?? 1;
    const rows = row === 0 ? 0 : sizeOf(size) / row;
    for (let r = 0; r < rows; r++) {
      let rest = r;
      let target = start[rank - 1] ?? 0;
      for (let axis = rank - 2; axis >= 0; axis--) {
        const extent = size[axis] ?? 1;
        target += ((start[axis] ?? 0) + (rest % extent)) * (this.#strides[axis] ?? 0);
        rest = Math.floor(rest / extent);
      }
      this.copyRow(data, r * row, target, row);
    }
    this.#filled += sizeOf(size);
  }

  private copyRow(source: TensorData, from: number, to: number, count: number): void {
    if (!isTypedArray(source)) throw new DataLossError(`${this.what}: slices of this dtype cannot be joined`);
    for (let i = 0; i < count; i++) this.data[to + i] = source[from + i] ?? 0;
  }

  /** The whole tensor. Throws `DataLossError` when slices are missing. */
  finish(): NumericData {
    if (this.#filled !== this.data.length) {
      throw new DataLossError(
        `${this.what}: its slices hold ${this.#filled} of ${this.data.length} elements`,
      );
    }
    return this.data;
  }
}

/** Where a slice lies. */
interface Box {
  readonly start: readonly number[];
  readonly size: readonly number[];
}

/**
 * A partitioned tensor, its slices read one by one. Throws `DataLossError` when they do not fill it exactly; memory is
 * taken only once their sizes are known to.
 */
export async function assembleSlices(
  { dtype, shape, slices }: CheckpointEntry,
  what: string,
  read: (extents: readonly Extent[], box: Box) => Promise<TensorValue>,
): Promise<TensorValue> {
  const boxes = slices.map((extents) => ({ extents, box: sliceBox(extents, shape, what) }));
  const total = boxes.reduce((sum, { box }) => sum + sizeOf(box.size), 0);
  if (total !== sizeOf(shape)) {
    throw new DataLossError(`${what}: its slices hold ${total} of ${sizeOf(shape)} elements`);
  }
  const parts: { box: Box; value: TensorValue }[] = [];
  for (const { extents, box } of boxes) {
    const value = await read(extents, box);
    if (value.dtype !== dtype || value.data.length !== sizeOf(box.size)) {
      throw new DataLossError(
        `${what}: the slice at [${box.start.join(',')}] is ${value.dtype} [${value.shape.join(',')}]`,
      );
    }
    parts.push({ box, value });
  }
  const assembler = new SliceAssembler(dtype, shape, what);
  for (const { box, value } of parts) assembler.put(box.start, box.size, value.data);
  return new TensorValue(dtype, shape, assembler.finish());
}

/** The bytes of a key as a text, for maps. */
export function keyId(key: Uint8Array): string {
  let id = '';
  for (const byte of key) id += String.fromCharCode(byte);
  return id;
}
