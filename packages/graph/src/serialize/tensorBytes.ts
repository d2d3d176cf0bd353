/**
 * Elements of tensors as the raw little-endian bytes that files hold. Types without array storage
 * in JavaScript (complex, handles) are kept as one byte string per element.
 */
import { baseDType, dtypeBytes, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { isTypedArray, type NumericData, type TensorData } from '../value.js';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type ArrayMaker = (buffer: ArrayBuffer, offset?: number, length?: number) => NumericData;

const MAKERS: Readonly<Record<string, ArrayMaker>> = {
  float32: (...part) => new Float32Array(...part),
  float64: (...part) => new Float64Array(...part),
  int32: (...part) => new Int32Array(...part),
  qint32: (...part) => new Int32Array(...part),
  int16: (...part) => new Int16Array(...part),
  qint16: (...part) => new Int16Array(...part),
  int8: (...part) => new Int8Array(...part),
  qint8: (...part) => new Int8Array(...part),
  uint32: (...part) => new Uint32Array(...part),
  uint16: (...part) => new Uint16Array(...part),
  quint16: (...part) => new Uint16Array(...part),
  float16: (...part) => new Uint16Array(...part),
  bfloat16: (...part) => new Uint16Array(...part),
  uint8: (...part) => new Uint8Array(...part),
  quint8: (...part) => new Uint8Array(...part),
  bool: (...part) => new Uint8Array(...part),
  int64: (...part) => new BigInt64Array(...part),
  uint64: (...part) => new BigUint64Array(...part),
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

/** The elements that raw little-endian bytes hold: a view where they lie as arrays want them, else a copy. */
export function dataOfBytes(dtype: DType, bytes: Uint8Array): TensorData {
  const make = MAKERS[baseDType(dtype)];
  const size = dtypeBytes(dtype);
  const aligned = size > 0 && bytes.length % size === 0 && bytes.byteOffset % size === 0;
  if (make === undefined || !aligned || !LITTLE_ENDIAN) return bytesToData(dtype, bytes);
  return make(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size);
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
