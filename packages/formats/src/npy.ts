/** `.npy`: one NumPy array (numpy.lib.format, versions 1.0 to 3.0). */
import {
  bytesToData,
  DataLossError,
  dataToBytes,
  dtypeBytes,
  InvalidArgumentError,
  isTypedArray,
  swapBytes,
  TensorValue,
  type BaseDType,
  type RandomAccessSource,
} from '@forerun/graph';
import { parseLiteral, type Literal } from './pythonLiteral.js';
import { copyStrided, permuteValue } from './permute.js';
import { asSource, checkedSize, concatBytes, readRange, type WeightSource } from './weightFile.js';

/** What every `.npy` file begins with. */
export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** NumPy's own readers refuse headers beyond 10,000 bytes; a long list of dimensions needs a fraction. */
const MAX_HEADER_BYTES = 2 ** 20;
const ALIGNMENT = 64;

/** NumPy's letters and sizes of the dtypes that exist here. */
const DTYPES: Readonly<Record<string, BaseDType>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  c8: 'complex64',
  c16: 'complex128',
};
const CODES = new Map(Object.entries(DTYPES).map(([code, dtype]) => [dtype, code]));

/** The header of an array. */
export interface NpyHeader {
  readonly dtype: BaseDType;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  /** Bytes of one element: those of the dtype, or the fixed length of texts. */
  readonly itemBytes: number;
  /** `S` for bytes, `U` for UTF-32, when the elements are texts. */
  readonly text: 'S' | 'U' | undefined;
  readonly bigEndian: boolean;
  /** Position of the first element. */
  readonly offset: number;
}

/**
 * Reads the header of an array. Throws `DataLossError` for damage, `InvalidArgumentError` for arrays of Python objects or
 * records and for dtypes that do not exist here.
 */
export async function readNpyHeader(source: WeightSource, what = 'npy file'): Promise<NpyHeader> {
  const file = asSource(source);
  const head = await readRange(file, 0, Math.min(12, Math.max(10, file.size)), what);
  if (NPY_MAGIC.some((byte, i) => head[i] !== byte))
    throw new DataLossError(`${what}: no NumPy array at byte 0`);
  const version = head[6] ?? 0;
  if (version < 1 || version > 3)
    throw new InvalidArgumentError(`${what}: unknown version ${version} at byte 6`);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (version > 1 && head.length < 12) throw new DataLossError(`${what}: the file ends in the header`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = version === 1 ? 10 : 12;
  if (length > MAX_HEADER_BYTES) throw new DataLossError(`${what}: header of ${length} bytes at byte 8`);
  const bytes = await readRange(file, start, length, `${what}, header`);
  const text = version === 3 ? decodeUtf8(bytes, what) : String.fromCharCode(...bytes);
  return { ...parseHeader(parseLiteral(text, `${what}, header`), what), offset: start + length };
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataLossError(`${what}: the header is not UTF-8`, { cause });
  }
}

function parseHeader(header: Literal, what: string): Omit<NpyHeader, 'offset'> {
  const fields = header instanceof Map ? header : new Map<string, Literal>();
  const descr = fields.get('descr');
  const shape = fields.get('shape');
  const fortranOrder = fields.get('fortran_order');
  if (typeof fortranOrder !== 'boolean' || !Array.isArray(shape)) {
    throw new DataLossError(`${what}: the header needs descr, fortran_order and shape`);
  }
  const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : NaN));
  checkedSize(sizes, what);
  return { ...elementType(descr, what), shape: sizes, fortranOrder };
}

function elementType(
  descr: Literal | undefined,
  what: string,
): Pick<NpyHeader, 'dtype' | 'itemBytes' | 'text' | 'bigEndian'> {
  if (descr === undefined || descr === null) throw new DataLossError(`${what}: the header has no descr`);
  if (typeof descr !== 'string') {
    throw new InvalidArgumentError(`${what}: arrays of records are not supported`);
  }
  const [, order = '', kind = '', digits = ''] = /^([<>|=]?)([A-Za-z])(\d*)$/.exec(descr) ?? [];
  if (kind === 'O') {
    throw new InvalidArgumentError(
      `${what}: an array of Python objects is refused: reading one can run code`,
    );
  }
  const bigEndian = order === '>';
  if (kind === 'S' || kind === 'U') {
    const itemBytes = Number(digits) * (kind === 'U' ? 4 : 1);
    return { dtype: 'string', itemBytes, text: kind, bigEndian };
  }
  const dtype = DTYPES[kind + digits];
  if (dtype === undefined) throw new InvalidArgumentError(`${what}: the dtype "${descr}" is not known`);
  return { dtype, itemBytes: dtypeBytes(dtype), text: undefined, bigEndian };
}

/** The elements that a header announces. Throws `DataLossError` when the file ends before. */
export async function readNpyData(
  source: WeightSource,
  header: NpyHeader,
  what = 'npy file',
): Promise<TensorValue> {
  const { dtype, shape, itemBytes, offset, text, bigEndian, fortranOrder } = header;
  const count = checkedSize(shape, what);
  const bytes = await readRange(asSource(source), offset, count * itemBytes, `${what}, elements`);
  if (text !== undefined && itemBytes === 0 && count > MAX_HEADER_BYTES) {
    throw new DataLossError(`${what}: ${count} empty texts`);
  }
  const little = bigEndian && text === undefined ? swapBytes(bytes.slice(), dtype) : bytes;
  const data =
    text === undefined
      ? bytesToData(dtype, little)
      : Array.from({ length: count }, (_, i) =>
          textElement(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), text, bigEndian, what),
        );
  if (!fortranOrder || shape.length < 2) return new TensorValue(dtype, shape, data);
  // The first axis varies fastest.
  let stride = 1;
  const strides = shape.map((dim) => {
    const own = stride;
    stride *= dim;
    return own;
  });
  return new TensorValue(dtype, shape, copyStrided(dtype, data, shape, strides));
}

function textElement(
  bytes: Uint8Array,
  kind: 'S' | 'U',
  bigEndian: boolean,
  what: string,
): string | Uint8Array {
  if (kind === 'S') {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return bytes.slice(0, end);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const point = view.getUint32(at, !bigEndian);
    if (point > 0x10ffff) throw new DataLossError(`${what}: ${point} is no character`);
    text += String.fromCodePoint(point);
  }
  return text.replace(/\0+$/, '');
}

/** Reads an array. See `readNpyHeader` for what is refused. */
export async function readNpy(source: WeightSource, what = 'npy file'): Promise<TensorValue> {
  const file: RandomAccessSource = asSource(source);
  return readNpyData(file, await readNpyHeader(file, what), what);
}

/** How to write an array. */
export interface NpyOptions {
  /** Writes the first axis as the one that varies fastest. */
  readonly fortranOrder?: boolean;
}

/** The bytes of an array, version 1.0 unless its header is too long for it. Texts are stored as bytes of the longest's length. */
export function writeNpy(value: TensorValue, { fortranOrder = false }: NpyOptions = {}): Uint8Array {
  const { shape } = value;
  const moved = fortranOrder
    ? permuteValue(
        value,
        shape.map((_, i) => shape.length - 1 - i),
      )
    : value;
  const { descr, bytes } = elementsOf(moved);
  const dims = shape.length === 1 ? `${shape[0] ?? 0},` : shape.join(', ');
  const fields = `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': (${dims}), }`;
  const version = fields.length + 1 + ALIGNMENT < 2 ** 16 ? 1 : 2;
  const start = version === 1 ? 10 : 12;
  const total = Math.ceil((start + fields.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(total).fill(0x20);
  header.set(NPY_MAGIC);
  header.set([version, 0], NPY_MAGIC.length);
  const view = new DataView(header.buffer);
  if (version === 1) view.setUint16(8, total - start, true);
  else view.setUint32(8, total - start, true);
  header.set(new TextEncoder().encode(fields), start);
  header[total - 1] = 0x0a;
  return concatBytes([header, bytes]);
}

function elementsOf({ dtype, data }: TensorValue): { descr: string; bytes: Uint8Array } {
  if (dtype === 'string' && !isTypedArray(data)) {
    const items = data.map((item) => (typeof item === 'string' ? new TextEncoder().encode(item) : item));
    const longest = items.reduce((most, { length }) => Math.max(most, length), 1);
    const bytes = new Uint8Array(longest * items.length);
    items.forEach((item, i) => bytes.set(item, i * longest));
    return { descr: `|S${longest}`, bytes };
  }
  const code = CODES.get(dtype as BaseDType);
  if (code === undefined) throw new InvalidArgumentError(`npy: NumPy has no dtype ${dtype}`);
  const order = dtypeBytes(dtype) === 1 ? '|' : '<';
  return { descr: order + code, bytes: dataToBytes(dtype, data) };
}
