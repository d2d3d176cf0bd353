/**
 * Messages to protobuf bytes. Deterministic: fields by number, map entries by key, repeated numbers
 * packed, defaults left out except in a oneof; kept unknown fields follow at the end.
 */
import { InvalidArgumentError } from '../errors.js';
import { UNKNOWN_FIELDS, type AnyMessage, type Init, type MapKey } from './message.js';
import type { MessageTypes } from './messages.js';
import { integerRange, messageSpec, type FieldSpec, type MessageSpec } from './spec.js';
import { compareUtf8 } from './utf8.js';
import { ByteSink, SizeSink, type WireSink } from './wireWriter.js';

/** No protobuf reader accepts a larger message. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/** A message that no protobuf reader accepts because of its size. */
export class MessageTooLargeError extends InvalidArgumentError {
  constructor(
    type: string,
    readonly size: number,
  ) {
    super(`${type} would take ${size} bytes; protobuf allows ${MAX_MESSAGE_BYTES}`);
  }
}

/**
 * Writes a message. Throws `InvalidArgumentError` when a value does not fit its field, or the
 * message would take 2 GiB or more.
 */
export function encode<K extends keyof MessageTypes>(type: K, message: Init<MessageTypes[K]>): Uint8Array {
  const spec = messageSpec(type);
  const fields = message as AnyMessage;
  const size = new SizeSink();
  writeMessage(size, spec, fields);
  if (size.size > MAX_MESSAGE_BYTES) {
    throw new MessageTooLargeError(type, size.size);
  }
  const sink = new ByteSink(size);
  writeMessage(sink, spec, fields);
  return sink.bytes;
}

/** Bytes that `encode` would write. */
export function encodedSize<K extends keyof MessageTypes>(type: K, message: Init<MessageTypes[K]>): number {
  const sink = new SizeSink();
  writeMessage(sink, messageSpec(type), message as AnyMessage);
  return sink.size;
}

function writeMessage(sink: WireSink, spec: MessageSpec, message: AnyMessage): void {
  for (const field of spec.fields) {
    const value = message[field.key];
    if (value === undefined || value === null) continue;
    if (field.map !== undefined) writeMap(sink, field, value as ReadonlyMap<MapKey, unknown>);
    else if (field.repeated) writeRepeated(sink, field, value as readonly unknown[]);
    else if (field.oneof !== undefined || field.type === 'message' || !isZero(value)) {
      writeTagged(sink, field, value);
    }
  }
  const unknown = message[UNKNOWN_FIELDS];
  if (unknown !== undefined) sink.raw(unknown);
}

/** Minus zero is not the default: its sign would be lost. */
function isZero(value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, 0);
  if (value instanceof Uint8Array) return value.length === 0;
  return value === '' || value === false || value === 0n;
}

function writeTagged(sink: WireSink, field: FieldSpec, value: unknown): void {
  sink.varint(field.number * 8 + field.wire);
  writeValue(sink, field, value);
}

function writeRepeated(sink: WireSink, field: FieldSpec, values: readonly unknown[]): void {
  if (values.length === 0) return;
  if (field.wire === 2) {
    for (const value of values) writeTagged(sink, field, value);
    return;
  }
  sink.varint(field.number * 8 + 2);
  sink.delimited(() => {
    for (const value of values) writeValue(sink, field, value);
  });
}

function writeMap(sink: WireSink, field: FieldSpec, map: ReadonlyMap<MapKey, unknown>): void {
  const { map: entry } = field;
  if (entry === undefined) return;
  for (const [key, value] of sortedEntries(map)) {
    sink.varint(field.number * 8 + 2);
    sink.delimited(() => {
      writeTagged(sink, entry.key, key);
      writeTagged(sink, entry.value, value);
    });
  }
}

/** Entries by key: text by its UTF-8 bytes, numbers by value. */
export function sortedEntries<V>(map: ReadonlyMap<MapKey, V>): [MapKey, V][] {
  return [...map].sort(([a], [b]) =>
    typeof a === 'string' && typeof b === 'string' ? compareUtf8(a, b) : Number(a) - Number(b),
  );
}

function writeValue(sink: WireSink, field: FieldSpec, value: unknown): void {
  if (field.type === 'message') {
    sink.delimited(() => writeMessage(sink, messageSpec(field.typeName), value as AnyMessage));
  } else if (field.type === 'string') {
    sink.string(typeof value === 'string' ? value : mismatch(field, value));
  } else if (field.type === 'bytes') {
    const bytes = value instanceof Uint8Array ? value : mismatch(field, value);
    sink.varint(bytes.length);
    sink.raw(bytes);
  } else writeNumber(sink, field, value);
}

function mismatch(field: FieldSpec, value: unknown): never {
  const shown =
    typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : `a value of type ${typeof value}`;
  throw new InvalidArgumentError(`field ${field.name} of type ${field.type} cannot hold ${shown}`);
}

function writeNumber(sink: WireSink, field: FieldSpec, value: unknown): void {
  if (field.type === 'bool') {
    sink.varint(typeof value === 'boolean' ? Number(value) : mismatch(field, value));
  } else if (field.type === 'float' || field.type === 'double') {
    const number = typeof value === 'number' ? value : mismatch(field, value);
    if (field.type === 'float') sink.float(number);
    else sink.double(number);
  } else writeInteger(sink, field, value);
}

function writeInteger(sink: WireSink, field: FieldSpec, value: unknown): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31) {
    // The common case without bigints; the same bits for every integer type.
    if (field.wire === 5) {
      sink.fixed32(value);
      return;
    }
    if (field.wire === 0 && !field.type.startsWith('sint')) {
      sink.varint(value);
      return;
    }
  }
  const integral = typeof value === 'bigint' || Number.isInteger(value);
  const number = integral ? BigInt(value as number | bigint) : mismatch(field, value);
  const range = integerRange(field.type);
  if (range === undefined || number < range[0] || number > range[1]) mismatch(field, value);
  if (field.wire === 5) sink.fixed32(Number(BigInt.asUintN(32, number)));
  else if (field.wire === 1) sink.fixed64(number);
  else sink.varint64(field.type.startsWith('sint') ? (number << 1n) ^ (number >> 63n) : number);
}
