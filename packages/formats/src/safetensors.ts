/** `.safetensors`: a JSON header with names, dtypes, shapes and places, then the elements (huggingface/safetensors). */
import {
  bytesToData,
  DataLossError,
  dataToBytes,
  InvalidArgumentError,
  TensorValue,
  type BaseDType,
  type RandomAccessSource,
} from '@forerun/graph';
import {
  asSource,
  checkedBytes,
  concatBytes,
  entryOf,
  readRange,
  type WeightEntry,
  type WeightFile,
  type WeightSource,
} from './weightFile.js';

/** The format's own limit of the header. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

const DTYPES: Readonly<Record<string, BaseDType>> = {
  BOOL: 'bool',
  U8: 'uint8',
  I8: 'int8',
  I16: 'int16',
  U16: 'uint16',
  F16: 'float16',
  BF16: 'bfloat16',
  I32: 'int32',
  U32: 'uint32',
  F32: 'float32',
  F64: 'float64',
  I64: 'int64',
  U64: 'uint64',
  C64: 'complex64',
};
const NAMES = new Map(Object.entries(DTYPES).map(([name, dtype]) => [dtype, name]));

interface SafetensorsEntry extends WeightEntry {
  /** Position in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Opens a `.safetensors` file: reads its header and checks that the tensors fill the rest without gaps or
 * overlaps. Throws `DataLossError` saying what is wrong, `InvalidArgumentError` for a dtype that is not known here.
 */
export async function openSafetensors(source: WeightSource): Promise<WeightFile> {
  const file = asSource(source);
  const { header, start } = await readHeader(file);
  const { entries, metadata } = parseHeader(header, start, file.size);
  return {
    format: 'safetensors',
    entries,
    metadata,
    read: async (name) => {
      const entry = entryOf(entries, name, 'the safetensors file');
      const bytes = await readRange(file, entry.offset, entry.bytes, `safetensors tensor "${name}"`);
      return new TensorValue(entry.dtype, entry.shape, bytesToData(entry.dtype, bytes));
    },
  };
}

async function readHeader(file: RandomAccessSource): Promise<{ header: string; start: number }> {
  const head = await readRange(file, 0, LENGTH_BYTES, 'safetensors header');
  const length = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES) || Number(length) > file.size - LENGTH_BYTES) {
    throw new DataLossError(
      `safetensors header: its length ${length} at byte 0 is more than the file's ${file.size} bytes allow`,
    );
  }
  const bytes = await readRange(file, LENGTH_BYTES, Number(length), 'safetensors header');
  try {
    const header = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { header, start: LENGTH_BYTES + Number(length) };
  } catch (cause) {
    throw new DataLossError('safetensors header: it is not UTF-8', { cause });
  }
}

function parseHeader(
  text: string,
  start: number,
  size: number,
): { entries: Map<string, SafetensorsEntry>; metadata: Map<string, string> } {
  const header = parseObject(text);
  const metadata = new Map<string, string>();
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) {
      for (const [key, item] of Object.entries(objectOf(value, METADATA))) metadata.set(key, String(item));
    } else entries.set(name, parseEntry(name, objectOf(value, name), start));
  }
  checkPlaces([...entries.values()], start, size);
  return { entries, metadata };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text), 'header');
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new DataLossError(`safetensors header: ${cause.message}`, { cause });
  }
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new DataLossError(`safetensors header: "${what}" is not an object`);
}

function parseEntry(name: string, item: Record<string, unknown>, start: number): SafetensorsEntry {
  const what = `safetensors tensor "${name}"`;
  const { shape, data_offsets: offsets } = item;
  const isNumbers = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isNumbers(shape)) throw new DataLossError(`${what}: the shape is no list of sizes`);
  if (!isNumbers(offsets) || offsets.length !== 2) throw new DataLossError(`${what}: bad data_offsets`);
  const [begin = 0, end = 0] = offsets;
  const dtype = typeof item.dtype === 'string' ? DTYPES[item.dtype] : undefined;
  if (dtype === undefined) {
    throw new InvalidArgumentError(`${what}: the dtype ${JSON.stringify(item.dtype)} is not known`);
  }
  const bytes = checkedBytes(dtype, shape, what);
  if (end - begin !== bytes) {
    throw new DataLossError(
      `${what}: ${item.dtype as string} [${shape.join(',')}] takes ${bytes} bytes, its data_offsets give ${end - begin}`,
    );
  }
  return { name, dtype, shape, offset: start + begin, bytes };
}

function checkPlaces(entries: readonly SafetensorsEntry[], start: number, size: number): void {
  let next = start;
  for (const { name, offset, bytes } of [...entries].sort(
    (a, b) => a.offset - b.offset || a.bytes - b.bytes,
  )) {
    if (offset !== next) {
      throw new DataLossError(
        `safetensors tensor "${name}": it begins at byte ${offset}, where byte ${next} is next`,
      );
    }
    next = offset + bytes;
  }
  if (next !== size) {
    throw new DataLossError(`safetensors: the tensors end at byte ${next}, the file at byte ${size}`);
  }
}

/**
 * The bytes of a `.safetensors` file. Tensors are ordered by alignment and name, as the format's own writer does; the
 * header is padded to 8 bytes, so that elements are aligned. Throws `InvalidArgumentError` for dtypes that the format lacks.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, value: TensorValue]>,
  { metadata = {} }: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Uint8Array {
  const items = [...tensors].map(([name, { dtype, shape, data }]) => {
    const type = NAMES.get(dtype as BaseDType);
    if (type === undefined || name === METADATA || name === '') {
      throw new InvalidArgumentError(
        `safetensors: "${name}" of ${dtype} cannot be stored: ${type === undefined ? 'the format has no such dtype' : 'the name is taken'}`,
      );
    }
    return { name, type, shape, bytes: dataToBytes(dtype, data), size: data.length };
  });
  const alignment = ({ bytes, size }: (typeof items)[number]): number =>
    size === 0 ? 0 : bytes.length / size;
  items.sort((a, b) => alignment(b) - alignment(a) || (a.name < b.name ? -1 : 1));
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { [METADATA]: metadata } : {};
  let offset = 0;
  for (const { name, type, shape, bytes } of items) {
    if (Object.hasOwn(header, name))
      throw new InvalidArgumentError(`safetensors: two tensors called "${name}"`);
    header[name] = { dtype: type, shape, data_offsets: [offset, (offset += bytes.length)] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json, LENGTH_BYTES);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - LENGTH_BYTES), true);
  return concatBytes([padded, ...items.map(({ bytes }) => bytes)]);
}
