/**
 * Data types: TensorFlow's names and wire numbers, and how each is held in JavaScript.
 * Types that no kernel computes with (complex, quantized, 16-bit integers …) are still known by
 * name so that foreign graphs can be read, inspected and written back.
 */
import { InvalidArgumentError } from './errors.js';

/** Wire numbers of `tensorflow.DataType`. */
export const DTYPE_NUMBERS = {
  invalid: 0,
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  qint8: 11,
  quint8: 12,
  qint32: 13,
  bfloat16: 14,
  qint16: 15,
  quint16: 16,
  uint16: 17,
  complex128: 18,
  float16: 19,
  resource: 20,
  variant: 21,
  uint32: 22,
  uint64: 23,
} as const;

/** A value type; `_ref` marks the reference-typed edges of TensorFlow's older variables. */
export type BaseDType = keyof typeof DTYPE_NUMBERS;
export type DType = BaseDType | `${BaseDType}_ref`;

const REF_OFFSET = 100;
const NAMES = new Map<number, BaseDType>(
  Object.entries(DTYPE_NUMBERS).map(([name, number]) => [number, name as BaseDType]),
);

/** True when `name` is the name of a dtype. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(DTYPE_NUMBERS, name.endsWith('_ref') ? name.slice(0, -4) : name);
}

/** Removes the reference mark: `float32_ref` gives `float32`. */
export function baseDType(dtype: DType): BaseDType {
  return (dtype.endsWith('_ref') ? dtype.slice(0, -4) : dtype) as BaseDType;
}

/** True for reference-typed edges. */
export function isRefDType(dtype: DType): boolean {
  return dtype.endsWith('_ref');
}

/** The wire number of a dtype; reference types are offset by 100. */
export function dtypeToNumber(dtype: DType): number {
  return DTYPE_NUMBERS[baseDType(dtype)] + (isRefDType(dtype) ? REF_OFFSET : 0);
}

/** The dtype with wire number `number`. Throws `InvalidArgumentError` when there is none. */
export function dtypeFromNumber(number: number): DType {
  const name = NAMES.get(number % REF_OFFSET);
  if (name === undefined) throw new InvalidArgumentError(`unknown data type number ${number}`);
  return number > REF_OFFSET ? `${name}_ref` : name;
}

const FLOATS: ReadonlySet<string> = new Set(['float32', 'float64', 'float16', 'bfloat16']);
const INTEGERS: ReadonlySet<string> = new Set([
  'int32',
  'uint8',
  'int16',
  'int8',
  'int64',
  'uint16',
  'uint32',
  'uint64',
]);

/** True for real floating-point types: the differentiable ones. */
export function isFloating(dtype: DType): boolean {
  return FLOATS.has(baseDType(dtype));
}

/** True for integer types; `bool` is not one. */
export function isInteger(dtype: DType): boolean {
  return INTEGERS.has(baseDType(dtype));
}

/** Bytes per element in files and in JavaScript typed arrays; 0 for types without a fixed size. */
export function dtypeBytes(dtype: DType): number {
  switch (baseDType(dtype)) {
    case 'float64':
    case 'int64':
    case 'uint64':
    case 'complex64':
      return 8;
    case 'float32':
    case 'int32':
    case 'uint32':
    case 'qint32':
      return 4;
    case 'float16':
    case 'bfloat16':
    case 'int16':
    case 'uint16':
    case 'qint16':
    case 'quint16':
      return 2;
    case 'uint8':
    case 'int8':
    case 'bool':
    case 'qint8':
    case 'quint8':
      return 1;
    case 'complex128':
      return 16;
    default:
      return 0;
  }
}
