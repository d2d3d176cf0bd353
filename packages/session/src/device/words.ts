/**
 * Conversion between JavaScript values and device words. Elements take 32 bits on the device: bool as 0 and 1, small integers
 * widened, int64 as int32 after a range check, texts by the numbers of a pool. Only float16 takes 16 bits, those that a `TensorValue` has.
 */
import {
  allocateData,
  baseDType,
  InvalidArgumentError,
  OutOfRangeError,
  sizeOf,
  TensorValue,
  UnimplementedError,
  type DType,
} from '@forerun/graph';
import { elementBytes } from '@forerun/kernels-webgpu';
import type { TextPool } from './texts.js';

export type Words = Float32Array | Int32Array | Uint32Array | Uint16Array;

/** Bytes of a tensor in copies between buffers and to the host, which take whole words. */
export function transferBytes(shape: readonly number[], dtype: DType): number {
  return Math.ceil((sizeOf(shape) * elementBytes(dtype)) / 4) * 4;
}

/** The typed array that device words of a dtype are read as. Throws `UnimplementedError` naming `what`. */
function wordsFor(dtype: DType, length: number, what: string): Words {
  switch (baseDType(dtype)) {
    case 'float32':
      return new Float32Array(length);
    case 'int32':
    case 'int64':
    case 'int8':
    case 'int16':
      return new Int32Array(length);
    case 'bool':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return new Uint32Array(length);
    default:
      throw new UnimplementedError(`${what}: dtype ${dtype} is not supported on the device`);
  }
}

/** Whether tensors of a dtype can live on the device. */
export function isDeviceDType(dtype: DType): boolean {
  return [
    'float32',
    'float16',
    'int32',
    'int64',
    'int8',
    'int16',
    'bool',
    'uint8',
    'uint16',
    'uint32',
    'string',
  ].includes(baseDType(dtype));
}

/**
 * The device words of a value, of an even number of float16 elements; shares memory where the layouts agree. `what` names it in errors; texts
 * get numbers of `texts` for the runs that are active, or for ever where `use` says so.
 */
export function toWords(
  value: TensorValue,
  what: string,
  texts?: TextPool,
  use: 'run' | 'constant' = 'run',
): Words {
  const { data, dtype } = value;
  if (dtype === 'string' && texts !== undefined)
    return texts.numbers(data as readonly (string | Uint8Array)[], use);
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint32Array) {
    if (dtype === 'float32' || dtype === 'int32' || dtype === 'uint32') return data;
  }
  if (dtype === 'float16' && data instanceof Uint16Array) return evenNumber(data);
  const words = wordsFor(dtype, data.length, what);
  if (dtype === 'int64') {
    for (let i = 0; i < words.length; i++) words[i] = narrow(data[i], i, what);
    return words;
  }
  for (let i = 0; i < words.length; i++) words[i] = Number(data[i]);
  return words;
}

function evenNumber(halves: Uint16Array): Uint16Array {
  if (halves.length % 2 === 0) return halves;
  const padded = new Uint16Array(halves.length + 1);
  padded.set(halves);
  return padded;
}

function narrow(element: unknown, index: number, what: string): number {
  const number = Number(element);
  if (number < -(2 ** 31) || number >= 2 ** 31) {
    throw new OutOfRangeError(
      `${what}: element ${index} is ${String(element)}; int64 is kept as int32 on the device`,
    );
  }
  return number;
}

/** The value that the words from byte `offset` of `bytes` hold. They are copied, once. */
export function fromWords(
  bytes: ArrayBuffer,
  offset: number,
  dtype: DType,
  shape: readonly number[],
  length: number,
  texts: TextPool,
): TensorValue {
  if (!isDeviceDType(dtype)) throw new InvalidArgumentError(`dtype ${dtype} cannot be read from the device`);
  const words = wordsAt(bytes, offset, dtype, length);
  if (dtype === 'float32' || dtype === 'float16' || dtype === 'int32' || dtype === 'uint32')
    return new TensorValue(dtype, shape, words.slice());
  if (dtype === 'string') return new TensorValue(dtype, shape, texts.texts(words));
  const data = allocateData(dtype, length);
  const big = data instanceof BigInt64Array;
  for (let i = 0; i < length; i++) data[i] = big ? BigInt(words[i] ?? 0) : (words[i] ?? 0);
  return new TensorValue(dtype, shape, data);
}

/** The words as they lie, not copied. */
function wordsAt(bytes: ArrayBuffer, offset: number, dtype: DType, length: number): Words {
  switch (baseDType(dtype)) {
    case 'float32':
      return new Float32Array(bytes, offset, length);
    case 'float16':
      return new Uint16Array(bytes, offset, length);
    case 'int32':
    case 'int64':
    case 'int8':
    case 'int16':
    case 'string':
      return new Int32Array(bytes, offset, length);
    default:
      return new Uint32Array(bytes, offset, length);
  }
}
