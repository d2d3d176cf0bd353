/** Protobuf bytes to messages, by the field table of proto/. */
import { DataLossError, InternalError } from '../errors.js';
import { UNKNOWN_FIELDS, type AnyMessage, type MapKey } from './message.js';
import type { MessageTypes } from './messages.js';
import { messageSpec, zeroValue, type FieldSpec, type MessageSpec } from './spec.js';
import { WireReader } from './wireReader.js';

/** Deeper nesting than protobuf's own readers accept. */
const MAX_DEPTH = 100;

/** A field that is passed over. */
export interface SkippedField {
  readonly message: keyof MessageTypes;
  /** Name in JavaScript. */
  readonly field: string;
}

/**
 * Reads a message, without the field `skipped`. Fields that proto/ does not declare are kept and written back by `encode`;
 * `bytes` fields are views on the input.
 * Throws `DataLossError` naming field and byte for truncated or malformed input.
 */
export function decode<K extends keyof MessageTypes>(
  type: K,
  bytes: Uint8Array,
  skipped?: SkippedField,
): MessageTypes[K] {
  const reader = new WireReader(bytes, type);
  reader.skipped = skippedField(skipped);
  return asType<K>(readMessage(reader, messageSpec(type), 0));
}

/** The field that is passed over, if any. */
export function skippedField(skipped: SkippedField | undefined): FieldSpec | undefined {
  if (skipped === undefined) return undefined;
  const field = messageSpec(skipped.message).byName.get(skipped.field);
  if (field === undefined) throw new InternalError(`${skipped.message} has no field ${skipped.field}`);
  return field;
}

/** The message types are generated from the same table that the reader follows. */
function asType<K extends keyof MessageTypes>(message: object): MessageTypes[K] {
  return message as MessageTypes[K];
}

/** A message with all defaults filled in. */
export function emptyMessage(spec: MessageSpec): AnyMessage {
  return spec.create();
}

/** The value of a map's entry that has none. */
export function emptyValue(field: FieldSpec): unknown {
  return field.type === 'message' ? emptyMessage(messageSpec(field.typeName)) : zeroValue(field);
}

/** A message of type `type` with every field at its default. */
export function create<K extends keyof MessageTypes>(type: K): MessageTypes[K] {
  return asType<K>(emptyMessage(messageSpec(type)));
}

function readMessage(reader: WireReader, spec: MessageSpec, depth: number, before?: AnyMessage): AnyMessage {
  const message = before ?? emptyMessage(spec);
  if (depth > MAX_DEPTH) reader.fail(`messages nested deeper than ${MAX_DEPTH}`);
  const unknown: Uint8Array[] = [];
  // In an empty message there is nothing that the first field of a oneof could replace.
  let hasOneof = before !== undefined;
  while (reader.pos < reader.end) {
    const start = reader.pos;
    const tag = reader.uint32();
    const number = tag >>> 3;
    if (number === 0) reader.fail('field number 0');
    const field = spec.byNumber.get(number);
    if (field !== undefined) {
      if (field === reader.skipped) {
        reader.skip(tag & 7);
        continue;
      }
      if (field.oneof !== undefined) {
        if (hasOneof) clearOneof(spec, message, field);
        hasOneof = true;
      }
      readField(reader, message, field, tag & 7, depth);
      continue;
    }
    reader.skip(tag & 7);
    unknown.push(reader.copyFrom(start));
  }
  if (unknown.length > 0) message[UNKNOWN_FIELDS] = concat([...keptBefore(message), ...unknown]);
  return message;
}

function keptBefore(message: AnyMessage): Uint8Array[] {
  const kept = message[UNKNOWN_FIELDS];
  return kept === undefined ? [] : [kept];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

function readField(
  reader: WireReader,
  message: AnyMessage,
  field: FieldSpec,
  wire: number,
  depth: number,
): void {
  if (field.map !== undefined) readEntry(reader, message, field, wire, depth);
  else if (field.repeated) readElements(reader, message, field, wire, depth);
  else {
    expectWire(reader, field, wire);
    // A sub-message that comes twice is merged.
    const before = message[field.key] as AnyMessage | undefined;
    message[field.key] = readValue(reader, field, depth, undefined, before);
  }
}

function expectWire(reader: WireReader, field: FieldSpec, wire: number): void {
  if (wire !== field.wire) reader.fail(`field ${field.name} has wire type ${wire}, not ${field.wire},`);
}

function clearOneof(spec: MessageSpec, message: AnyMessage, chosen: FieldSpec): void {
  for (const field of spec.fields) {
    const isOther = field.oneof === chosen.oneof && field !== chosen;
    if (isOther && message[field.key] !== undefined) Reflect.deleteProperty(message, field.key);
  }
}

/** The list of a field to add to: empty lists are shared by all messages. */
export function listOf(message: AnyMessage, { key }: FieldSpec): unknown[] {
  const list = message[key] as unknown[];
  return list.length > 0 ? list : (message[key] = []);
}

function readElements(
  reader: WireReader,
  message: AnyMessage,
  field: FieldSpec,
  wire: number,
  depth: number,
): void {
  const list = listOf(message, field);
  if (wire === 2 && field.wire !== 2) {
    const outer = reader.end;
    reader.end = reader.length() + reader.pos;
    while (reader.pos < reader.end) list.push(readValue(reader, field, depth));
    reader.end = outer;
    return;
  }
  expectWire(reader, field, wire);
  list.push(readValue(reader, field, depth, list.length));
}

function readEntry(
  reader: WireReader,
  message: AnyMessage,
  field: FieldSpec,
  wire: number,
  depth: number,
): void {
  if (field.map === undefined) return;
  expectWire(reader, field, wire);
  const { key: keyField, value: valueField } = field.map;
  const outer = reader.end;
  reader.end = reader.length() + reader.pos;
  let key = zeroValue(keyField) as MapKey;
  let value: unknown;
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    if (number === 1) {
      expectWire(reader, keyField, tag & 7);
      key = readValue(reader, keyField, depth) as MapKey;
    } else if (number === 2) {
      expectWire(reader, valueField, tag & 7);
      value = readMapValue(reader, field, valueField, key, depth);
    } else reader.skip(tag & 7);
  }
  reader.end = outer;
  (message[field.key] as Map<MapKey, unknown>).set(key, value ?? emptyValue(valueField));
}

function readMapValue(
  reader: WireReader,
  field: FieldSpec,
  valueField: FieldSpec,
  key: MapKey,
  depth: number,
): unknown {
  if (valueField.type !== 'message') return readValue(reader, valueField, depth);
  return readSubmessage(reader, valueField.typeName, field.key, String(key), depth);
}

/** `element` is the index in a list; `before` is what the field holds already. */
function readValue(
  reader: WireReader,
  field: FieldSpec,
  depth: number,
  element?: number,
  before?: AnyMessage,
): unknown {
  if (field.type === 'message') {
    return readSubmessage(reader, field.typeName, field.key, element, depth, before);
  }
  if (field.type === 'string') return reader.string();
  if (field.type === 'bytes') return reader.bytes();
  return readNumber(reader, field);
}

function readSubmessage(
  reader: WireReader,
  type: string,
  label: string,
  element: number | string | undefined,
  depth: number,
  before?: AnyMessage,
): AnyMessage {
  reader.enter(label, element);
  const outer = reader.end;
  reader.end = reader.length() + reader.pos;
  const message = readMessage(reader, messageSpec(type), depth + 1, before);
  reader.end = outer;
  reader.leave();
  return message;
}

function readNumber(reader: WireReader, field: FieldSpec): unknown {
  switch (field.type) {
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
    case 'fixed32':
      return reader.fixed32();
    case 'sfixed32':
      return reader.fixed32() | 0;
    case 'bool':
      return Number(reader.varint()) !== 0;
    case 'uint32':
      return reader.int32() >>> 0;
    case 'int32':
    case 'enum':
      return reader.int32();
    case 'sint32':
      return unzigzag(BigInt(reader.int32() >>> 0), Number);
    default:
      return readLong(reader, field);
  }
}

function readLong(reader: WireReader, field: FieldSpec): number | bigint {
  if (field.type === 'int64' && field.asNumber) {
    const small = reader.varint();
    if (typeof small === 'number') return small;
    return asCount(BigInt.asIntN(64, small), reader, field);
  }
  const raw = field.wire === 1 ? reader.fixed64() : reader.uint64();
  const unsigned = field.type === 'uint64' || field.type === 'fixed64';
  const value = field.type === 'sint64' ? unzigzag(raw, BigInt) : unsigned ? raw : BigInt.asIntN(64, raw);
  return field.asNumber ? asCount(value, reader, field) : value;
}

function asCount(value: bigint, reader: WireReader, field: FieldSpec): number {
  const number = Number(value);
  return Number.isSafeInteger(number)
    ? number
    : reader.fail(`${field.name} is ${value}, beyond the exact range`);
}

function unzigzag<T>(raw: bigint, convert: (value: bigint) => T): T {
  return convert((raw >> 1n) ^ -(raw & 1n));
}

/** True when `bytes` read as a message of this type without error. */
export function canDecode(type: keyof MessageTypes, bytes: Uint8Array): boolean {
  try {
    decode(type, bytes);
    return true;
  } catch (error) {
    if (error instanceof DataLossError) return false;
    throw error;
  }
}
