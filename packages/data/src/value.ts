/**
 * The values that datasets carry: `DataValue`, structurally what a session takes as a feed, and the
 * structures (records, arrays) that elements are made of.
 */
import { DataError } from './errors.js';

/** Storage of each dtype. bool holds 0 or 1; float16 and bfloat16 hold bit patterns. */
interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  int16: Int16Array;
  int8: Int8Array;
  uint32: Uint32Array;
  uint16: Uint16Array;
  uint8: Uint8Array;
  bool: Uint8Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
}

const CONSTRUCTORS: { readonly [D in keyof Arrays]: new (length: number) => Arrays[D] } = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** dtype of a value in a dataset. */
export type DataType = keyof Arrays;

/** Typed array that holds elements of dtype `D`. */
export type DataArray<D extends DataType = DataType> = Arrays[D];

/** A tensor's value: dtype, sizes, and the elements in row-major order. */
export interface DataValue<D extends DataType = DataType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataArray<D>;
}

/** What an element may be made of so that it can be sliced and batched: values, and records or arrays of them. */
export type Structure = DataValue | readonly Structure[] | { readonly [name: string]: Structure };

/** Nested arrays of numbers, or a number. */
export type NestedNumbers = number | boolean | bigint | readonly NestedNumbers[];

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

/** A zeroed array for `length` elements of `dtype`. */
export function allocate<D extends DataType>(dtype: D, length: number): DataArray<D> {
  return new CONSTRUCTORS[dtype](length);
}

/** True when `value` looks like a `DataValue`: dtype, shape and a typed array. */
export function isDataValue(value: unknown): value is DataValue {
  if (typeof value !== 'object' || value === null) return false;
  if (!('dtype' in value && 'shape' in value && 'data' in value)) return false;
  return typeof value.dtype === 'string' && Array.isArray(value.shape) && ArrayBuffer.isView(value.data);
}

/** Throws unless dtype, shape and data of `value` fit together; `where` opens the message. */
export function checkValue(where: string, value: DataValue): void {
  const { dtype, shape, data } = value;
  if (!Object.hasOwn(CONSTRUCTORS, dtype)) {
    throw new DataError('INVALID_ARGUMENT', `${where}: dtype ${dtype} has no array storage`);
  }
  const wanted = CONSTRUCTORS[dtype].name;
  // By name: arrays of another realm are as good as ours.
  if (data.constructor.name !== wanted && !(wanted === 'Uint8Array' && data instanceof Uint8Array)) {
    throw new DataError(
      'INVALID_ARGUMENT',
      `${where}: dtype ${dtype} needs a ${wanted}, got ${data.constructor.name}`,
    );
  }
  for (const dim of shape) checkDim(where, shape, dim);
  if (data.length !== sizeOf(shape)) {
    throw new DataError(
      'INVALID_ARGUMENT',
      `${where}: shape [${shape.join(',')}] has ${sizeOf(shape)} elements, the data has ${data.length}`,
    );
  }
}

function checkDim(where: string, shape: readonly number[], dim: number): void {
  if (Number.isSafeInteger(dim) && dim >= 0) return;
  throw new DataError('INVALID_ARGUMENT', `${where}: shape [${shape.join(',')}] has the bad size ${dim}`);
}

/**
 * A `DataValue` from a typed array or from nested arrays of numbers.
 *
 * @param source Typed array whose class fits `dtype` (used as it is, not copied), or a number or nested
 *   arrays of equal lengths (copied).
 * @param dtype Element type of the value.
 * @param options.shape Sizes; by default the nesting's, `[length]` for a typed array.
 * @throws DataError `INVALID_ARGUMENT` for ragged nesting, or sizes or a class that do not fit.
 */
export function dataValue<D extends DataType>(
  source: DataArray<D> | NestedNumbers,
  dtype: D,
  options: { readonly shape?: readonly number[] } = {},
): DataValue<D> {
  if (!Object.hasOwn(CONSTRUCTORS, dtype)) {
    throw new DataError('INVALID_ARGUMENT', `dataValue: dtype ${dtype} has no array storage`);
  }
  const value = ArrayBuffer.isView(source)
    ? { dtype, shape: options.shape ?? [source.length], data: source }
    : fromNested(source, dtype, options.shape);
  checkValue('dataValue', value);
  return value;
}

function fromNested<D extends DataType>(
  source: NestedNumbers,
  dtype: D,
  shape: readonly number[] | undefined,
): DataValue<D> {
  const flat: (number | boolean | bigint)[] = [];
  const nested = flattenNested(source, flat);
  const data = allocate(dtype, flat.length);
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  // The array's class decides between numbers and bigints; TypeScript cannot follow that through D.
  const cells = data as Record<number, number | bigint>;
  flat.forEach((item, index) => (cells[index] = wide ? BigInt(item) : Number(item)));
  return { dtype, shape: shape ?? nested, data };
}

function flattenNested(source: NestedNumbers, into: (number | boolean | bigint)[]): number[] {
  if (typeof source !== 'object') {
    into.push(source);
    return [];
  }
  let inner: number[] | undefined;
  for (const item of source) {
    const shape = flattenNested(item, into);
    inner ??= shape;
    if (shape.join() !== inner.join()) {
      throw new DataError(
        'INVALID_ARGUMENT',
        `dataValue: ragged nesting: an item of shape [${inner.join(',')}] beside one of [${shape.join(',')}]`,
      );
    }
  }
  return [source.length, ...(inner ?? [])];
}

/** A value in a structure, with the path that names it in messages (`images`, `[0]`, empty for a lone value). */
export interface Leaf {
  readonly path: string;
  readonly value: DataValue;
}

/** The values of a structure in a fixed order. Throws `INVALID_ARGUMENT` where something else stands. */
export function leavesOf(where: string, structure: unknown, path = ''): Leaf[] {
  if (isDataValue(structure)) return [{ path, value: structure }];
  if (Array.isArray(structure)) {
    return structure.flatMap((item: unknown, index) => leavesOf(where, item, `${path}[${index}]`));
  }
  if (typeof structure === 'object' && structure !== null && !ArrayBuffer.isView(structure)) {
    return Object.entries(structure).flatMap(([name, item]: [string, unknown]) =>
      leavesOf(where, item, path === '' ? name : `${path}.${name}`),
    );
  }
  throw new DataError(
    'INVALID_ARGUMENT',
    `${where}: ${path === '' ? 'the element' : `"${path}"`} is ${describe(structure)}, ` +
      'not a value { dtype, shape, data } (dataValue() makes one)',
  );
}

function describe(thing: unknown): string {
  if (thing === null) return 'null';
  return typeof thing === 'object' ? `a ${thing.constructor.name}` : `of type ${typeof thing}`;
}

/** A structure like `template` with its values replaced, in the order of `leavesOf`. */
export function rebuild<T>(template: T, values: readonly DataValue[]): T {
  let next = 0;
  const build = (part: unknown): unknown => {
    if (isDataValue(part)) return values[next++];
    if (Array.isArray(part)) return part.map(build);
    return Object.fromEntries(Object.entries(part as object).map(([name, item]) => [name, build(item)]));
  };
  return build(template) as T;
}
