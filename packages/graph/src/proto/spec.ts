/** The field table in the form that the codecs use: messages and fields by number and by name. */
import { InternalError } from '../errors.js';
import { nearestNames } from '../names.js';
import type { AnyMessage } from './message.js';
import { ENUMS, MESSAGES } from './schema.js';

const SCALARS = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
] as const;

export type ScalarType = (typeof SCALARS)[number];
export type FieldType = ScalarType | 'enum' | 'message';

/** Wire types 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
export type WireType = 0 | 1 | 2 | 5;

export interface FieldSpec {
  readonly number: number;
  /** Name in the .proto file. */
  readonly name: string;
  /** Name in JavaScript and JSON. */
  readonly key: string;
  readonly type: FieldType;
  /** The message or enum that `type` speaks of. */
  readonly typeName: string;
  /** Wire type of one value. */
  readonly wire: WireType;
  readonly repeated: boolean;
  /** Key and value of a map's entries. */
  readonly map: { readonly key: FieldSpec; readonly value: FieldSpec } | undefined;
  readonly oneof: string | undefined;
  /** A 64-bit integer that is read as a number because it counts something. */
  readonly asNumber: boolean;
}

export interface MessageSpec {
  readonly name: string;
  /** By ascending field number, the order in which they are written. */
  readonly fields: readonly FieldSpec[];
  readonly byNumber: ReadonlyMap<number, FieldSpec>;
  /** By name in the .proto file and by camelCase name. */
  readonly byName: ReadonlyMap<string, FieldSpec>;
  /** A message with all defaults filled in. */
  readonly create: () => AnyMessage;
}

const specs = new Map<string, MessageSpec>();

/** The fields of a message type. */
export function messageSpec(name: string): MessageSpec {
  const known = specs.get(name);
  if (known !== undefined) return known;
  if (!hasMessage(name)) throw new InternalError(`proto/ has no message ${name}`);
  const fields = MESSAGES[name].map(parseField);
  const byName = new Map<string, FieldSpec>();
  for (const field of fields) byName.set(field.name, field).set(field.key, field);
  const byNumber = new Map(fields.map((field) => [field.number, field]));
  const spec = { name, fields, byName, byNumber, create: creator(fields.filter(hasDefault)) };
  specs.set(name, spec);
  return spec;
}

/** A function of its own for each message type: a copy of an object with all its fields takes less time than one field after the other. */
function creator(defaults: readonly FieldSpec[]): () => AnyMessage {
  const maps = defaults.filter((field) => field.map !== undefined).map(({ key }) => key);
  const all: AnyMessage = {};
  for (const field of defaults) all[field.key] = defaultValue(field);
  return () => {
    const message: AnyMessage = { ...all };
    for (const key of maps) message[key] = new Map();
    return message;
  };
}

function hasMessage(name: string): name is keyof typeof MESSAGES {
  return Object.hasOwn(MESSAGES, name);
}

function hasEnum(name: string): name is keyof typeof ENUMS {
  return Object.hasOwn(ENUMS, name);
}

/** Numbers by name of an enum of proto/. */
export function enumValues(name: string): Readonly<Record<string, number>> {
  if (!hasEnum(name)) throw new InternalError(`proto/ has no enum ${name}`);
  return ENUMS[name];
}

/** The number of an enum's name, or `undefined` when there is none of that name. */
export function enumNumber(name: string, value: string): number | undefined {
  const values = enumValues(name);
  return Object.hasOwn(values, value) ? values[value] : undefined;
}

/** The name of an enum's number, or `undefined` when proto/ does not know it. */
export function enumName(name: string, number: number): string | undefined {
  return Object.entries(enumValues(name)).find(([, value]) => value === number)?.[0];
}

/** Parses a line of the table, such as `5 attr map<string,AttrValue>` or `3 i int64 as number in value`. */
function parseField(line: string): FieldSpec {
  const match = /^(\d+) (\w+) (?:map<(\w+),([\w.]+)>|(repeated )?([\w.]+))( as number)?(?: in (\w+))?$/.exec(
    line,
  );
  const [, number, name, mapKey, mapValue, repeated, type, asNumber, oneof] = match ?? [];
  if (number === undefined || name === undefined) throw new InternalError(`malformed schema line "${line}"`);
  const common = {
    number: Number(number),
    name,
    key: camelCase(name),
    asNumber: asNumber !== undefined,
    oneof,
  };
  if (mapKey !== undefined && mapValue !== undefined) {
    const map = { key: entryField(1, 'key', mapKey), value: entryField(2, 'value', mapValue) };
    return { ...common, ...typeOf(mapValue), repeated: false, map };
  }
  return { ...common, ...typeOf(type ?? ''), repeated: repeated !== undefined, map: undefined };
}

function entryField(number: number, name: string, type: string): FieldSpec {
  const plain = { repeated: false, map: undefined, oneof: undefined, asNumber: false };
  return { number, name, key: name, ...typeOf(type), ...plain };
}

function typeOf(name: string): Pick<FieldSpec, 'type' | 'typeName' | 'wire'> {
  const scalar = SCALARS.find((type) => type === name);
  if (scalar !== undefined) return { type: scalar, typeName: '', wire: scalarWire(scalar) };
  return hasEnum(name)
    ? { type: 'enum', typeName: name, wire: 0 }
    : { type: 'message', typeName: name, wire: 2 };
}

function scalarWire(type: ScalarType): WireType {
  if (type === 'string' || type === 'bytes') return 2;
  if (type === 'double' || type === 'fixed64' || type === 'sfixed64') return 1;
  return type === 'float' || type === 'fixed32' || type === 'sfixed32' ? 5 : 0;
}

function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether a field that is absent has a value: not where absence can be seen. */
function hasDefault(field: FieldSpec): boolean {
  if (field.map !== undefined || field.repeated) return true;
  return field.oneof === undefined && field.type !== 'message';
}

/** The value of an absent field that has one. */
function defaultValue(field: FieldSpec): unknown {
  if (field.map !== undefined) return new Map();
  return field.repeated ? NO_ELEMENTS : zeroValue(field);
}

/** Messages share what is empty: constants have fifteen lists, of which at most one has elements. */
const NO_BYTES = new Uint8Array(0);
const NO_ELEMENTS: readonly never[] = Object.freeze([]);

/** Zero of a scalar type. */
export function zeroValue(field: FieldSpec): unknown {
  switch (field.type) {
    case 'string':
      return '';
    case 'bytes':
      return NO_BYTES;
    case 'bool':
      return false;
    case 'int64':
    case 'uint64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return field.asNumber ? 0 : 0n;
    default:
      return 0;
  }
}

/** `; did you mean "dtype"?` for a name that `spec` does not have, or nothing. */
export function suggestField(spec: MessageSpec, name: string): string {
  const [near] = nearestNames(
    name,
    spec.fields.map((field) => field.name),
  );
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

const INT32 = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const UINT32 = [0n, 2n ** 32n - 1n] as const;
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const UINT64 = [0n, 2n ** 64n - 1n] as const;

/** Bounds of integer types, both ends included. */
export function integerRange(type: FieldType): readonly [bigint, bigint] | undefined {
  switch (type) {
    case 'int32':
    case 'sint32':
    case 'sfixed32':
    case 'enum':
      return INT32;
    case 'uint32':
    case 'fixed32':
      return UINT32;
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return INT64;
    case 'uint64':
    case 'fixed64':
      return UINT64;
    default:
      return undefined;
  }
}
