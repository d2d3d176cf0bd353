/** Reads and writes graph files in all their forms, told apart by content. */
import { InvalidArgumentError } from '../errors.js';
import { Graph } from '../graph.js';
import { decode } from '../proto/decode.js';
import { encode, encodedSize, MAX_MESSAGE_BYTES } from '../proto/encode.js';
import { fromJson, toJson } from '../proto/json.js';
import type { Init } from '../proto/message.js';
import type { GraphDef, MetaGraphDef, SavedModel } from '../proto/messages.js';
import { toText } from '../proto/textFormat.js';
import { fromText } from '../proto/textParse.js';
import { toBytes } from '../proto/utf8.js';
import { describeContent, detectFormat } from './detectFormat.js';
import { graphToGraphDef, type GraphDefOptions } from './exportGraph.js';

/** How a message is written: binary, protobuf text, or JSON. */
export type Encoding = 'pb' | 'pbtxt' | 'json';

/** What a graph file holds. */
export type GraphFile =
  | { readonly kind: 'GraphDef'; readonly encoding: Encoding; readonly graphDef: GraphDef }
  | { readonly kind: 'MetaGraphDef'; readonly encoding: Encoding; readonly metaGraph: MetaGraphDef }
  | { readonly kind: 'SavedModel'; readonly encoding: Encoding; readonly savedModel: SavedModel };

/**
 * Reads a graph file of any kind. Throws `InvalidArgumentError` for other files (saying what they seem
 * to be) and malformed text, `DataLossError` for damaged binary ones.
 */
export function readGraphFile(bytes: Uint8Array): GraphFile {
  switch (detectFormat(bytes)) {
    case 'GraphDef':
      return { kind: 'GraphDef', encoding: 'pb', graphDef: decode('GraphDef', bytes) };
    case 'MetaGraphDef':
      return { kind: 'MetaGraphDef', encoding: 'pb', metaGraph: decode('MetaGraphDef', bytes) };
    case 'SavedModel':
      return { kind: 'SavedModel', encoding: 'pb', savedModel: decode('SavedModel', bytes) };
    case 'GraphDef text':
      return { kind: 'GraphDef', encoding: 'pbtxt', graphDef: fromText('GraphDef', textOf(bytes)) };
    case 'MetaGraphDef text':
      return { kind: 'MetaGraphDef', encoding: 'pbtxt', metaGraph: fromText('MetaGraphDef', textOf(bytes)) };
    case 'SavedModel text':
      return { kind: 'SavedModel', encoding: 'pbtxt', savedModel: fromText('SavedModel', textOf(bytes)) };
    case 'JSON':
      return readJson(textOf(bytes));
    default:
      throw new InvalidArgumentError(`not a graph file: it ${describeContent(bytes)}`);
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function readJson(text: string): GraphFile {
  const json = parseJson(text);
  const has = (...names: string[]): boolean => names.some((name) => name in json);
  if (has('modelTopology')) return graphJson((json as { modelTopology: unknown }).modelTopology);
  if (has('graphDef', 'graph_def', 'metaInfoDef', 'meta_info_def')) {
    return { kind: 'MetaGraphDef', encoding: 'json', metaGraph: fromJson('MetaGraphDef', json) };
  }
  if (has('metaGraphs', 'meta_graphs')) {
    return { kind: 'SavedModel', encoding: 'json', savedModel: fromJson('SavedModel', json) };
  }
  return graphJson(json);
}

function graphJson(json: unknown): GraphFile {
  return { kind: 'GraphDef', encoding: 'json', graphDef: fromJson('GraphDef', json) };
}

function parseJson(text: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidArgumentError(`not a graph file: malformed JSON: ${reason}`, { cause: error });
  }
  if (typeof json === 'object' && json !== null) return json;
  throw new InvalidArgumentError('not a graph file: JSON that is not an object');
}

/**
 * The graph in a graph file of any kind (see `readGraphFile`). Of a SavedModel, the graph with exactly
 * these `tags` is taken; they may be left out when there is only one.
 */
export function readGraphDef(bytes: Uint8Array, { tags }: { tags?: readonly string[] } = {}): GraphDef {
  const file = readGraphFile(bytes);
  if (file.kind === 'GraphDef') return file.graphDef;
  const meta = file.kind === 'MetaGraphDef' ? file.metaGraph : selectMetaGraph(file.savedModel, tags);
  if (meta.graphDef === undefined) throw new InvalidArgumentError('the MetaGraphDef holds no graph');
  return meta.graphDef;
}

/** The graph of a SavedModel with exactly these tags, in any order. Throws listing the tags that there are. */
export function selectMetaGraph(savedModel: SavedModel, tags?: readonly string[]): MetaGraphDef {
  const graphs = savedModel.metaGraphs;
  const matching = graphs.filter((meta) => tags === undefined || sameSet(meta.metaInfoDef?.tags ?? [], tags));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  const there = graphs.map((meta) => `[${(meta.metaInfoDef?.tags ?? []).join(', ')}]`).join(', ');
  const wanted = tags === undefined ? 'give the tags of one' : `wanted [${tags.join(', ')}]`;
  throw new InvalidArgumentError(
    `the SavedModel holds ${graphs.length} graphs, with the tags ${there}; ${wanted}`,
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(b);
  return new Set(a).size === set.size && a.every((item) => set.has(item));
}

/**
 * The bytes of a graph file. The same graph gives the same bytes. Throws `InvalidArgumentError` naming
 * the largest nodes when the file would take 2 GiB or more.
 */
export function writeGraphDef(
  graph: Graph | Init<GraphDef>,
  encoding: Encoding = 'pb',
  options: GraphDefOptions = {},
): Uint8Array {
  const def = graph instanceof Graph ? graphToGraphDef(graph, options) : graph;
  checkSize(def);
  return encodeAs('GraphDef', def, encoding);
}

/** The bytes of a MetaGraphDef file; see `writeGraphDef`. */
export function writeMetaGraph(metaGraph: Init<MetaGraphDef>, encoding: Encoding = 'pb'): Uint8Array {
  if (metaGraph.graphDef !== undefined) checkSize(metaGraph.graphDef);
  return encodeAs('MetaGraphDef', metaGraph, encoding);
}

/** The bytes of a `saved_model.pb` file; see `writeGraphDef`. */
export function writeSavedModel(savedModel: Init<SavedModel>, encoding: Encoding = 'pb'): Uint8Array {
  for (const { graphDef } of savedModel.metaGraphs ?? []) if (graphDef !== undefined) checkSize(graphDef);
  return encodeAs('SavedModel', savedModel, encoding);
}

function encodeAs(type: 'GraphDef', message: Init<GraphDef>, encoding: Encoding): Uint8Array;
function encodeAs(type: 'MetaGraphDef', message: Init<MetaGraphDef>, encoding: Encoding): Uint8Array;
function encodeAs(type: 'SavedModel', message: Init<SavedModel>, encoding: Encoding): Uint8Array;
function encodeAs(
  type: 'GraphDef' | 'MetaGraphDef' | 'SavedModel',
  message: Init<GraphDef> & Init<MetaGraphDef> & Init<SavedModel>,
  encoding: Encoding,
): Uint8Array {
  if (encoding === 'pb') return encode(type, message);
  if (encoding === 'pbtxt') return toBytes(toText(type, message));
  return toBytes(`${JSON.stringify(toJson(type, message), null, 2)}\n`);
}

const NAMED = 3;

function checkSize(def: Init<GraphDef>): void {
  const size = encodedSize('GraphDef', def);
  if (size <= MAX_MESSAGE_BYTES) return;
  const sizes = (def.node ?? []).map((node) => ({
    name: node.name ?? '',
    bytes: encodedSize('NodeDef', node),
  }));
  const largest = sizes.sort((a, b) => b.bytes - a.bytes).slice(0, NAMED);
  const list = largest.map(({ name, bytes }) => `"${name}" (${bytes} bytes)`).join(', ');
  throw new InvalidArgumentError(
    `the graph would take ${size} bytes, a file can hold ${MAX_MESSAGE_BYTES}. Largest nodes: ${list}. Keep large values in variables`,
  );
}
