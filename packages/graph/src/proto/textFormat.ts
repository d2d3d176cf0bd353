/** Writes protobuf text format (`.pbtxt`), laid out as protobuf's own printer does. */
import { InvalidArgumentError } from '../errors.js';
import { sortedEntries } from './encode.js';
import { UNKNOWN_FIELDS, type AnyMessage, type Init, type MapKey } from './message.js';
import type { MessageTypes } from './messages.js';
import { enumName, messageSpec, zeroValue, type FieldSpec, type MessageSpec } from './spec.js';
import { toBytes } from './utf8.js';

/**
 * The message as protobuf text. Deterministic; map entries by key; bytes with octal escapes.
 * Fields that proto/ does not declare have no text form: a comment tells their size.
 */
export function toText<K extends keyof MessageTypes>(type: K, message: Init<MessageTypes[K]>): string {
  const lines: string[] = [];
  printMessage(lines, messageSpec(type), message as AnyMessage, '');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function printMessage(lines: string[], spec: MessageSpec, message: AnyMessage, indent: string): void {
  for (const field of spec.fields) {
    const value = message[field.key];
    if (value === undefined || value === null) continue;
    if (field.map !== undefined) printMap(lines, field, value as ReadonlyMap<MapKey, unknown>, indent);
    else if (field.repeated) {
      for (const element of value as readonly unknown[]) printField(lines, field, element, indent);
    } else if (field.oneof !== undefined || !isDefault(field, value)) printField(lines, field, value, indent);
  }
  const unknown = message[UNKNOWN_FIELDS];
  if (unknown !== undefined) lines.push(`${indent}# ${unknown.length} bytes of unknown fields left out`);
}

function isDefault(field: FieldSpec, value: unknown): boolean {
  if (field.type === 'message') return false;
  return value instanceof Uint8Array ? value.length === 0 : Object.is(value, zeroValue(field));
}

function printMap(
  lines: string[],
  field: FieldSpec,
  map: ReadonlyMap<MapKey, unknown>,
  indent: string,
): void {
  if (field.map === undefined) return;
  for (const [key, value] of sortedEntries(map)) {
    lines.push(`${indent}${field.name} {`);
    printField(lines, field.map.key, key, `${indent}  `);
    printField(lines, field.map.value, value, `${indent}  `);
    lines.push(`${indent}}`);
  }
}

function printField(lines: string[], field: FieldSpec, value: unknown, indent: string): void {
  if (field.type !== 'message') {
    lines.push(`${indent}${field.name}: ${printScalar(field, value)}`);
    return;
  }
  lines.push(`${indent}${field.name} {`);
  printMessage(lines, messageSpec(field.typeName), value as AnyMessage, `${indent}  `);
  lines.push(`${indent}}`);
}

function printScalar(field: FieldSpec, value: unknown): string {
  if (typeof value === 'string' || value instanceof Uint8Array) return quote(value);
  if (field.type === 'enum') return enumName(field.typeName, Number(value)) ?? String(value);
  if (field.type === 'float') return formatFloat(Number(value), true);
  if (field.type === 'double') return formatFloat(Number(value), false);
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint')
    return String(value);
  throw new InvalidArgumentError(`field ${field.name} of type ${field.type} cannot hold ${typeof value}`);
}

/** Shortest text that reads back as the same float. */
export function formatFloat(value: number, single: boolean): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0';
  return String(single ? shortestSingle(value) : value);
}

/** Of all numbers that round to the same float32, the one with the fewest digits. */
export function shortestSingle(value: number): number {
  const target = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(target.toPrecision(digits));
    if (Math.fround(candidate) === target) return candidate;
  }
  return Number(target.toPrecision(9));
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x22, '\\"'],
  [0x27, "\\'"],
  [0x5c, '\\\\'],
]);

/** Text that needs no escapes, as almost all names are. */
const PLAIN = /^[\w\-./:^@ ]*$/;

/** A quoted literal; everything outside printable ASCII as octal escapes of its bytes. */
export function quote(value: string | Uint8Array): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`;
  let text = '"';
  for (const byte of toBytes(value)) {
    const escape = ESCAPES.get(byte);
    if (escape !== undefined) text += escape;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `${text}"`;
}
