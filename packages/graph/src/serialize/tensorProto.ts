/** `TensorProto` messages to and from tensor values, with all the short forms that writers use. */
import { baseDType, dtypeBytes, dtypeFromNumber, dtypeToNumber, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { decode } from '../proto/decode.js';
import { encode } from '../proto/encode.js';
import type { Init } from '../proto/message.js';
import type { TensorProto } from '../proto/messages.js';
import { textOrBytes, toBytes } from '../proto/utf8.js';
import { sizeOf } from '../shape.js';
import { allocateData, isTypedArray, TensorValue, type NumericData, type TensorData } from '../value.js';
import { bytesToData, dataToBytes, isOpaque } from './tensorBytes.js';

/** A short form that stands for more than this is taken for damage. */
const MAX_VALUE_BYTES = 2 ** 31;

/** Values of messages that were read before: a graph may be built from one message several times. */
const READ = new WeakMap<TensorProto, TensorValue>();

/**
 * As `tensorFromProto`; one message always gives the same value. With `defer`, raw content is not read before it is asked for, and
 * then once for each value.
 */
export function sharedTensorFromProto(proto: TensorProto, defer = false): TensorValue {
  const known = READ.get(proto);
  if (known !== undefined) return known;
  if (defer) return tensorFromProto(proto, defer);
  const value = tensorFromProto(proto, defer);
  READ.set(proto, value);
  return value;
}

/** Lets a message that was made from a value give this value. */
export function shareTensor(proto: TensorProto, value: TensorValue): void {
  READ.set(proto, value);
}

/**
 * The value of a `TensorProto`. Raw content must have the right length; of typed lists the last
 * element fills the rest, and an empty list means zeros. Strings that are UTF-8 become text.
 * Throws `InvalidArgumentError` when the parts contradict each other.
 */
export function tensorFromProto(proto: TensorProto, defer = false): TensorValue {
  const dtype = dtypeFromNumber(proto.dtype);
  const shape = proto.tensorShape?.dim.map((dim) => dim.size) ?? [];
  const size = sizeOf(shape);
  if (proto.tensorShape?.unknownRank === true || shape.some((dim) => dim < 0)) {
    throw new InvalidArgumentError(`a tensor's shape must be fully known, got [${shape.join(',')}]`);
  }
  if (size * Math.max(1, dtypeBytes(dtype)) > MAX_VALUE_BYTES) {
    throw new InvalidArgumentError(`a ${dtype} tensor of shape [${shape.join(',')}] is too large for a file`);
  }
  const content = proto.tensorContent;
  if (content.length === 0) return new TensorValue(dtype, shape, filledData(dtype, size, proto));
  if (content.length !== size * dtypeBytes(dtype)) {
    throw new InvalidArgumentError(
      `a ${dtype} tensor of shape [${shape.join(',')}] has ${content.length} bytes of content, not ${size * dtypeBytes(dtype)}`,
    );
  }
  const read = (): TensorData => bytesToData(dtype, content);
  return defer ? TensorValue.deferred(dtype, shape, read) : new TensorValue(dtype, shape, read());
}

/** The elements of a typed list, repeated to `size`. */
function filledData(dtype: DType, size: number, proto: TensorProto): TensorData {
  const pairs = dtype.startsWith('complex') ? 2 : 1;
  const list = typedList(dtype, proto);
  const count = list.length / pairs;
  if (count > size || !Number.isInteger(count)) {
    throw new InvalidArgumentError(`a ${dtype} tensor of ${size} elements lists ${list.length} values`);
  }
  const at = (i: number): number | bigint | boolean | Uint8Array | undefined =>
    list[Math.min(i, list.length - 1)];
  if (isOpaque(dtype)) return complexData(dtype, size, list as readonly number[]);
  if (dtypeBytes(dtype) === 0) {
    const elements = Array.from({ length: size }, (_, i) => at(i) ?? new Uint8Array(0)) as Uint8Array[];
    return dtype === 'string' ? elements.map(textOrBytes) : elements;
  }
  const data = allocateData(dtype, size);
  if (list.length > 0) fillNumbers(data, at);
  return data;
}

function fillNumbers(
  data: NumericData,
  at: (i: number) => number | bigint | boolean | Uint8Array | undefined,
): void {
  const is64Bit = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < data.length; i++) {
    const value = at(i);
    if (is64Bit) data[i] = typeof value === 'bigint' ? value : 0n;
    else data[i] = Number(value);
  }
}

/** Complex numbers as bytes: real part, then imaginary part. */
function complexData(dtype: DType, size: number, list: readonly number[]): Uint8Array[] {
  const Part = dtype === 'complex64' ? Float32Array : Float64Array;
  const last = Math.max(0, list.length - 2);
  return Array.from({ length: size }, (_, i) => {
    const start = Math.min(2 * i, last);
    return dataToBytes(dtype, Part.of(list[start] ?? 0, list[start + 1] ?? 0));
  });
}

function typedList(dtype: DType, proto: TensorProto): readonly (number | bigint | boolean | Uint8Array)[] {
  switch (baseDType(dtype)) {
    case 'float32':
      return proto.floatVal;
    case 'float64':
      return proto.doubleVal;
    case 'string':
      return proto.stringVal;
    case 'complex64':
      return proto.scomplexVal;
    case 'complex128':
      return proto.dcomplexVal;
    case 'int64':
      return proto.int64Val;
    case 'uint64':
      return proto.uint64Val;
    case 'uint32':
      return proto.uint32Val;
    case 'bool':
      return proto.boolVal;
    case 'float16':
    case 'bfloat16':
      return proto.halfVal;
    case 'resource':
      return proto.resourceHandleVal.map((handle) => encode('ResourceHandleProto', handle));
    case 'variant':
      return proto.variantVal.map((variant) => encode('VariantTensorDataProto', variant));
    case 'invalid':
      throw new InvalidArgumentError('a tensor without dtype');
    default:
      return proto.intVal;
  }
}

/** The `TensorProto` of a value: single numbers in the typed list, more of them as raw content. */
export function tensorToProto(value: TensorValue): Init<TensorProto> {
  const { dtype, data } = value;
  const head = {
    dtype: dtypeToNumber(dtype),
    tensorShape: { dim: value.shape.map((size) => ({ size })) },
  };
  if (dtypeBytes(dtype) === 0) return { ...head, ...listedElements(dtype, data) };
  const [first] = data;
  if (data.length !== 1 || first === undefined || isOpaque(dtype)) {
    return { ...head, tensorContent: dataToBytes(dtype, data) };
  }
  return { ...head, ...singleNumber(dtype, first) };
}

function listedElements(dtype: DType, data: TensorData): Init<TensorProto> {
  if (isTypedArray(data)) throw new InvalidArgumentError(`a ${dtype} value cannot hold numbers`);
  const elements = data.map(toBytes);
  switch (baseDType(dtype)) {
    case 'string':
      return { stringVal: elements };
    case 'resource':
      return { resourceHandleVal: elements.map((bytes) => decode('ResourceHandleProto', bytes)) };
    case 'variant':
      return { variantVal: elements.map((bytes) => decode('VariantTensorDataProto', bytes)) };
    default:
      throw new InvalidArgumentError(`${dtype} values cannot be written`);
  }
}

function singleNumber(dtype: DType, value: number | bigint | string | Uint8Array): Init<TensorProto> {
  const number = Number(value);
  switch (baseDType(dtype)) {
    case 'float32':
      return { floatVal: [number] };
    case 'float64':
      return { doubleVal: [number] };
    case 'bool':
      return { boolVal: [number !== 0] };
    case 'float16':
    case 'bfloat16':
      return { halfVal: [number] };
    case 'uint32':
      return { uint32Val: [number] };
    case 'int64':
      return { int64Val: [value as bigint] };
    case 'uint64':
      return { uint64Val: [value as bigint] };
    default:
      return { intVal: [number] };
  }
}
