/** Writes TensorFlow's checkpoint format V2: an index of tensors and the bytes of their elements. */
import { dtypeToNumber, isRefDType, type DType } from '../dtype.js';
import { AlreadyExistsError, InvalidArgumentError } from '../errors.js';
import { encode } from '../proto/encode.js';
import { toBytes } from '../proto/utf8.js';
import { dataToBytes } from '../serialize/tensorBytes.js';
import { isTypedArray, type TensorValue } from '../value.js';
import { crc32c, maskCrc } from './crc32c.js';
import { sliceKey, type Extent } from './orderedCode.js';
import { keyId } from './slices.js';
import { encodeStrings } from './stringTensor.js';
import { writeTable, type TableEntry } from './tableWriter.js';

/** Version of the bundle format. */
export const BUNDLE_VERSION = 1;

/** A tensor to store under `name`. */
export interface BundleInput {
  readonly name: string;
  readonly value: TensorValue;
}

/**
 * Writes a bundle with one data shard, tensor by tensor, so that no more than one tensor need be in
 * memory: append what `add` returns to the data file, then write what `finish` returns as the index.
 */
export class BundleWriter {
  readonly #entries = new Map<string, TableEntry>();
  readonly #partial = new Map<string, PartialTensor>();
  #offset = 0;

  /**
   * Adds a tensor; returns its bytes, to be appended to the data file.
   * Throws `AlreadyExistsError` for a name that was added before.
   */
  add(name: string, value: TensorValue): Uint8Array {
    if (name === '') throw new InvalidArgumentError('a checkpoint entry needs a name');
    if (this.#entries.has(name) || this.#partial.has(name))
      throw new AlreadyExistsError(`two checkpoint entries with the name "${name}"`);
    return this.store(name, name, toBytes(name), value);
  }

  /**
   * Adds a slice of a tensor of shape `whole`; returns its bytes, to be appended to the data file. A reader of the whole tensor
   * needs slices that fill it. Throws `AlreadyExistsError` for a slice or a tensor that was added before.
   */
  addSlice(
    name: string,
    whole: readonly number[],
    extents: readonly Extent[],
    value: TensorValue,
  ): Uint8Array {
    const key = sliceKey(name, extents);
    const id = keyId(key);
    if (this.#entries.has(id) || this.#entries.has(name))
      throw new AlreadyExistsError(`two checkpoint entries for one slice of "${name}"`);
    const known = this.#partial.get(name) ?? { dtype: value.dtype, whole, slices: [] };
    if (known.dtype !== value.dtype || known.whole.join() !== whole.join()) {
      throw new InvalidArgumentError(
        `slices of "${name}" are of ${known.dtype} [${known.whole.join(',')}] and of ${value.dtype} [${whole.join(',')}]`,
      );
    }
    this.#partial.set(name, { ...known, slices: [...known.slices, extents] });
    return this.store(name, id, key, value);
  }

  private store(name: string, id: string, key: Uint8Array, value: TensorValue): Uint8Array {
    if (isRefDType(value.dtype)) {
      throw new InvalidArgumentError(`checkpoint entry "${name}" cannot be of reference type ${value.dtype}`);
    }
    const { bytes, crc } = storedForm(value, name);
    const entry = encode('BundleEntryProto', {
      dtype: dtypeToNumber(value.dtype),
      shape: { dim: value.shape.map((size) => ({ size })) },
      offset: this.#offset,
      size: bytes.length,
      crc32c: maskCrc(crc),
    });
    this.#entries.set(id, { key, value: entry });
    this.#offset += bytes.length;
    return bytes;
  }

  /** The bytes of the `.index` file. */
  finish(): Uint8Array {
    const header = encode('BundleHeaderProto', { numShards: 1, version: { producer: BUNDLE_VERSION } });
    const partial = [...this.#partial].map(([name, tensor]) => ({
      key: toBytes(name),
      value: partialEntry(tensor),
    }));
    return writeTable([{ key: new Uint8Array(0), value: header }, ...this.#entries.values(), ...partial]);
  }
}

/** A tensor of which slices are stored. */
interface PartialTensor {
  readonly dtype: DType;
  readonly whole: readonly number[];
  readonly slices: readonly (readonly Extent[])[];
}

function partialEntry({ dtype, whole, slices }: PartialTensor): Uint8Array {
  return encode('BundleEntryProto', {
    dtype: dtypeToNumber(dtype),
    shape: { dim: whole.map((size) => ({ size })) },
    slices: slices.map((extents) => ({
      extent: extents.map(({ start, length }) => (length < 0 ? {} : { start, length })),
    })),
  });
}

function storedForm({ dtype, data }: TensorValue, name: string): { bytes: Uint8Array; crc: number } {
  if (dtype === 'string') {
    if (isTypedArray(data)) {
      throw new InvalidArgumentError(`checkpoint entry "${name}" of dtype string holds numbers`);
    }
    return encodeStrings(data);
  }
  if (dtype === 'resource' || dtype === 'variant') {
    throw new InvalidArgumentError(`checkpoint entry "${name}": ${dtype} values cannot be stored`);
  }
  const bytes = dataToBytes(dtype, data);
  return { bytes, crc: crc32c(bytes) };
}

/**
 * A whole checkpoint in memory: the bytes of the `.index` file and of each data shard (one).
 * The same entries give the same bytes.
 */
export function encodeBundle(entries: Iterable<BundleInput>): { index: Uint8Array; data: Uint8Array[] } {
  const writer = new BundleWriter();
  const parts = [...entries].map(({ name, value }) => writer.add(name, value));
  const shard = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    shard.set(part, offset);
    offset += part.length;
  }
  return { index: writer.finish(), data: [shard] };
}
