// Makes the TypeScript side of proto/: the field table that the codec works from
// (packages/graph/src/proto/schema.ts) and the interfaces of all messages (messages.ts).
// `node scripts/proto.mjs` writes both, `--check` only compares and fails when they are out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import prettier from 'prettier';
import protobuf from 'protobufjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROTO_DIR = path.join(ROOT, 'proto');
const OUT_DIR = path.join(ROOT, 'packages/graph/src/proto');

/** All types of proto/, messages and enums by name relative to the package `tensorflow`. */
function loadTypes() {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith(PROTO_DIR) ? target : path.join(PROTO_DIR, target);
  const files = readdirSync(PROTO_DIR, { recursive: true })
    .filter((file) => file.endsWith('.proto'))
    .sort()
    .map((file) => path.join(PROTO_DIR, file));
  root.loadSync(files, { keepCase: true, preferTrailingComment: false });
  root.resolveAll();
  const messages = [];
  const enums = [];
  const visit = (node) => {
    if (node instanceof protobuf.Type) messages.push(node);
    if (node instanceof protobuf.Enum) enums.push(node);
    for (const child of node.nestedArray ?? []) visit(child);
  };
  visit(root);
  const byName = (a, b) => (nameOf(a) < nameOf(b) ? -1 : 1);
  return { messages: messages.sort(byName), enums: enums.sort(byName) };
}

const nameOf = (type) => type.fullName.replace(/^\.(tensorflow\.)?/, '');
const identifier = (type) => nameOf(type).replace('google.protobuf.', '').replaceAll('.', '');
const camelCase = (name) => name.replace(/_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const fieldsOf = (message) => [...message.fieldsArray].sort((a, b) => a.id - b.id);
const typeName = (field) => (field.resolvedType === null ? field.type : nameOf(field.resolvedType));

/** One line of the table, for example `5 attr map<string,AttrValue>`. */
function fieldLine(field) {
  let type = typeName(field);
  if (field.map) type = `map<${field.keyType},${type}>`;
  else if (field.repeated) type = `repeated ${type}`;
  const number = field.options?.jstype === 'JS_NUMBER' ? ' as number' : '';
  return `${field.id} ${field.name} ${type}${number}${field.partOf ? ` in ${field.partOf.name}` : ''}`;
}

const SCALARS = { string: 'string', bytes: 'Uint8Array', bool: 'boolean' };
const LONGS = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

function scalarType(field, type) {
  if (LONGS.has(type)) return field.options?.jstype === 'JS_NUMBER' ? 'number' : 'bigint';
  return SCALARS[type] ?? 'number';
}

function fieldType(field) {
  const resolved = field.resolvedType;
  const value = resolved instanceof protobuf.Type ? identifier(resolved) : scalarType(field, field.type);
  if (field.map) return `Map<${scalarType({}, field.keyType)}, ${value}>`;
  return field.repeated ? `readonly ${value}[]` : value;
}

/** Sub-messages and members of a oneof can be absent; everything else has proto3's default. */
function property(field) {
  const isMessage = field.resolvedType instanceof protobuf.Type && !field.repeated && !field.map;
  const comment =
    field.resolvedType instanceof protobuf.Enum ? `/** ${identifier(field.resolvedType)}. */\n` : '';
  const optional = isMessage || field.partOf;
  return `${comment}${camelCase(field.name)}${optional ? '?' : ''}: ${fieldType(field)}${optional ? ' | undefined' : ''};`;
}

function schemaSource({ messages, enums }) {
  const table = messages.map((m) => `'${nameOf(m)}': ${JSON.stringify(fieldsOf(m).map(fieldLine))}`);
  const values = enums.map((e) => `'${nameOf(e)}': ${JSON.stringify(e.values)}`);
  return `/* eslint-disable max-lines -- a generated list */
/** Field table of every message in proto/, which the codec reads. Made by scripts/proto.mjs: do not edit. */
export const MESSAGES = {${table.join(',')}} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Numbers of every enum in proto/. */
export const ENUMS = {${values.join(',')}} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;
`;
}

function messagesSource({ messages }) {
  const interfaces = messages.map(
    (m) => `export interface ${identifier(m)} extends Message {\n${fieldsOf(m).map(property).join('\n')}\n}`,
  );
  const names = messages.map((m) => `'${nameOf(m)}': ${identifier(m)};`);
  return `/* eslint-disable max-lines -- a generated list */
/** Interfaces of every message in proto/, as the codec reads them. Made by scripts/proto.mjs: do not edit. */
import type { Message } from './message.js';

/** Message types by their name in proto/. */
export interface MessageTypes {${names.join('\n')}}

${interfaces.join('\n\n')}
`;
}

async function main() {
  const types = loadTypes();
  const outputs = { 'schema.ts': schemaSource(types), 'messages.ts': messagesSource(types) };
  const stale = [];
  for (const [name, source] of Object.entries(outputs)) {
    const file = path.join(OUT_DIR, name);
    const options = { ...(await prettier.resolveConfig(file)), parser: 'typescript' };
    const text = await prettier.format(source, options);
    if (!process.argv.includes('--check')) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) stale.push(name);
  }
  if (stale.length > 0) {
    console.error(`${stale.join(', ')} out of date: run node scripts/proto.mjs`);
    process.exitCode = 1;
  }
}

await main();
