/** Partitioned variables: boxes of a tensor, and putting them together. */
import { DataLossError } from '../errors.js';
import type { TensorSliceProto } from '../proto/messages.js';
import { sizeOf, stridesOf } from '../shape.js';
import { allocateData, isTypedArray, type NumericData, type TensorData } from '../value.js';
import type { DType } from '../dtype.js';
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
export class SliceAssembler {
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
