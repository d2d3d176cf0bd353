/**
 * Nodes of a graph model read straight from its JSON, without messages in between. What only the full reader understands, or refuses with
 * the right words, is left to it.
 */
import type { AttrValue } from '../attr.js';
import { fromJson } from '../proto/json.js';
import { attrsFromProto } from '../serialize/attrProto.js';
import { describeNode, type FileNode } from '../serialize/importOrder.js';
import { fail, isObject } from './modelJson.js';
import { plainAttr } from './plainJson.js';

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

/** The attributes of a node but for `except`. Throws `InvalidArgumentError` saying where what is wrong. */
export function readAttrs(node: JsonNode, except?: string): Map<string, AttrValue> {
  const attrs = new Map<string, AttrValue>();
  for (const name of Object.keys(node.attr)) {
    if (name === except) continue;
    attrs.set(name, plainAttr(node.attr[name]) ?? unusualAttr(node, name));
  }
  return attrs;
}

function unusualAttr(node: JsonNode, name: string): AttrValue {
  const where = `GraphDef.node[${node.index}].attr[${JSON.stringify(name)}]`;
  const proto = fromJson('AttrValue', node.attr[name], where);
  const value = attrsFromProto(new Map([[name, proto]]), describeNode(node)).get(name);
  return value ?? fail(name, 'it has no value');
}
