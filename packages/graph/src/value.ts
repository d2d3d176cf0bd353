/**
 * Concrete tensor values on the JavaScript side: what constants hold, what a session is fed and
 * what it returns (`TensorValue`), and the float64 working form that host evaluation and the
 * references compute with (`HostValue`).
 */
import { baseDType, type BaseDType, type DType } from './dtype.js';
import { InternalError, InvalidArgumentError } from './errors.js';
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from './halfFloat.js';
import { sizeOf } from './shape.js';

export type NumericData =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

/** Elements of a tensor. float16 and bfloat16 hold bit patterns; bool holds 0 or 1; strings hold bytes or text. */
export type TensorData = NumericData | readonly (string | Uint8Array)[];

export type Scalar = number | boolean | string | bigint;
export type NestedArray = Scalar | readonly NestedArray[];

type DataConstructor = new (length: number) => NumericData;

const CONSTRUCTORS: Partial<Record<BaseDType, DataConstructor>> = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  qint32: Int32Array,
  int16: Int16Array,
  qint16: Int16Array,
  int8: Int8Array,
  qint8: Int8Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  quint16: Uint16Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  uint8: Uint8Array,
  quint8: Uint8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** A zeroed array for `length` elements of `dtype`. Throws for dtypes without array storage. */
export function allocateData(dtype: DType, length: number): NumericData {
  const Data = CONSTRUCTORS[baseDType(dtype)];
  if (Data === undefined) throw new InvalidArgumentError(`dtype ${dtype} has no array storage`);
  return new Data(length);
}

/** How bit patterns become numbers. */
const HALVES: Partial<Record<DType, (bits: number) => number>> = {
  float16: float16Value,
  bfloat16: bfloat16Value,
};

/** Zeros, of strings empty ones. Throws for dtypes without array storage. */
export function zeroElements(dtype: DType, length: number): TensorData {
  return dtype === 'string' ? new Array<string>(length).fill('') : allocateData(dtype, length);
}

/** What gives the elements of values that nobody has asked for yet. */
const READERS = new WeakMap<object, () => TensorData>();

/** One for all values: V8 gives objects with accessors of their own a hidden class each. */
const DEFERRED_DATA: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: object) {
    const read = READERS.get(this);
    if (read === undefined) throw new InternalError('a deferred value has lost its elements');
    const data = read();
    Object.defineProperty(this, 'data', { value: data, configurable: true, enumerable: true });
    READERS.delete(this);
    return data;
  },
};

/** A tensor's value: dtype, shape (sizes) and row-major elements. */
export class TensorValue {
  constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    readonly data: TensorData,
  ) {
    if (data.length !== sizeOf(shape)) {
      throw new InvalidArgumentError(
        `a value of shape [${shape.join(',')}] has ${sizeOf(shape)} elements, got ${data.length}`,
      );
    }
  }

  /**
   * A value whose elements `read` gives when they are first asked for. They must be as many as the shape has, and stay as they are
   * until then.
   */
  static deferred(dtype: DType, shape: readonly number[], read: () => TensorData): TensorValue {
    const value = Object.assign(Object.create(TensorValue.prototype) as TensorValue, { dtype, shape });
    READERS.set(value, read);
    return Object.defineProperty(value, 'data', DEFERRED_DATA);
  }

  /** The only element as a number (bool as 0 or 1). Throws when there is not exactly one, or it is a string. */
  item(): number {
    const element = this.data[0];
    if (this.data.length !== 1 || element === undefined) {
      throw new InvalidArgumentError(
        `item() needs exactly one element, this value has shape [${this.shape.join(',')}]`,
      );
    }
    if (typeof element === 'number') return this.number(element);
    if (typeof element === 'bigint' && BigInt(Number(element)) === element) return Number(element);
    throw new InvalidArgumentError(
      `item() cannot give the ${this.dtype} value ${String(element)} as a number: read data[0]`,
    );
  }

  /** Nested arrays of the value's shape; bool as booleans, float16 as numbers, int64 as numbers where exact, strings as text. */
  toArray(): NestedArray {
    let next = 0;
    const build = (axis: number): NestedArray => {
      if (axis === this.shape.length) return this.element(next++);
      return Array.from({ length: this.shape[axis] ?? 0 }, () => build(axis + 1));
    };
    return build(0);
  }

  private element(index: number): Scalar {
    const element = this.data[index];
    if (this.dtype === 'bool') return element !== 0;
    if (element instanceof Uint8Array) return new TextDecoder().decode(element);
    if (typeof element === 'bigint') return BigInt(Number(element)) === element ? Number(element) : element;
    return typeof element === 'string' ? element : this.number(element ?? 0);
  }

  /** What an element that is a bit pattern stands for; others stand for themselves. */
  private number(element: number): number {
    return HALVES[this.dtype]?.(element) ?? element;
  }
}

/** Everything a caller may write for a constant or a feed. */
export type ValueLike = NestedArray | NumericData | TensorValue;

/** True for any typed array (not `DataView`). */
export function isTypedArray(value: unknown): value is NumericData | Uint8ClampedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

const DTYPE_OF_ARRAY: readonly (readonly [abstract new (...args: never) => object, BaseDType])[] = [
  [Float32Array, 'float32'],
  [Float64Array, 'float32'],
  [Int32Array, 'int32'],
  [Uint32Array, 'uint32'],
  [Uint8Array, 'uint8'],
  [Int8Array, 'int8'],
  [Int16Array, 'int16'],
  [Uint16Array, 'uint16'],
  [BigInt64Array, 'int64'],
  [BigUint64Array, 'uint64'],
];

/** The dtype that a literal gets when nothing else decides: numbers are float32, booleans bool, text string. */
export function defaultDType(value: ValueLike): BaseDType {
  if (value instanceof TensorValue) return baseDType(value.dtype);
  if (isTypedArray(value)) return DTYPE_OF_ARRAY.find(([Array]) => value instanceof Array)?.[1] ?? 'float32';
  let first: NestedArray | undefined = value;
  while (Array.isArray(first)) first = first[0] as NestedArray | undefined;
  if (typeof first === 'boolean') return 'bool';
  if (typeof first === 'string') return 'string';
  if (typeof first === 'bigint') return 'int64';
  return 'float32';
}

/**
 * Converts a literal to a `TensorValue` of `dtype`.
 * `shape` reinterprets typed arrays and flat lists, and fills from a single value, as `tf.constant` does.
 * Throws `InvalidArgumentError` for ragged arrays, wrong element kinds, and integers out of range.
 */
export function toTensorValue(value: ValueLike, dtype?: DType, shape?: readonly number[]): TensorValue {
  const type = dtype ?? defaultDType(value);
  if (value instanceof TensorValue) return convertValue(value, type, shape);
  const flat: Scalar[] = [];
  const source = isTypedArray(value) ? value : flat;
  const literalShape = isTypedArray(value) ? [value.length] : flatten(value, flat);
  const target = shape ?? literalShape;
  const size = sizeOf(target);
  if (source.length !== size && source.length !== 1) {
    throw new InvalidArgumentError(
      `a value of shape [${target.join(',')}] needs ${size} elements, got ${source.length}`,
    );
  }
  return new TensorValue(type, target, fillData(type, size, source));
}

function convertValue(value: TensorValue, dtype: DType, shape?: readonly number[]): TensorValue {
  const target = shape ?? value.shape;
  if (value.dtype === dtype) return shape === undefined ? value : new TensorValue(dtype, target, value.data);
  throw new InvalidArgumentError(`expected a value of dtype ${dtype}, got ${value.dtype}`);
}

function fillData(dtype: DType, size: number, source: ArrayLike<Scalar>): TensorData {
  if (dtype === 'string') {
    return Array.from({ length: size }, (_, i) => stringElement(source[source.length === 1 ? 0 : i]));
  }
  const data = allocateData(dtype, size);
  if (isTypedArray(source) && source.constructor === data.constructor && source.length === size) {
    if (dtype !== 'bool') {
      (data.set as (from: typeof source) => void)(source);
      return data;
    }
  }
  const convert = elementConverter(dtype);
  for (let i = 0; i < size; i++) data[i] = convert(source[source.length === 1 ? 0 : i] ?? 0);
  return data;
}

function stringElement(element: Scalar | undefined): string {
  if (typeof element !== 'string')
    throw new InvalidArgumentError(`expected a string, got ${String(element)}`);
  return element;
}

const RANGES: Partial<Record<BaseDType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
};

function elementConverter(dtype: DType): (element: Scalar) => number | bigint {
  if (dtype === 'bool') return (element) => (element ? 1 : 0);
  if (dtype === 'int64' || dtype === 'uint64') return (element) => toBigInt(element, dtype);
  if (dtype === 'float16') return (element) => float16Bits(toNumber(element, dtype));
  if (dtype === 'bfloat16') return (element) => bfloat16Bits(toNumber(element, dtype));
  const range = RANGES[baseDType(dtype)];
  if (range === undefined) return (element) => toNumber(element, dtype);
  return (element) => {
    const number = toNumber(element, dtype);
    if (!Number.isInteger(number) || number < range[0] || number > range[1]) {
      throw new InvalidArgumentError(`${number} does not fit ${dtype}`);
    }
    return number;
  };
}

function toNumber(element: Scalar, dtype: DType): number {
  if (typeof element === 'number') return element;
  if (typeof element === 'bigint') return Number(element);
  throw new InvalidArgumentError(`expected ${dtype}, got the ${typeof element} ${String(element)}`);
}

function toBigInt(element: Scalar, dtype: DType): bigint {
  if (typeof element === 'bigint') return element;
  if (typeof element === 'number' && Number.isSafeInteger(element)) return BigInt(element);
  throw new InvalidArgumentError(`${String(element)} does not fit ${dtype}`);
}

/** Appends the leaves of nested arrays to `out` and returns the shape. Throws for ragged nesting. */
function flatten(value: NestedArray, out: Scalar[]): number[] {
  if (!Array.isArray(value)) {
    out.push(value as Scalar);
    return [];
  }
  const items = value as readonly NestedArray[];
  let inner: number[] | undefined;
  for (const item of items) {
    const shape = isTypedArray(item) ? flattenTyped(item, out) : flatten(item, out);
    if (
      inner !== undefined &&
      (shape.length !== inner.length || shape.some((dim, i) => dim !== inner?.[i]))
    ) {
      throw new InvalidArgumentError(
        `nested arrays must be rectangular: found [${inner.join(',')}] beside [${shape.join(',')}]`,
      );
    }
    inner = shape;
  }
  return [items.length, ...(inner ?? [])];
}

function flattenTyped(items: ArrayLike<number | bigint>, out: Scalar[]): number[] {
  for (let i = 0; i < items.length; i++) out.push(items[i] ?? 0);
  return [items.length];
}

/**
 * A value in the float64 working form: numbers of any numeric dtype or bool (0 and 1).
 * In an integer value an element that is not known while the graph is built is `NaN`.
 */
export interface HostValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** True when no integer element is unknown. Floats may be NaN and still count as known. */
export function isFullyKnown(value: HostValue): boolean {
  return value.dtype.startsWith('float') || !value.data.some(Number.isNaN);
}

/** Converts to the working form, or `null` for dtypes without numbers (strings, handles, complex). */
export function toHostValue(value: TensorValue): HostValue | null {
  const { dtype, shape, data } = value;
  if (!isTypedArray(data) || dtype.startsWith('complex')) return null;
  const numberOf = HALVES[dtype] ?? Number;
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = numberOf(Number(data[i]));
  return { dtype, shape, data: out };
}

/** Converts back from the working form; floats round, integers must be in range. */
export function fromHostValue(value: HostValue): TensorValue {
  const source = value.dtype === 'bool' ? Array.from(value.data, (x) => x !== 0) : Array.from(value.data);
  const data = fillData(value.dtype, value.data.length, value.data.length === 0 ? [] : source);
  return new TensorValue(value.dtype, value.shape, data);
}
