/**
 * TensorFlow's messages as TensorFlow's own tools have them, and a decoder made of them by protobufjs: nothing here comes from proto/ or
 * from the codec under test. `scripts/tensorflowFields.py` writes the table.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import protobuf from 'protobufjs';
import { ROOT } from './protoc.js';

/** Number, type and label of a field; `map<string,AttrValue>` is a type. */
type Field = readonly [number: number, type: string, label: '' | 'repeated'];

const FILE = path.join(ROOT, 'packages/graph/test/proto/tensorflowFields.golden.json');

/** Fields by name, by message. */
export const TENSORFLOW_FIELDS = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, Field>>>
>;

const flat = (name: string): string => name.replaceAll('.', '_');

function typeOf(name: string): protobuf.Type {
  const type = new protobuf.Type(flat(name));
  for (const [field, [number, of, label]] of Object.entries(TENSORFLOW_FIELDS[name] ?? {})) {
    const [, key, value] = /^map<(.*),(.*)>$/.exec(of) ?? [];
    const plain = (text: string): string => (text === 'enum' ? 'int32' : flat(text));
    if (key !== undefined && value !== undefined) {
      type.add(new protobuf.MapField(field, number, plain(key), plain(value)));
    } else type.add(new protobuf.Field(field, number, plain(of), label === '' ? undefined : label));
  }
  return type;
}

let root: protobuf.Root | undefined;

/** TensorFlow's message of this name. */
export function tensorflowType(name: string): protobuf.Type {
  if (root === undefined) {
    root = new protobuf.Root();
    for (const each of Object.keys(TENSORFLOW_FIELDS)) root.add(typeOf(each));
  }
  return root.lookupType(flat(name));
}
