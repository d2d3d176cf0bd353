/**
 * The proto3 JSON form of messages: camelCase names, 64-bit integers as decimal strings, bytes as
 * base64, enums by name. The reader takes original names, numbers for integers and enum numbers too.
 */
import { InvalidArgumentError } from '../errors.js';
import { fromBase64, toBase64 } from './base64.js';
import { emptyMessage } from './decode.js';
import { sortedEntries } from './encode.js';
import type { AnyMessage, Init, MapKey } from './message.js';
import type { MessageTypes } from './messages.js';
import {
  enumName,
  enumNumber,
  integerRange,
  messageSpec,
  suggestField,
  zeroValue,
  type FieldSpec,
  type MessageSpec,
} from './spec.js';
import { shortestSingle } from './textFormat.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The message as a JSON value; defaults are left out except in a oneof. */
export function toJson<K extends keyof MessageTypes>(type: K, message: Init<MessageTypes[K]>): Json {
  return messageToJson(messageSpec(type), message as AnyMessage);
}

function messageToJson(spec: MessageSpec, message: AnyMessage): Json {
  const json = new Map<string, Json>();
  for (const field of spec.fields) {
    const value = message[field.key];
    if (value === undefined || value === null) continue;
    if (field.map !== undefined) {
      const entries = sortedEntries(value as ReadonlyMap<MapKey, unknown>);
      const valueField = field.map.value;
      if (entries.length === 0) continue;
      json.set(
        field.key,
        toObject(entries.map(([key, item]) => [String(key), valueToJson(valueField, item)])),
      );
    } else if (field.repeated) {
      const items = value as readonly unknown[];
      if (items.length > 0)
        json.set(
          field.key,
          items.map((item) => valueToJson(field, item)),
        );
    } else if (field.oneof !== undefined || !isDefault(field, value))
      json.set(field.key, valueToJson(field, value));
  }
  return toObject([...json]);
}

/** `Object.fromEntries` defines properties, so a key such as `__proto__` is data like any other. */
function toObject(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries);
}

function isDefault(field: FieldSpec, value: unknown): boolean {
  if (field.type === 'message') return false;
  return value instanceof Uint8Array ? value.length === 0 : Object.is(value, zeroValue(field));
}

function valueToJson(field: FieldSpec, value: unknown): Json {
  if (field.type === 'message') return messageToJson(messageSpec(field.typeName), value as AnyMessage);
  if (field.type === 'enum') return enumName(field.typeName, Number(value)) ?? Number(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (field.type === 'float' || field.type === 'double')
    return floatToJson(Number(value), field.type === 'float');
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new InvalidArgumentError(`field ${field.name} of type ${field.type} cannot hold ${typeof value}`);
  }
  return field.type.endsWith('64') ? String(value) : Number(value);
}

function floatToJson(value: number, single: boolean): Json {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  // JSON writers drop the sign of zero; readers take numbers in quotes.
  if (Object.is(value, -0)) return '-0';
  return single ? shortestSingle(value) : value;
}

/** Where in a JSON value the reader is. A text is made of it only when something is wrong there. */
interface Place {
  readonly outer: Place | null;
  /** The name of a field, the position in a list, or the key of a map. */
  readonly step: string | number | readonly [key: string];
}

function placeName({ outer, step }: Place): string {
  if (outer === null) return String(step);
  if (typeof step === 'string') return `${placeName(outer)}.${step}`;
  return `${placeName(outer)}[${typeof step === 'number' ? step : JSON.stringify(step[0])}]`;
}

/** Reads a message from a JSON value. Throws `InvalidArgumentError` naming the path of what is wrong, from `where` on. */
export function fromJson<K extends keyof MessageTypes>(
  type: K,
  json: unknown,
  where: string = type,
): MessageTypes[K] {
  return messageFromJson(messageSpec(type), json, { outer: null, step: where }) as object as MessageTypes[K];
}

function fail(place: Place, rule: string): never {
  throw new InvalidArgumentError(`${placeName(place)}: ${rule}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageFromJson(spec: MessageSpec, json: unknown, place: Place): AnyMessage {
  if (!isObject(json)) return fail(place, `expected an object, found ${describe(json)}`);
  const message = emptyMessage(spec);
  const chosen: { readonly field: FieldSpec; readonly name: string }[] = [];
  for (const name of Object.keys(json)) {
    const value = json[name];
    const field = spec.byName.get(name);
    if (field === undefined)
      return fail(place, `${spec.name} has no field "${name}"${suggestField(spec, name)}`);
    if (value === null) continue;
    const other = chosen.find((one) => one.field === field || isSameOneof(one.field, field));
    if (other !== undefined) fail(place, `both "${other.name}" and "${name}" are given`);
    chosen.push({ field, name });
    message[field.key] = fieldFromJson(field, value, { outer: place, step: name });
  }
  return message;
}

function isSameOneof(a: FieldSpec, b: FieldSpec): boolean {
  return a.oneof !== undefined && a.oneof === b.oneof;
}

function fieldFromJson(field: FieldSpec, json: unknown, place: Place): unknown {
  if (field.map !== undefined) return mapFromJson(field.map, json, place);
  if (!field.repeated) return valueFromJson(field, json, place);
  // The exporter of tfjs writes an absent list as an empty object.
  if (isObject(json) && Object.keys(json).length === 0) return [];
  if (!Array.isArray(json)) return fail(place, `expected a list, found ${describe(json)}`);
  return json.map((item, i) => valueFromJson(field, item, { outer: place, step: i }));
}

function mapFromJson(
  { key: keyField, value: valueField }: NonNullable<FieldSpec['map']>,
  json: unknown,
  place: Place,
): Map<MapKey, unknown> {
  if (!isObject(json)) return fail(place, `expected an object, found ${describe(json)}`);
  const map = new Map<MapKey, unknown>();
  for (const key of Object.keys(json)) {
    const value = valueFromJson(valueField, json[key], { outer: place, step: [key] });
    map.set(keyFromJson(keyField, key, place), value);
  }
  return map;
}

function keyFromJson(field: FieldSpec, key: string, place: Place): MapKey {
  return field.type === 'string' ? key : (valueFromJson(field, key, place) as MapKey);
}

function describe(json: unknown): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  return typeof json === 'object' ? 'an object' : JSON.stringify(json);
}

function valueFromJson(field: FieldSpec, json: unknown, place: Place): unknown {
  switch (field.type) {
    case 'message':
      return messageFromJson(messageSpec(field.typeName), json, place);
    case 'string':
      return typeof json === 'string' ? json : fail(place, `expected a string, found ${describe(json)}`);
    case 'bytes':
      return bytesFromJson(json, place);
    case 'bool':
      return typeof json === 'boolean'
        ? json
        : fail(place, `expected true or false, found ${describe(json)}`);
    case 'float':
    case 'double':
      return floatFromJson(field, json, place);
    default:
      return integerFromJson(field, json, place);
  }
}

/** Base64, or the list of byte values that some exporters of graph models write. */
function bytesFromJson(json: unknown, place: Place): Uint8Array {
  const bytes = typeof json === 'string' ? fromBase64(json) : undefined;
  if (bytes !== undefined) return bytes;
  if (Array.isArray(json) && json.every((item) => Number.isInteger(item) && item >= 0 && item < 256)) {
    return Uint8Array.from(json as number[]);
  }
  return fail(place, `expected base64, found ${describe(json)}`);
}

const FLOAT_WORDS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };

function floatFromJson(field: FieldSpec, json: unknown, place: Place): number {
  let value = typeof json === 'number' ? json : NaN;
  if (typeof json === 'string') {
    value = FLOAT_WORDS[json] ?? (json.trim() === '' ? NaN : Number(json));
  }
  if (Number.isNaN(value) && json !== 'NaN') return fail(place, `expected a number, found ${describe(json)}`);
  return field.type === 'float' ? Math.fround(value) : value;
}

const INTEGER = /^-?\d+$/;

function integerFromJson(field: FieldSpec, json: unknown, place: Place): number | bigint {
  const isText = typeof json === 'string';
  if (isText && field.type === 'enum' && !INTEGER.test(json)) {
    return enumNumber(field.typeName, json) ?? fail(place, `${field.typeName} has no value ${json}`);
  }
  const whole = typeof json === 'number' ? Number.isInteger(json) : isText && INTEGER.test(json);
  if (!whole) return fail(place, `expected an integer, found ${describe(json)}`);
  const value = BigInt(json as number | string);
  const range = integerRange(field.type);
  if (range !== undefined && (value < range[0] || value > range[1])) {
    return fail(place, `${value} does not fit type ${field.type}`);
  }
  if (!field.type.endsWith('64')) return Number(value);
  if (!field.asNumber) return value;
  return Number.isSafeInteger(Number(value))
    ? Number(value)
    : fail(place, `${value} is beyond the exact range`);
}
