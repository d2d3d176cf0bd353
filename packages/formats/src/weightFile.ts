/** What all readers of weights have in common: named tensors that are listed first and read one by one. */
import {
  DataLossError,
  dtypeBytes,
  InvalidArgumentError,
  memorySource,
  nearestNames,
  NotFoundError,
  type DType,
  type RandomAccessSource,
  type TensorValue,
} from '@forerun/graph';

/** What a file says of one tensor before its elements are read. */
export interface WeightEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** An opened file of weights. A checkpoint's `BundleReader` is one too. */
export interface WeightReader {
  /** Tensors by name, in the order of the file. */
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /** Reads a tensor. Throws `NotFoundError` for an unknown name, `DataLossError` for damaged bytes. */
  read(name: string): Promise<TensorValue>;
}

/** Kinds of weight files that are told apart by content. */
export type WeightFormat = 'safetensors' | 'npy' | 'npz' | 'PyTorch' | 'PyTorch (legacy)';

/** A `WeightReader` of one of this package's formats. */
export interface WeightFile extends WeightReader {
  readonly format: WeightFormat;
  /** Texts that the file carries besides: safetensors' `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes in memory, or a file of which parts can be read. */
export type WeightSource = Uint8Array | RandomAccessSource;

/** A source to read from. */
export function asSource(source: WeightSource): RandomAccessSource {
  return source instanceof Uint8Array ? memorySource(source) : source;
}

/** Bytes `offset` to `offset + length`. Throws `DataLossError` naming `what` when the file ends before. */
export async function readRange(
  source: RandomAccessSource,
  offset: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!fits || offset + length > source.size) {
    throw new DataLossError(
      `${what}: ${length} bytes at byte ${offset} lie beyond the end of the file (${source.size} bytes)`,
    );
  }
  const bytes = await source.read(offset, length);
  if (bytes.length === length) return bytes;
  throw new DataLossError(`${what}: ${bytes.length} of ${length} bytes at byte ${offset} could be read`);
}

/** The entry called `name`. Throws `NotFoundError` with the nearest names. */
export function entryOf<E extends WeightEntry>(
  entries: ReadonlyMap<string, E>,
  name: string,
  what: string,
): E {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  const near = nearestNames(name, entries.keys()).map((n) => `"${n}"`);
  const hint = near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`;
  throw new NotFoundError(`${what} has no tensor "${name}"${hint}`);
}

/** Product of sizes. Throws `DataLossError` when a size is no non-negative integer or the product is out of range. */
export function checkedSize(shape: readonly number[], what: string): number {
  const size = shape.reduce((product, dim) => product * dim, 1);
  // A zero hides an overflow before it.
  const bound = shape.reduce((product, dim) => product * Math.max(1, dim), 1);
  if (shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0) && Number.isSafeInteger(bound)) return size;
  throw new DataLossError(`${what}: impossible shape [${shape.join(',')}]`);
}

/** Bytes that the elements of a tensor take. Throws for dtypes without a fixed size. */
export function checkedBytes(dtype: DType, shape: readonly number[], what: string): number {
  const size = dtypeBytes(dtype);
  if (size === 0) throw new InvalidArgumentError(`${what}: dtype ${dtype} has no raw bytes`);
  return checkedSize(shape, what) * size;
}

/** Parts put together. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
