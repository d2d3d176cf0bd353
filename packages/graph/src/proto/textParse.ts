/** Reads protobuf text format (`.pbtxt`) by the field table of proto/. */
import { emptyMessage, emptyValue, listOf, skippedField, type SkippedField } from './decode.js';
import type { AnyMessage, MapKey } from './message.js';
import type { MessageTypes } from './messages.js';
import {
  enumNumber,
  integerRange,
  messageSpec,
  suggestField,
  zeroValue,
  type FieldSpec,
  type MessageSpec,
} from './spec.js';
import { apart, describeToken, SHORT_TEXT, Tokenizer, unescapeLiteral, type Token } from './tokenizer.js';
import { decodeUtf8 } from './utf8.js';

const MAX_DEPTH = 100;

/**
 * Reads a message, without the field `skipped`, from protobuf text. Throws `InvalidArgumentError` naming line and column for
 * text that is malformed or names a field or enum value that does not exist.
 */
export function fromText<K extends keyof MessageTypes>(
  type: K,
  text: string,
  skipped?: SkippedField,
): MessageTypes[K] {
  const tokens = new Tokenizer(text, type);
  tokens.skipped = skippedField(skipped);
  const message = parseMessage(tokens, messageSpec(type), undefined, 0);
  return message as object as MessageTypes[K];
}

/** Parses fields up to `close`, or to the end of the text. */
function parseMessage(
  tokens: Tokenizer,
  spec: MessageSpec,
  close: string | undefined,
  depth: number,
  message: AnyMessage = emptyMessage(spec),
): AnyMessage {
  if (depth > MAX_DEPTH) tokens.fail(`messages nested deeper than ${MAX_DEPTH}`);
  const seen: string[] = [];
  for (;;) {
    if (close === undefined ? tokens.peek().kind === 'end' : tokens.accept(close)) return message;
    const name = tokens.take();
    if (name.kind === 'end') tokens.fail(`expected a field or "${close ?? ''}", found the end`, name);
    if (name.kind !== 'name') tokens.fail(`expected a field name, found ${describeToken(name)}`, name);
    const field = spec.byName.get(name.text);
    if (field === undefined) {
      tokens.fail(`${spec.name} has no field "${name.text}"${suggestField(spec, name.text)}`, name);
    }
    if (!field.repeated && field.map === undefined) {
      const group = field.oneof ?? field.name;
      if (seen.includes(group)) {
        tokens.fail(
          field.oneof === undefined ? `field ${field.name} is given twice` : `${group} is given twice`,
          name,
        );
      }
      seen.push(group);
    }
    parseField(tokens, message, field, depth);
    if (!tokens.accept(',')) tokens.accept(';');
  }
}

function parseField(tokens: Tokenizer, message: AnyMessage, field: FieldSpec, depth: number): void {
  const colon = tokens.accept(':');
  if (!colon && field.type !== 'message' && field.map === undefined) tokens.expect(':');
  if (field === tokens.skipped) {
    tokens.skipBlock();
    return;
  }
  const isList = field.repeated || field.map !== undefined;
  if (!isList || !tokens.accept('[')) {
    storeValue(tokens, message, field, depth);
    return;
  }
  if (tokens.accept(']')) return;
  do storeValue(tokens, message, field, depth);
  while (tokens.accept(','));
  tokens.expect(']');
}

function storeValue(tokens: Tokenizer, message: AnyMessage, field: FieldSpec, depth: number): void {
  if (field.map !== undefined) {
    const [key, value] = parseEntry(tokens, field.map, depth);
    (message[field.key] as Map<MapKey, unknown>).set(key, value);
  } else {
    const value = parseValue(tokens, field, depth);
    if (field.repeated) listOf(message, field).push(value);
    else message[field.key] = value;
  }
}

function parseEntry(
  tokens: Tokenizer,
  map: NonNullable<FieldSpec['map']>,
  depth: number,
): readonly [MapKey, unknown] {
  const { key: keyField, value: valueField } = map;
  const entry = parseMessage(tokens, entrySpec(map), openBrace(tokens), depth + 1, {});
  return [
    (entry[keyField.key] ?? zeroValue(keyField)) as MapKey,
    entry[valueField.key] ?? emptyValue(valueField),
  ];
}

const entrySpecs = new WeakMap<NonNullable<FieldSpec['map']>, MessageSpec>();

/** The entries of a map as messages. */
function entrySpec(map: NonNullable<FieldSpec['map']>): MessageSpec {
  const known = entrySpecs.get(map);
  if (known !== undefined) return known;
  const fields = [map.key, map.value];
  const byName = new Map(fields.map((field) => [field.name, field]));
  const byNumber = new Map<number, FieldSpec>();
  const spec = { name: 'map entry', fields, byName, byNumber, create: () => ({}) };
  entrySpecs.set(map, spec);
  return spec;
}

/** Takes `{` or `<` and returns what closes it. */
function openBrace(tokens: Tokenizer): string {
  if (tokens.accept('<')) return '>';
  tokens.expect('{');
  return '}';
}

function parseValue(tokens: Tokenizer, field: FieldSpec, depth: number): unknown {
  if (field.type === 'message') {
    const spec = messageSpec(field.typeName);
    return parseMessage(tokens, spec, openBrace(tokens), depth + 1);
  }
  if (field.type === 'string' || field.type === 'bytes') return parseString(tokens, field);
  if (field.type === 'bool') return parseBool(tokens);
  if (field.type === 'float' || field.type === 'double') return parseFloatValue(tokens, field);
  return parseInteger(tokens, field);
}

function parseString(tokens: Tokenizer, field: FieldSpec): string | Uint8Array {
  const first = tokens.peek();
  const literals: Token[] = [];
  while (tokens.peek().kind === 'string') literals.push(tokens.take());
  const [only] = literals;
  if (only === undefined)
    return tokens.fail(`field ${field.name} needs a string, found ${describeToken(first)}`);
  const isAlone = literals.length === 1;
  if (isAlone && field.type === 'string' && !only.text.includes('\\'))
    return only.text.length <= SHORT_TEXT ? only.text : apart(only.text);
  const parts = literals.map((token) => unescapeLiteral(token.text, (rule) => tokens.fail(rule, token)));
  const bytes = isAlone && parts[0] !== undefined ? parts[0] : joined(parts);
  if (field.type === 'bytes') return bytes;
  return decodeUtf8(bytes) ?? tokens.fail(`field ${field.name} is not UTF-8`, first);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function parseBool(tokens: Tokenizer): boolean {
  const token = tokens.take();
  if (['true', 'True', 't', '1'].includes(token.text)) return true;
  if (['false', 'False', 'f', '0'].includes(token.text)) return false;
  return tokens.fail(`expected true or false, found ${describeToken(token)}`, token);
}

function parseFloatValue(tokens: Tokenizer, field: FieldSpec): number {
  const sign = tokens.accept('-') ? -1 : 1;
  const token = tokens.take();
  const word = token.text.toLowerCase();
  let value: number | undefined;
  if (word === 'inf' || word === 'infinity') value = Infinity;
  else if (word === 'nan') value = NaN;
  else if (token.kind === 'number') value = Number(/^0x/i.test(word) ? word : word.replace(/f$/, ''));
  if (value === undefined || (Number.isNaN(value) && word !== 'nan')) {
    return tokens.fail(`field ${field.name} needs a number, found ${describeToken(token)}`, token);
  }
  return sign * (field.type === 'float' ? Math.fround(value) : value);
}

function parseInteger(tokens: Tokenizer, field: FieldSpec): number | bigint {
  const negative = tokens.accept('-');
  const token = tokens.take();
  if (token.kind === 'name' && field.type === 'enum' && !negative) {
    const value = enumNumber(field.typeName, token.text);
    return value ?? tokens.fail(`${field.typeName} has no value ${token.text}`, token);
  }
  if (token.kind !== 'number' || !/^(0[xX][0-9a-fA-F]+|\d+)$/.test(token.text)) {
    return tokens.fail(`field ${field.name} needs an integer, found ${describeToken(token)}`, token);
  }
  const small = negative ? undefined : smallNumber(token.text);
  if (small !== undefined) return field.type.endsWith('64') && !field.asNumber ? BigInt(small) : small;
  const octal = /^0[0-7]+$/.test(token.text);
  const magnitude = BigInt(octal ? `0o${token.text.slice(1)}` : token.text);
  const value = negative ? -magnitude : magnitude;
  const range = integerRange(field.type);
  if (range !== undefined && (value < range[0] || value > range[1])) {
    tokens.fail(`${value} does not fit field ${field.name} of type ${field.type}`, token);
  }
  if (!field.type.endsWith('64')) return Number(value);
  if (field.asNumber && !Number.isSafeInteger(Number(value))) {
    tokens.fail(`${value} is beyond the exact range of field ${field.name}`, token);
  }
  return field.asNumber ? Number(value) : value;
}

/** The number of a few decimal digits, which every type of integer can hold; `undefined` for other texts. */
function smallNumber(text: string): number | undefined {
  return text.length <= 9 && /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
}
