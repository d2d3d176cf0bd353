/** Constants and attribute values as short texts and as JSON. */
import { TensorValue, toHostValue, type AttrValue, type FuncValue, type NestedArray } from '@forerun/graph';
import { formatShape } from './format.js';

/** What `JSON.stringify` takes. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const SHOWN = 6;

/** A value in a line: the number itself, or the first elements. */
export function summarizeValue(value: TensorValue): string {
  const elements = firstElements(value).map((element) => JSON.stringify(element));
  if (value.shape.length === 0) return elements[0] ?? '';
  const more = value.data.length > SHOWN ? ', ...' : '';
  return `[${elements.join(', ')}${more}]`;
}

function firstElements({ data, dtype }: TensorValue): JsonValue[] {
  return Array.from({ length: Math.min(SHOWN, data.length) }, (_, i) => {
    const element = data[i];
    if (dtype === 'bool') return element !== 0;
    return typeof element === 'number' ? readableNumber(element, dtype) : elementJson(element);
  });
}

/** A float32 prints as the shortest decimal that means it. */
function readableNumber(value: number, dtype: string): number | string {
  if (!Number.isFinite(value)) return String(value);
  if (dtype !== 'float32' || Number.isInteger(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function elementJson(element: string | bigint | Uint8Array | undefined): JsonValue {
  if (element instanceof Uint8Array) return `0x${Buffer.from(element).toString('hex')}`;
  return typeof element === 'bigint' ? bigJson(element) : (element ?? null);
}

function bigJson(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

/** An attribute as JSON; 64-bit integers that a number cannot hold are texts, constants are summarized. */
export function attrJson(attr: AttrValue): JsonValue {
  const { value } = attr;
  if (Array.isArray(value)) return value.map((item: unknown) => itemJson(item));
  return itemJson(value);
}

function itemJson(value: unknown): JsonValue {
  if (typeof value === 'bigint') return bigJson(value);
  if (typeof value === 'number') return readableNumber(value, 'float32');
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof Uint8Array) return elementJson(value);
  if (isTensorValue(value)) return { dtype: value.dtype, shape: value.shape, first: firstElements(value) };
  if (isFunc(value)) return { function: value.name };
  return isShape(value) ? value.dims : null;
}

/** An attribute as a text in one line. */
export function formatAttr(attr: AttrValue): string {
  const { value } = attr;
  if (Array.isArray(value)) return `[${value.map((item: unknown) => formatItem(item)).join(', ')}]`;
  if (attr.kind === 'type') return attr.value;
  return formatItem(value);
}

function formatItem(value: unknown): string {
  if (isTensorValue(value)) return `${value.dtype} ${formatShape(value.shape)} = ${summarizeValue(value)}`;
  if (isFunc(value)) return `function ${value.name}`;
  if (isShape(value)) return formatShape(value.dims);
  return typeof value === 'number'
    ? String(readableNumber(value, 'float32'))
    : JSON.stringify(itemJson(value));
}

function isTensorValue(value: unknown): value is TensorValue {
  return typeof value === 'object' && value !== null && 'data' in value && 'dtype' in value;
}

function isFunc(value: unknown): value is FuncValue {
  return typeof value === 'object' && value !== null && 'attrs' in value;
}

function isShape(value: unknown): value is { readonly dims: readonly (number | null)[] | null } {
  return typeof value === 'object' && value !== null && 'dims' in value;
}

/** A number for people: integers as they are, others with four significant digits. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}

/** All elements of a value as nested JSON; what is no number in JSON is a text. */
export function valueJson(value: TensorValue): JsonValue {
  const convert = (item: NestedArray): JsonValue => {
    if (Array.isArray(item)) return (item as readonly NestedArray[]).map(convert);
    if (typeof item === 'number') return readableNumber(item, value.dtype);
    return typeof item === 'bigint' ? bigJson(item) : (item as string | boolean);
  };
  const decoded = toHostValue(value);
  const halves = value.dtype === 'float16' || value.dtype === 'bfloat16';
  const readable = halves && decoded !== null ? new TensorValue('float64', value.shape, decoded.data) : value;
  return convert(readable.toArray());
}
