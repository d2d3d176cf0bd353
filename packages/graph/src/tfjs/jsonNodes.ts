/**
 * Nodes of a graph model read straight from its JSON, without messages in between: a file repeats few attributes many times, so each is
 * read once. What only the full reader understands, or refuses with the right words, is left to it.
 */
import type { AttrValue } from '../attr.js';
import { fromJson } from '../proto/json.js';
import { attrsFromProto } from '../serialize/attrProto.js';
import { describeNode, type FileNode } from '../serialize/importOrder.js';
import { fail, isObject } from './modelJson.js';

/** A node whose attributes are still JSON. */
export interface JsonNode extends FileNode {
  /** Position in the file. */
  readonly index: number;
  readonly attr: Readonly<Record<string, unknown>>;
}

/** The nodes, or `null` where one of them is not as usual. */
export function readJsonNodes(json: unknown): JsonNode[] | null {
  if (!Array.isArray(json)) return null;
  const nodes: JsonNode[] = [];
  for (const item of json as unknown[]) {
    const node = readJsonNode(item, nodes.length);
    if (node === null) return null;
    nodes.push(node);
  }
  return nodes;
}

const KNOWN: ReadonlySet<string> = new Set(['name', 'op', 'input', 'device', 'attr']);
const NONE: readonly string[] = [];

function readJsonNode(json: unknown, index: number): JsonNode | null {
  if (!isObject(json)) return null;
  for (const key of Object.keys(json)) if (!KNOWN.has(key)) return null;
  const { name, op, input = NONE, device = '', attr = {} } = json;
  const usual =
    typeof name === 'string' &&
    typeof op === 'string' &&
    typeof device === 'string' &&
    Array.isArray(input) &&
    isObject(attr);
  if (!usual || !input.every((one) => typeof one === 'string')) return null;
  return { name, op, input, device, index, attr };
}

/** Reads the attributes of the nodes of one file. */
export class JsonAttrs {
  readonly #known = new Map<string, AttrValue>();

  /** The attributes but for `except`. Throws `InvalidArgumentError` saying where what is wrong. */
  read(node: JsonNode, except?: string): Map<string, AttrValue> {
    const attrs = new Map<string, AttrValue>();
    for (const name of Object.keys(node.attr)) {
      if (name === except) continue;
      attrs.set(name, this.one(node, name, node.attr[name]));
    }
    return attrs;
  }

  private one(node: JsonNode, name: string, json: unknown): AttrValue {
    const text = JSON.stringify(json);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value = readOne(node, name, json);
    // The text of -0 is that of 0.
    if (!value.kind.includes('float')) this.#known.set(text, value);
    return value;
  }
}

function readOne(node: JsonNode, name: string, json: unknown): AttrValue {
  const proto = fromJson('AttrValue', json, `GraphDef.node[${node.index}].attr[${JSON.stringify(name)}]`);
  const value = attrsFromProto(new Map([[name, proto]]), describeNode(node)).get(name);
  return value ?? fail(name, 'it has no value');
}
