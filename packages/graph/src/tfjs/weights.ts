/** The binary weights of TensorFlow.js models: plain, or quantized to 8 or 16 bits. */
import { DataLossError, InvalidArgumentError } from '../errors.js';
import { halfTable } from '../halfFloat.js';
import { textOrBytes, toBytes } from '../proto/utf8.js';
import { dataOfBytes } from '../serialize/tensorBytes.js';
import { sizeOf } from '../shape.js';
import { TensorValue, type TensorData } from '../value.js';
import type { WeightGroup, WeightQuantization, WeightSpec } from './modelJson.js';

const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1, complex64: 8, string: 0 } as const;
const STORED_BYTES = { uint8: 1, uint16: 2, float16: 2 } as const;

/**
 * The weights of a group by name. `shards` are the contents of its files, in order; a weight may lie across
 * two. They must stay as they are: weights are views on them, and quantized ones are decoded when they are first asked for. Throws `DataLossError` when there are fewer or more bytes than the weights take.
 */
export function readWeightGroup(group: WeightGroup, shards: readonly Uint8Array[]): Map<string, TensorValue> {
  const bytes = new Shards(shards);
  const owner = `weights ${group.paths.map((path) => `"${path}"`).join(', ')}`;
  const weights = new Map<string, TensorValue>();
  for (const spec of group.weights) {
    if (weights.has(spec.name))
      throw new InvalidArgumentError(`${owner}: two weights are named "${spec.name}"`);
    const start = bytes.position;
    try {
      weights.set(spec.name, readWeight(spec, bytes));
    } catch (error) {
      if (!(error instanceof EndOfBytes)) throw error;
      throw new DataLossError(
        `${owner}: they hold ${bytes.length} bytes, but "${spec.name}" of shape [${spec.shape.join(',')}] ` +
          `takes ${error.wanted} from byte ${start} on`,
      );
    }
  }
  if (bytes.position !== bytes.length) {
    throw new DataLossError(
      `${owner}: they hold ${bytes.length} bytes, of which the weights take ${bytes.position}`,
    );
  }
  return weights;
}

class EndOfBytes extends Error {
  constructor(readonly wanted: number) {
    super('not enough bytes');
  }
}

/** Files of which the bytes follow one another. */
class Shards {
  readonly length: number;
  position = 0;
  #shard = 0;
  #offset = 0;

  constructor(private readonly shards: readonly Uint8Array[]) {
    this.length = shards.reduce((total, { length }) => total + length, 0);
  }

  /** The next bytes: a view where they lie in one file. Nothing is allocated when there are not as many. */
  take(count: number): Uint8Array {
    if (count > this.length - this.position) throw new EndOfBytes(count);
    this.position += count;
    const shard = this.shards[this.#shard];
    if (shard !== undefined && count <= shard.length - this.#offset) {
      this.#offset += count;
      return shard.subarray(this.#offset - count, this.#offset);
    }
    return this.join(count);
  }

  private join(count: number): Uint8Array {
    const joined = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      const shard = this.shards[this.#shard] ?? new Uint8Array(0);
      const part = shard.subarray(this.#offset, this.#offset + count - filled);
      joined.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset < shard.length) continue;
      this.#shard++;
      this.#offset = 0;
    }
    return joined;
  }
}

function readWeight(spec: WeightSpec, bytes: Shards): TensorValue {
  const { dtype, shape, quantization } = spec;
  const size = sizeOf(shape);
  if (quantization !== undefined) {
    const stored = bytes.take(size * STORED_BYTES[quantization.dtype]);
    return TensorValue.deferred(dtype, shape, () =>
      dequantize(stored, size, quantization, dtype === 'int32'),
    );
  }
  if (dtype === 'string') return new TensorValue(dtype, shape, readStrings(size, bytes));
  return new TensorValue(dtype, shape, dataOfBytes(dtype, bytes.take(size * ELEMENT_BYTES[dtype])));
}

/** Each string is its length in 4 bytes, then its bytes. */
function readStrings(count: number, bytes: Shards): TensorData {
  // A string takes 4 bytes at least: a count beyond that is damage, and must not be allocated.
  if (count * 4 > bytes.length - bytes.position) throw new EndOfBytes(count * 4);
  return Array.from({ length: count }, () => {
    const head = bytes.take(4);
    const length = new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true);
    return textOrBytes(bytes.take(length).slice());
  });
}

function dequantize(
  stored: Uint8Array,
  size: number,
  { dtype, scale, min }: WeightQuantization,
  whole: boolean,
): Float32Array | Int32Array {
  if (dtype === 'float16') return fromHalves(dataOfBytes('uint16', stored) as Uint16Array, size);
  const elements = dataOfBytes(dtype, stored) as Uint8Array | Uint16Array;
  const result = whole ? new Int32Array(size) : new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const value = (elements[i] ?? 0) * scale + min;
    result[i] = whole ? Math.round(value) : value;
  }
  return result;
}

/** Apart, so that the loop only ever meets these types of arrays. */
function fromHalves(bits: Uint16Array, size: number): Float32Array {
  const numbers = halfTable();
  const result = new Float32Array(size);
  for (let i = 0; i < size; i++) result[i] = numbers[bits[i] ?? 0] ?? NaN;
  return result;
}

/** The bytes of strings as weights. */
export function stringBytes(data: readonly (string | Uint8Array)[]): Uint8Array {
  const parts = data.map(toBytes);
  const result = new Uint8Array(parts.reduce((total, { length }) => total + 4 + length, 0));
  let at = 0;
  for (const part of parts) {
    new DataView(result.buffer).setUint32(at, part.length, true);
    result.set(part, at + 4);
    at += 4 + part.length;
  }
  return result;
}
