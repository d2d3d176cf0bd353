/** ONNX tensors and dtypes to and from this package's. */
import {
  bytesToData,
  DataLossError,
  dataToBytes,
  InvalidArgumentError,
  TensorShape,
  TensorValue,
  toTensorValue,
  type BaseDType,
  type DType,
  type proto,
} from '@forerun/graph';
import { checkedSize } from '../weightFile.js';

/** `TensorProto.DataType` by number. */
const DTYPES: readonly (BaseDType | undefined)[] = [
  undefined, 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'string', 'bool', 'float16', 'float64', 'uint32', 'uint64',
  'complex64', 'complex128', 'bfloat16',
]; // prettier-ignore

/** Integers of four bits by number: the dtype that they are kept in, and what they may be. */
const FOUR_BITS: ReadonlyMap<number, { readonly dtype: 'uint8' | 'int8'; readonly range: readonly [number, number] }> = new Map([
  [21, { dtype: 'uint8', range: [0, 15] }],
  [22, { dtype: 'int8', range: [-8, 7] }],
]); // prettier-ignore

/** What the integers of a number's type may be if they have four bits. */
export function fourBitRange(number: number): readonly [number, number] | undefined {
  return FOUR_BITS.get(number)?.range;
}

/** The dtype of a number; a byte for integers of four bits. Throws `InvalidArgumentError` for one that is not known. */
export function onnxDType(number: number, what: string): BaseDType {
  const dtype = DTYPES[number] ?? FOUR_BITS.get(number)?.dtype;
  if (dtype === undefined)
    throw new InvalidArgumentError(`${what}: the ONNX data type ${number} is not known`);
  return dtype;
}

/** The number of a dtype. Throws `InvalidArgumentError` for one that ONNX lacks. */
export function onnxNumber(dtype: DType, what: string): number {
  const number = DTYPES.indexOf(dtype as BaseDType);
  if (number < 0) throw new InvalidArgumentError(`${what}: ONNX has no dtype ${dtype}`);
  return number;
}

/** The shape that a type declares; `dims` gives sizes of named dimensions. */
export function onnxShape(
  { shape }: proto.onnxTypeProtoTensor,
  dims: Readonly<Record<string, number>> = {},
): TensorShape {
  return TensorShape.of(
    shape?.dim.map(({ dimValue, dimParam }) =>
      dimParam === undefined || dimParam === '' ? (dimValue ?? null) : (dims[dimParam] ?? null),
    ) ?? null,
  );
}

/** The value of a tensor. Throws `DataLossError` for other sizes than its shape's, `InvalidArgumentError` for external data. */
export function valueFromOnnx(tensor: proto.onnxTensorProto, what: string): TensorValue {
  if (tensor.dataLocation !== 0 || tensor.externalData.length > 0) {
    throw new InvalidArgumentError(
      `${what}: its value lies in a file beside the model; read that first: fr.io.loadOnnx(path) does`,
    );
  }
  const dtype = onnxDType(tensor.dataType, what);
  const size = checkedSize(tensor.dims, what);
  if (FOUR_BITS.has(tensor.dataType)) return fourBitValue(tensor, dtype, size, what);
  if (tensor.rawData.length > 0) {
    const data = bytesToData(dtype, tensor.rawData);
    if (data.length !== size)
      throw new DataLossError(`${what}: ${data.length} of ${size} elements are there`);
    return new TensorValue(dtype, tensor.dims, data);
  }
  const list = listOf(tensor, dtype);
  if (list.length !== size) throw new DataLossError(`${what}: ${list.length} of ${size} elements are there`);
  if (dtype === 'string') return new TensorValue(dtype, tensor.dims, tensor.stringData);
  if (dtype === 'float16' || dtype === 'bfloat16')
    return new TensorValue(dtype, tensor.dims, Uint16Array.from(tensor.int32Data));
  const literal = dtype === 'bool' ? list.map((x) => x !== 0) : list;
  return toTensorValue(literal as number[], dtype, tensor.dims);
}

/** Two numbers in each byte, the first in its lower half. */
function fourBitValue(
  tensor: proto.onnxTensorProto,
  dtype: BaseDType,
  size: number,
  what: string,
): TensorValue {
  const bytes = tensor.rawData.length > 0 ? tensor.rawData : Uint8Array.from(tensor.int32Data);
  if (bytes.length !== Math.ceil(size / 2))
    throw new DataLossError(`${what}: ${bytes.length * 2} of ${size} elements are there`);
  const half = (i: number): number => ((bytes[i >> 1] ?? 0) >> (4 * (i & 1))) & 15;
  if (dtype === 'uint8')
    return new TensorValue(
      dtype,
      tensor.dims,
      Uint8Array.from({ length: size }, (_, i) => half(i)),
    );
  const signed = Int8Array.from({ length: size }, (_, i) => (half(i) << 28) >> 28);
  return new TensorValue('int8', tensor.dims, signed);
}

function listOf(tensor: proto.onnxTensorProto, dtype: BaseDType): readonly (number | bigint | Uint8Array)[] {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return tensor.floatData;
    case 'float64':
    case 'complex128':
      return tensor.doubleData;
    case 'int64':
      return tensor.int64Data;
    case 'uint32':
    case 'uint64':
      return tensor.uint64Data;
    case 'string':
      return tensor.stringData;
    default:
      return tensor.int32Data;
  }
}

/** The message of a value. */
export function valueToOnnx(value: TensorValue, name: string): proto.Init<proto.onnxTensorProto> {
  const dataType = onnxNumber(value.dtype, `"${name}"`);
  return { name, dataType, dims: [...value.shape], rawData: dataToBytes(value.dtype, value.data) };
}

/** A scalar of any numeric dtype. */
export function valueOf(dtype: DType, value: number): TensorValue {
  return toTensorValue(dtype === 'bool' ? value !== 0 : value, dtype, []);
}
