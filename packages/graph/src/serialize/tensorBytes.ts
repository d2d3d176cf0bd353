/**
 * Elements of tensors as the raw little-endian bytes that files hold. Types without array storage
 * in JavaScript (complex, handles) are kept as one byte string per element.
 */
import { baseDType, dtypeBytes, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { isTypedArray, type NumericData, type TensorData } from '../value.js';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type ArrayMaker = (buffer: ArrayBuffer) => NumericData;

const MAKERS: Readonly<Record<string, ArrayMaker>> = {
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  qint32: (buffer) => new Int32Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  qint16: (buffer) => new Int16Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  qint8: (buffer) => new Int8Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  quint16: (buffer) => new Uint16Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
  bfloat16: (buffer) => new Uint16Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  quint8: (buffer) => new Uint8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint64: (buffer) => new BigUint64Array(buffer),
};

/** True for dtypes that are held as byte strings, one per element, though their size is fixed. */
export function isOpaque(dtype: DType): boolean {
  return dtypeBytes(dtype) > 0 && MAKERS[baseDType(dtype)] === undefined;
}

/** Reverses the bytes of every element of `size` bytes, in place. Complex numbers swap each half. */
export function swapBytes(bytes: Uint8Array, dtype: DType): Uint8Array {
  const size = dtypeBytes(dtype) / (dtype.startsWith('complex') ? 2 : 1);
  for (let start = 0; start + size <= bytes.length; start += size) {
    bytes.subarray(start, start + size).reverse();
  }
  return bytes;
}

/** Raw little-endian bytes of fixed-size elements; a view on `data` where that is possible. */
export function dataToBytes(dtype: DType, data: TensorData): Uint8Array {
  if (isTypedArray(data)) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return LITTLE_ENDIAN ? bytes : swapBytes(bytes.slice(), dtype);
  }
  const size = dtypeBytes(dtype);
  if (size === 0) throw new InvalidArgumentError(`dtype ${dtype} has no raw bytes`);
  const bytes = new Uint8Array(size * data.length);
  data.forEach((element, i) => {
    if (typeof element === 'string' || element.length !== size) {
      throw new InvalidArgumentError(`element ${i} of a ${dtype} value must be ${size} bytes`);
    }
    bytes.set(element, i * size);
  });
  return bytes;
}

/** The elements that raw little-endian bytes hold; always a copy. */
export function bytesToData(dtype: DType, bytes: Uint8Array): TensorData {
  const size = dtypeBytes(dtype);
  if (size === 0 || bytes.length % size !== 0) {
    throw new InvalidArgumentError(`${bytes.length} bytes are not a whole number of ${dtype} elements`);
  }
  const make = MAKERS[baseDType(dtype)];
  if (make === undefined) {
    return Array.from({ length: bytes.length / size }, (_, i) => bytes.slice(i * size, (i + 1) * size));
  }
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (!LITTLE_ENDIAN) swapBytes(copy, dtype);
  return make(copy.buffer);
}
