/**
 * Slices of tensors in checkpoints, as `SaveV2` and `RestoreV2` name them: the sizes of the whole tensor, then for each axis where the slice
 * begins and how long it is, `-` for all of it: `8 4 2,3:-`. Variables in several parts are saved so.
 */
import { InvalidArgumentError, sizeOf, TensorValue, zeroElements } from '@forerun/graph';

/** A part of a tensor of the whole's shape. */
export interface TensorSlice {
  readonly whole: readonly number[];
  readonly start: readonly number[];
  readonly size: readonly number[];
  /** Axes that are taken whole, as the text says by `-`. */
  readonly full?: readonly boolean[];
}

/** How a checkpoint names a slice: the length of an axis that is taken whole is -1. */
export function extentsOf({ start, size, full }: TensorSlice): { start: number; length: number }[] {
  return start.map((from, axis) =>
    full?.[axis] === true ? { start: 0, length: -1 } : { start: from, length: size[axis] ?? 0 },
  );
}

/** The slice of a tensor of shape `whole` that a checkpoint names so. */
export function sliceOf(
  extents: readonly { readonly start: number; readonly length: number }[],
  whole: readonly number[],
): TensorSlice {
  return {
    whole,
    start: extents.map(({ start }) => start),
    size: extents.map(({ length }, axis) => (length < 0 ? (whole[axis] ?? 0) : length)),
    full: extents.map(({ length }) => length < 0),
  };
}

/** Whether slices make up the whole tensor. Throws `InvalidArgumentError` when two of them overlap. */
export function isWhole(slices: readonly TensorSlice[], name: string): boolean {
  slices.forEach((slice, i) => {
    const other = slices.slice(0, i).find((earlier) => overlap(earlier, slice));
    if (other === undefined) return;
    throw new InvalidArgumentError(
      `two slices of "${name}" overlap: ${sliceText(other)} and ${sliceText(slice)}`,
    );
  });
  const count = slices.reduce((sum, { size }) => sum + sizeOf(size), 0);
  return count === sizeOf(slices[0]?.whole ?? []);
}

function overlap(a: TensorSlice, b: TensorSlice): boolean {
  return a.start.every((from, axis) => {
    const [start = 0, length = 0] = [b.start[axis], b.size[axis]];
    return from < start + length && start < from + (a.size[axis] ?? 0);
  });
}

/** The slice that a text names; `null` for the empty one, which means the whole tensor. Throws `InvalidArgumentError`. */
export function parseSlice(text: string): TensorSlice | null {
  if (text === '') return null;
  const parts = text.split(' ');
  const extents = (parts.pop() ?? '').split(':');
  const whole = parts.map(Number);
  const bounds = extents.map((extent, axis): readonly [number, number] => {
    if (extent === '-') return [0, whole[axis] ?? NaN];
    const [start = NaN, length = NaN] = extent.split(',').map(Number);
    return [start, length];
  });
  const fits = whole.every((size, axis) => {
    const [start = NaN, length = NaN] = bounds[axis] ?? [];
    return Number.isInteger(size) && start >= 0 && length >= 0 && start + length <= size;
  });
  if (!fits || bounds.length !== whole.length) {
    throw new InvalidArgumentError(`"${text}" names no slice of a tensor`);
  }
  return {
    whole,
    start: bounds.map(([start]) => start),
    size: bounds.map(([, length]) => length),
    full: extents.map((extent) => extent === '-'),
  };
}

/** How a slice is written. */
export function sliceText({ whole, start, size }: TensorSlice): string {
  return `${whole.join(' ')} ${start.map((from, axis) => `${from},${size[axis] ?? 0}`).join(':')}`;
}

/** Calls with the place of each row of a slice in the whole tensor, and in the slice; rows have `size.at(-1)` elements. */
function rowsOf({ whole, start, size }: TensorSlice, row: (inWhole: number, inSlice: number) => void): void {
  const length = size.at(-1) ?? 1;
  const count = length === 0 ? 0 : sizeOf(size) / length;
  for (let r = 0; r < count; r++) {
    let [rest, place, stride] = [r, start.at(-1) ?? 0, whole.at(-1) ?? 1];
    for (let axis = whole.length - 2; axis >= 0; axis--) {
      const extent = size[axis] ?? 1;
      place += ((start[axis] ?? 0) + (rest % extent)) * stride;
      rest = Math.floor(rest / extent);
      stride *= whole[axis] ?? 1;
    }
    row(place, r * length);
  }
}

type Elements = (string | number | bigint | Uint8Array)[];

/** What a slice has of a tensor. Throws `InvalidArgumentError` when the tensor has another shape. */
export function cutSlice(value: TensorValue, slice: TensorSlice | null, name: string): TensorValue {
  if (slice === null) return value;
  requireShape(value.shape, slice.whole, `"${name}" in the checkpoint`);
  const data = zeroElements(value.dtype, sizeOf(slice.size));
  const length = slice.size.at(-1) ?? 1;
  rowsOf(slice, (from, to) => {
    for (let i = 0; i < length; i++) (data as Elements)[to + i] = value.data[from + i] ?? 0;
  });
  return new TensorValue(value.dtype, slice.size, data);
}

/** The tensor that slices make up. Throws `InvalidArgumentError` when they do not fit together. */
export function joinSlices(
  parts: readonly { readonly value: TensorValue; readonly slice: TensorSlice }[],
  name: string,
): TensorValue {
  const [first] = parts;
  if (first === undefined) throw new InvalidArgumentError(`"${name}" has no slices`);
  const { whole } = first.slice;
  const count = parts.reduce((sum, { slice }) => sum + sizeOf(slice.size), 0);
  if (count !== sizeOf(whole)) {
    throw new InvalidArgumentError(
      `"${name}": slices of ${count} elements are no tensor of ${sizeOf(whole)}`,
    );
  }
  const data = zeroElements(first.value.dtype, count);
  for (const { value, slice } of parts) {
    requireShape(slice.whole, whole, `a slice of "${name}"`);
    requireShape(value.shape, slice.size, `a slice of "${name}"`);
    const length = slice.size.at(-1) ?? 1;
    rowsOf(slice, (to, from) => {
      for (let i = 0; i < length; i++) (data as Elements)[to + i] = value.data[from + i] ?? 0;
    });
  }
  return new TensorValue(first.value.dtype, whole, data);
}

function requireShape(shape: readonly number[], wanted: readonly number[], what: string): void {
  if (shape.join() === wanted.join()) return;
  throw new InvalidArgumentError(`${what} has the shape [${shape.join(',')}], not [${wanted.join(',')}]`);
}
