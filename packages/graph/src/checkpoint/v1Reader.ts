/**
 * Reads checkpoints of version 1: tables like those of version 2's index, with the elements of tensors in them
 * (`SavedTensorSlices`), in one file or in shards. The table's checksums cover everything.
 */
import { baseDType, dtypeBytes, dtypeFromNumber, dtypeToNumber, type DType } from '../dtype.js';
import { DataLossError, ForerunError, InvalidArgumentError } from '../errors.js';
import { decode } from '../proto/decode.js';
import type { SavedSliceMeta, TensorProto } from '../proto/messages.js';
import { tensorFromProto } from '../serialize/tensorProto.js';
import { sizeOf } from '../shape.js';
import type { TensorValue } from '../value.js';
import { checkedEntryOf, type CheckpointEntry, type CheckpointFile } from './checkpointFile.js';
import { sliceKey, type Extent } from './orderedCode.js';
import { assembleSlices, keyId, sliceBox, sliceExtents } from './slices.js';
import { isTable, readTable } from './tableReader.js';

/** The highest version of the format that is known. */
const TENSOR_SLICES_VERSION = 1;

/** True for the bytes of a version 1 checkpoint: in its first record, field 1 is a message, not the number of shards. */
export function isV1Checkpoint(bytes: Uint8Array): boolean {
  if (!isTable(bytes)) return false;
  const [first] = readTable(bytes);
  return first?.key.length === 0 && first.value[0] === 0x0a;
}

/** A checkpoint of version 1, all of it in memory. */
export class V1CheckpointReader implements CheckpointFile {
  readonly version = 1;
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  readonly numShards: number;
  readonly #slices = new Map<string, Uint8Array>();

  /** `files`: the file, or all shards. Throws `DataLossError` for damage. */
  constructor(files: readonly Uint8Array[]) {
    this.numShards = files.length;
    const entries = new Map<string, CheckpointEntry>();
    for (const file of files) this.addFile(file, entries);
    this.entries = new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private addFile(file: Uint8Array, entries: Map<string, CheckpointEntry>): void {
    if (!isTable(file))
      throw new DataLossError(
        'checkpoint: a file is no table (wrong magic number); it is damaged or cut off',
      );
    const [first, ...rest] = readTable(file);
    const meta =
      first === undefined || first.key.length > 0 ? undefined : decode('SavedTensorSlices', first.value).meta;
    if (meta === undefined) throw new DataLossError('checkpoint: the header of version 1 is missing');
    const minConsumer = meta.versions?.minConsumer ?? 0;
    if (minConsumer > TENSOR_SLICES_VERSION) {
      throw new InvalidArgumentError(
        `the checkpoint needs a reader of version ${minConsumer}, this one is version ${TENSOR_SLICES_VERSION}`,
      );
    }
    for (const { key, value } of rest) this.#slices.set(keyId(key), value);
    for (const tensor of meta.tensor) addEntry(entries, tensor);
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** The entry called `name`. Throws `NotFoundError` with the nearest names. */
  entry(name: string): CheckpointEntry {
    return checkedEntryOf(this.entries, name);
  }

  /** Reads a tensor, put together from its slices. Throws `DataLossError` when one is missing or does not fit. */
  async read(name: string): Promise<TensorValue> {
    const entry = this.entry(name);
    const what = `checkpoint tensor "${name}"`;
    const [only] = entry.slices;
    if (only !== undefined && entry.slices.length === 1 && isWhole(only, entry.shape)) {
      return this.readSlice(entry, only, entry.shape, what);
    }
    return assembleSlices(entry, what, (extents, { size }) =>
      Promise.resolve(this.readSlice(entry, extents, size, what)),
    );
  }

  private readSlice(
    entry: CheckpointEntry,
    extents: readonly Extent[],
    size: readonly number[],
    what: string,
  ): TensorValue {
    const stored = this.#slices.get(keyId(sliceKey(entry.name, extents)));
    const data = stored === undefined ? undefined : decode('SavedTensorSlices', stored).data?.data;
    if (data === undefined) {
      throw new DataLossError(
        `${what}: the slice at [${extents.map(({ start }) => start).join(',')}] is missing`,
      );
    }
    return sliceValue(data, entry.dtype, size, what);
  }
}

function isWhole(extents: readonly Extent[], shape: readonly number[]): boolean {
  return (
    extents.length === shape.length &&
    extents.every(({ start, length }, i) => start === 0 && (length < 0 || length === shape[i]))
  );
}

/** Slices have neither dtype nor shape of their own; every element must be there. */
function sliceValue(data: TensorProto, dtype: DType, shape: readonly number[], what: string): TensorValue {
  const dims = shape.map((size) => ({ size, name: '' }));
  const whole = { ...data, dtype: dtypeToNumber(dtype), tensorShape: { dim: dims, unknownRank: false } };
  const lists = Object.values(data).filter((field) => Array.isArray(field));
  const stored = Math.max(0, ...lists.map((list) => list.length)) / (dtype.startsWith('complex') ? 2 : 1);
  if (data.tensorContent.length === 0 && stored !== sizeOf(shape)) {
    throw new DataLossError(
      `${what}: ${stored} of the ${sizeOf(shape)} elements of [${shape.join(',')}] are there`,
    );
  }
  try {
    return tensorFromProto(whole);
  } catch (cause) {
    if (!(cause instanceof ForerunError)) throw cause;
    throw new DataLossError(`${what}: ${cause.message}`, { cause });
  }
}

function addEntry(entries: Map<string, CheckpointEntry>, meta: SavedSliceMeta): void {
  const { name } = meta;
  const fail = (rule: string): never => {
    throw new DataLossError(`checkpoint: tensor "${name}" ${rule}`);
  };
  const shape = meta.shape?.dim.map((dim) => dim.size) ?? [];
  const count = sizeOf(shape);
  if (shape.some((dim) => dim < 0) || !Number.isSafeInteger(count))
    fail(`has the shape [${shape.join(',')}]`);
  const dtype = dtypeOf(meta, fail);
  const known = entries.get(name);
  if (known !== undefined && (known.dtype !== dtype || known.shape.join() !== shape.join()))
    fail('differs between shards');
  const slices = [...(known?.slices ?? []), ...meta.slice.map(sliceExtents)];
  for (const extents of slices) sliceBox(extents, shape, `checkpoint tensor "${name}"`);
  entries.set(name, { name, dtype, shape, size: count * dtypeBytes(dtype), slices });
}

function dtypeOf({ type }: SavedSliceMeta, fail: (rule: string) => never): DType {
  try {
    return baseDType(dtypeFromNumber(type));
  } catch (error) {
    return error instanceof InvalidArgumentError ? fail(`has the ${error.message}`) : fail('has no dtype');
  }
}
