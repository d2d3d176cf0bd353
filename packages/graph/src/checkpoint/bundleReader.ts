/** Reads TensorFlow's checkpoint format V2, one tensor at a time, checking every checksum. */
import { baseDType, dtypeBytes, dtypeFromNumber, type DType } from '../dtype.js';
import { DataLossError, InvalidArgumentError, UnimplementedError } from '../errors.js';
import { decode } from '../proto/decode.js';
import type { BundleEntryProto } from '../proto/messages.js';
import { enumNumber } from '../proto/spec.js';
import { decodeUtf8 } from '../proto/utf8.js';
import { describeContent } from '../serialize/detectFormat.js';
import { bytesToData, swapBytes } from '../serialize/tensorBytes.js';
import { sizeOf } from '../shape.js';
import { TensorValue } from '../value.js';
import { BUNDLE_VERSION } from './bundleWriter.js';
import { crc32c, maskCrc } from './crc32c.js';
import { checkedEntryOf, type CheckpointEntry, type CheckpointFile } from './checkpointFile.js';
import { sliceKey, type Extent } from './orderedCode.js';
import { assembleSlices, keyId, sliceBox, sliceExtents } from './slices.js';
import { decodeStrings } from './stringTensor.js';
import { isTable, readTable } from './tableReader.js';

/** A file of which parts can be read. */
export interface RandomAccessSource {
  /** Bytes in total. */
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Opens data shard `shard` of `numShards`. */
export type ShardOpener = (
  shard: number,
  numShards: number,
) => RandomAccessSource | Promise<RandomAccessSource>;

/** What the index says of one tensor. */
export interface BundleEntry extends CheckpointEntry {
  readonly shardId: number;
  /** Position of the stored bytes in the data shard. */
  readonly offset: number;
  /** Masked checksum of the stored bytes. */
  readonly crc32c: number;
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array): RandomAccessSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** An opened checkpoint. Reading the index touches no data shard. */
export class BundleReader implements CheckpointFile {
  readonly version = 2;
  /** Tensors by name, sorted by the bytes of the name; slices of partitioned variables are not listed. */
  readonly entries: ReadonlyMap<string, BundleEntry>;
  readonly numShards: number;
  readonly #sliceEntries = new Map<string, BundleEntry>();
  readonly #bigEndian: boolean;
  readonly #open: ShardOpener;
  readonly #shards = new Map<number, Promise<RandomAccessSource>>();

  /**
   * Reads an index. Throws `DataLossError` for a file that is no index (saying what it seems to be)
   * or is damaged, `UnimplementedError` for a version that is not known.
   */
  constructor(index: Uint8Array, open: ShardOpener) {
    if (!isTable(index)) throw notAnIndex(index);
    const [first, ...rest] = readTable(index);
    if (first === undefined || first.key.length > 0) {
      throw new DataLossError('checkpoint index: the header is missing');
    }
    checkFormat(first.value);
    const header = decode('BundleHeaderProto', first.value);
    checkVersion(header.version?.producer ?? 0, header.version?.minConsumer ?? 0, header.numShards);
    this.numShards = header.numShards;
    this.#bigEndian = header.endianness === enumNumber('BundleHeaderProto.Endianness', 'BIG');
    this.#open = open;
    const entries = new Map<string, BundleEntry>();
    for (const { key, value } of rest) {
      // Slices are found by their encoded key, which begins with 00.
      if (key[0] === 0) {
        this.#sliceEntries.set(keyId(key), this.parseEntry('a slice', value));
        continue;
      }
      const name = decodeUtf8(key);
      if (name === undefined) throw new DataLossError('checkpoint index: a name is not UTF-8');
      entries.set(name, this.parseEntry(name, value));
    }
    this.entries = entries;
  }

  private parseEntry(name: string, value: Uint8Array): BundleEntry {
    const proto = decode('BundleEntryProto', value);
    const entry = {
      name,
      dtype: entryDType(proto, name),
      shape: proto.shape?.dim.map((dim) => dim.size) ?? [],
      shardId: proto.shardId,
      offset: proto.offset,
      size: proto.size,
      crc32c: proto.crc32c,
      slices: proto.slices.map(sliceExtents),
    };
    this.checkEntry(entry);
    return entry;
  }

  private checkEntry({ name, dtype, shape, shardId, offset, size, slices }: BundleEntry): void {
    const fail = (rule: string): never => {
      throw new DataLossError(`checkpoint index: entry "${name}" ${rule}`);
    };
    const count = sizeOf(shape);
    if (shape.some((dim) => dim < 0) || !Number.isSafeInteger(count))
      fail(`has the shape [${shape.join(',')}]`);
    if (slices.length > 0) return;
    if (shardId < 0 || shardId >= this.numShards) fail(`lies in shard ${shardId} of ${this.numShards}`);
    if (offset < 0 || size < 0) fail(`has offset ${offset} and size ${size}`);
    const bytes = dtypeBytes(dtype);
    if (bytes > 0 && size !== count * bytes) fail(`of ${dtype} [${shape.join(',')}] has ${size} bytes`);
    // A string takes a byte for its length at least, so the size bounds the number of elements.
    if (dtype === 'string' && size < count) fail(`of string [${shape.join(',')}] has ${size} bytes`);
  }

  /** True when the checkpoint holds a tensor of this name. */
  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** The entry called `name`. Throws `NotFoundError` with the nearest names. */
  entry(name: string): BundleEntry {
    return checkedEntryOf(this.entries, name);
  }

  /**
   * Reads a tensor; partitioned variables are put together. Throws `NotFoundError` for an unknown
   * name, `DataLossError` naming the tensor when its bytes are missing or their checksum is wrong.
   */
  async read(name: string): Promise<TensorValue> {
    const entry = this.entry(name);
    return entry.slices.length === 0 ? this.readStored(entry) : this.readSlices(entry);
  }

  /**
   * Reads the slices of a tensor that are stored, where it is stored in slices: with the extents that name them. Throws as
   * `read` does.
   */
  async readParts(
    name: string,
  ): Promise<{ readonly extents: readonly Extent[]; readonly value: TensorValue }[]> {
    const entry = this.entry(name);
    const parts: { extents: readonly Extent[]; value: TensorValue }[] = [];
    for (const extents of entry.slices) parts.push({ extents, value: await this.readSlice(name, extents) });
    return parts;
  }

  private async readStored(entry: BundleEntry): Promise<TensorValue> {
    const what = `checkpoint tensor "${entry.name}"`;
    const bytes = await this.storedBytes(entry, what);
    if (entry.dtype === 'string') {
      const { strings, crc } = decodeStrings(bytes, sizeOf(entry.shape), what);
      checkCrc(crc, entry, what);
      return new TensorValue('string', entry.shape, strings);
    }
    checkCrc(crc32c(bytes), entry, what);
    if (dtypeBytes(entry.dtype) === 0)
      throw new UnimplementedError(`${what}: dtype ${entry.dtype} cannot be read`);
    const little = this.#bigEndian ? swapBytes(bytes.slice(), entry.dtype) : bytes;
    return new TensorValue(entry.dtype, entry.shape, bytesToData(entry.dtype, little));
  }

  private async storedBytes(entry: BundleEntry, what: string): Promise<Uint8Array> {
    if (entry.size === 0) return new Uint8Array(0);
    const shard = await this.shard(entry.shardId);
    const end = entry.offset + entry.size;
    if (end > shard.size) {
      throw new DataLossError(
        `${what}: bytes ${entry.offset} to ${end} lie beyond the end of data shard ${entry.shardId} (${shard.size} bytes); the file is truncated`,
      );
    }
    const bytes = await shard.read(entry.offset, entry.size);
    if (bytes.length === entry.size) return bytes;
    throw new DataLossError(`${what}: ${bytes.length} of ${entry.size} bytes could be read`);
  }

  private shard(id: number): Promise<RandomAccessSource> {
    const known = this.#shards.get(id);
    if (known !== undefined) return known;
    const opened = Promise.resolve(this.#open(id, this.numShards));
    this.#shards.set(id, opened);
    return opened;
  }

  private async readSlices(entry: BundleEntry): Promise<TensorValue> {
    const what = `checkpoint tensor "${entry.name}"`;
    return assembleSlices(entry, what, (extents) => this.readSlice(entry.name, extents));
  }

  /** Reads a stored slice. Throws `DataLossError` where there is none of these extents. */
  async readSlice(name: string, extents: readonly Extent[]): Promise<TensorValue> {
    const { shape } = this.entry(name);
    const stored = this.#sliceEntries.get(keyId(sliceKey(name, extents)));
    if (stored !== undefined) return this.readStored({ ...stored, name });
    const what = `checkpoint tensor "${name}"`;
    const { start } = sliceBox(extents, shape, what);
    throw new DataLossError(`${what}: the slice at [${start.join(',')}] is missing`);
  }
}

function entryDType(proto: BundleEntryProto, name: string): DType {
  try {
    return baseDType(dtypeFromNumber(proto.dtype));
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new DataLossError(`checkpoint index: entry "${name}" has the ${error.message}`, { cause: error });
  }
}

function checkCrc(computed: number, entry: BundleEntry, what: string): void {
  if (maskCrc(computed) === entry.crc32c) return;
  throw new DataLossError(
    `${what}: wrong checksum; its ${entry.size} bytes in data shard ${entry.shardId} are damaged`,
  );
}

const V1_MESSAGE = 'this is a checkpoint of format V1, which has no index: give the file itself';

/** In the older format field 1 of the first record is a message, not the number of shards. */
function checkFormat(header: Uint8Array): void {
  if (header[0] !== 0x0a) return;
  throw new InvalidArgumentError(V1_MESSAGE);
}

function checkVersion(producer: number, minConsumer: number, numShards: number): void {
  if (producer < 1 && numShards === 0) {
    throw new InvalidArgumentError(V1_MESSAGE);
  }
  if (minConsumer > BUNDLE_VERSION) {
    throw new UnimplementedError(
      `the checkpoint needs a reader of version ${minConsumer}, this one is version ${BUNDLE_VERSION} (written by version ${producer})`,
    );
  }
  if (numShards < 1) throw new DataLossError(`checkpoint index: ${numShards} data shards`);
}

function notAnIndex(bytes: Uint8Array): DataLossError {
  return new DataLossError(
    `not a checkpoint index (wrong magic number): the file ${describeContent(bytes)}; pass the checkpoint's prefix or its .index file`,
  );
}
