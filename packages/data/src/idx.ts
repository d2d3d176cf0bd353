/**
 * IDX files, the format of MNIST and its relatives (described on Yann LeCun's MNIST page): two zero bytes, a
 * type byte, the rank, the sizes as big-endian 32-bit integers, then the elements in row-major order, big-endian.
 */
import { builtin } from './environment.js';
import { DataError, reasonOf } from './errors.js';
import { sizeOf, type DataValue } from './value.js';

/** dtypes that an IDX file can hold. */
export type IdxType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

/** A value read from an IDX file: dtype and data fit together, one of six kinds. */
export type IdxValue = { [D in IdxType]: DataValue<D> }[IdxType];

const TYPE_CODES = new Map<number, { readonly dtype: IdxType; readonly bytes: number }>([
  [0x08, { dtype: 'uint8', bytes: 1 }],
  [0x09, { dtype: 'int8', bytes: 1 }],
  [0x0b, { dtype: 'int16', bytes: 2 }],
  [0x0c, { dtype: 'int32', bytes: 4 }],
  [0x0d, { dtype: 'float32', bytes: 4 }],
  [0x0e, { dtype: 'float64', bytes: 8 }],
]);

/**
 * Reads the content of an IDX file, gzipped (told by its first bytes) or not.
 *
 * @param bytes The whole file. The data of uint8 and int8 values are views of it where it is not gzipped.
 * @param options.name What to call the file in errors. Default `<bytes>`.
 * @throws DataError `DATA_LOSS` naming file, offset and rule: bad magic, truncated, trailing bytes, bad gzip.
 */
export function readIdx(bytes: Uint8Array, options: { readonly name?: string } = {}): IdxValue {
  const name = options.name ?? '<bytes>';
  const plain = isGzip(bytes) ? gunzip(bytes, name) : bytes;
  const { dtype, width, shape, offset } = readHeader(plain, name);
  const wanted = sizeOf(shape) * width;
  const found = plain.length - offset;
  if (found < wanted) {
    const sizes = `${dtype} [${shape.join(',')}] needs ${wanted} bytes of data, the file has ${found}`;
    throw damaged(name, plain.length, `truncated: ${sizes}`);
  }
  if (found > wanted) {
    throw damaged(
      name,
      offset + wanted,
      `${found - wanted} trailing bytes after ${dtype} [${shape.join(',')}]`,
    );
  }
  return decode(dtype, shape, plain.subarray(offset), width);
}

/**
 * Reads an IDX file, gzipped or not. Node only.
 *
 * @throws DataError `NOT_FOUND` for a file that cannot be read, `DATA_LOSS` as `readIdx`.
 */
export async function loadIdx(path: string): Promise<IdxValue> {
  const { readFile } = builtin('node:fs/promises', 'loadIdx');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new DataError('NOT_FOUND', `IDX "${path}": cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  return readIdx(bytes, { name: path });
}

/** The bytes behind gzip, by the streams that Node and browsers share; bytes that are not gzipped as they are. */
export async function inflated(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  try {
    const stream = new Response(bytes).body?.pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw damaged(name, 0, `bad gzip: ${reasonOf(error)}`, error);
  }
}

function damaged(name: string, offset: number, rule: string, cause?: unknown): DataError {
  return new DataError('DATA_LOSS', `IDX "${name}" at offset ${offset}: ${rule}`, { cause });
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function gunzip(bytes: Uint8Array, name: string): Uint8Array {
  const { gunzipSync } = builtin('node:zlib', `IDX "${name}": gzip`);
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw damaged(name, 0, `bad gzip: ${reasonOf(error)}`, error);
  }
}

function readHeader(
  bytes: Uint8Array,
  name: string,
): { dtype: IdxType; width: number; shape: number[]; offset: number } {
  if (bytes.length < 4) throw damaged(name, bytes.length, 'truncated: the header has at least 4 bytes');
  const [zero0, zero1, code = 0, rank = 0] = bytes;
  const type = TYPE_CODES.get(code);
  if (zero0 !== 0 || zero1 !== 0 || type === undefined) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const rule = 'an IDX file starts 00 00 TYPE RANK with TYPE one of 08 09 0b 0c 0d 0e';
    throw damaged(name, 0, `bad magic ${magic}: ${rule}`);
  }
  const offset = 4 + 4 * rank;
  if (bytes.length < offset) {
    throw damaged(name, bytes.length, `truncated: the header of rank ${rank} has ${offset} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, offset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { dtype: type.dtype, width: type.bytes, shape, offset };
}

/** The elements in the machine's byte order. `bytes` are exactly the data. */
function decode(dtype: IdxType, shape: number[], bytes: Uint8Array, width: number): IdxValue {
  const length = bytes.length / width;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'uint8':
      return { dtype, shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset, length) };
    case 'int8':
      return { dtype, shape, data: new Int8Array(bytes.buffer, bytes.byteOffset, length) };
    case 'int16':
      return { dtype, shape, data: fill(new Int16Array(length), (i) => view.getInt16(2 * i)) };
    case 'int32':
      return { dtype, shape, data: fill(new Int32Array(length), (i) => view.getInt32(4 * i)) };
    case 'float32':
      return { dtype, shape, data: fill(new Float32Array(length), (i) => view.getFloat32(4 * i)) };
    case 'float64':
      return { dtype, shape, data: fill(new Float64Array(length), (i) => view.getFloat64(8 * i)) };
  }
}

function fill<A extends Int16Array | Int32Array | Float32Array | Float64Array>(
  data: A,
  read: (index: number) => number,
): A {
  for (let i = 0; i < data.length; i++) data[i] = read(i);
  return data;
}
