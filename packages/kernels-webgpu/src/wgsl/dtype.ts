/** How dtypes and constants are written in WGSL, and how many bytes elements take in a storage buffer. */
import { baseDType, UnimplementedError, type DType } from '@forerun/graph';

/** WGSL type of a stored element. */
export type StorageType = 'f32' | 'i32' | 'u32';
/** WGSL type of a value in an expression: as stored, but bool is a real `bool`. */
export type ValueType = StorageType | 'bool';

/** Elements that one expression works on: scalars, or `vec4`s of consecutive elements. */
export type Width = 1 | 4;

/**
 * The WGSL type in which elements of `dtype` are stored: int64 is kept as i32, bool as u32 0 or 1, a text as the number that stands for it.
 * Throws `UnimplementedError` for dtypes that are not computed with.
 */
export function storageType(dtype: DType): StorageType {
  switch (baseDType(dtype)) {
    case 'float32':
      return 'f32';
    case 'int32':
    case 'int64':
    case 'int8':
    case 'int16':
    case 'string':
      return 'i32';
    case 'uint32':
    case 'uint8':
    case 'uint16':
    case 'bool':
      return 'u32';
    default:
      throw new UnimplementedError(`dtype ${dtype} is not computed with on the device`);
  }
}

/** Bytes of an element in a storage buffer: two of float16 (halfStorage.ts), four of everything else. */
export function elementBytes(dtype: DType): 2 | 4 {
  return baseDType(dtype) === 'float16' ? 2 : 4;
}

/** The WGSL type of a value of `dtype` inside an expression. */
export function valueType(dtype: DType): ValueType {
  return baseDType(dtype) === 'bool' ? 'bool' : storageType(dtype);
}

/** `f32` or `vec4<f32>`. */
export function vectorType(type: ValueType, width: Width): string {
  return width === 1 ? type : `vec4<${type}>`;
}

/** A stored value (`array[i]`) as a value of `dtype`: bools are tested, the rest is as stored. */
export function loaded(text: string, dtype: DType): string {
  return baseDType(dtype) === 'bool' ? `(${text} != u32(0))` : text;
}

/** A value of `dtype` as it is stored. */
export function stored(text: string, dtype: DType): string {
  return baseDType(dtype) === 'bool' ? `u32(${text})` : text;
}

/**
 * Brings the result of 32-bit arithmetic back into the range of a narrower integer dtype by
 * wrapping, as C and TensorFlow do. Other dtypes pass unchanged.
 */
export function wrapped(text: string, dtype: DType): string {
  switch (baseDType(dtype)) {
    case 'uint8':
      return `((${text}) & u32(0xffu))`;
    case 'uint16':
      return `((${text}) & u32(0xffffu))`;
    case 'int8':
      return `(((${text}) << u32(24u)) >> u32(24u))`;
    case 'int16':
      return `(((${text}) << u32(16u)) >> u32(16u))`;
    default:
      return text;
  }
}

const BITS = new DataView(new ArrayBuffer(4));
/** Below this, float32 numbers are denormal. */
const MIN_NORMAL = 2 ** -126;

/** IEEE bits of `value` rounded to float32. */
export function float32Bits(value: number): number {
  BITS.setFloat32(0, value);
  return BITS.getUint32(0);
}

/**
 * A constant of `dtype` as scalar WGSL (see `widen`). NaN, infinities, -0 and denormals go through
 * their bits at run time, because WGSL rejects such constants or may change them.
 */
export function literal(value: number, dtype: DType): string {
  const type = valueType(dtype);
  if (type === 'bool') return `bool(${value !== 0})`;
  if (type === 'u32') return `u32(${value >>> 0}u)`;
  if (type === 'i32') return `i32(${Math.trunc(Math.min(Math.max(value, -(2 ** 31)), 2 ** 31 - 1))})`;
  const rounded = Math.fround(value);
  if (rounded === 0 && !Object.is(rounded, -0)) return 'f32(0.0)';
  if (!Number.isFinite(rounded) || Math.abs(rounded) < MIN_NORMAL) {
    return `float_bits(u32(0x${float32Bits(rounded).toString(16)}u))`;
  }
  const text = String(rounded);
  return `f32(${/[.e]/.test(text) ? text : `${text}.0`})`;
}
