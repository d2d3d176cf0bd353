/** Reads and writes graph files in all their forms, told apart by content. */
import { InvalidArgumentError } from '../errors.js';
import { Graph } from '../graph.js';
import { decode } from '../proto/decode.js';
import { encode, encodedSize, MAX_MESSAGE_BYTES } from '../proto/encode.js';
import { fromJson, toJson } from '../proto/json.js';
import type { Init } from '../proto/message.js';
import type { GraphDef, MessageTypes, MetaGraphDef, SavedModel } from '../proto/messages.js';
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

export interface ReadGraphOptions {
  /** `false`: the attributes of nodes in files other than JSON are passed over, for tools that ask for the nodes' types only. Default true. */
  readonly attributes?: boolean;
}

/**
 * Reads a graph file of any kind. Throws `InvalidArgumentError` for other files (saying what they seem
 * to be) and malformed text, `DataLossError` for damaged binary ones.
 */
export function readGraphFile(bytes: Uint8Array, { attributes = true }: ReadGraphOptions = {}): GraphFile {
  requireBytes(bytes);
  const skip = attributes ? undefined : ({ message: 'NodeDef', field: 'attr' } as const);
  switch (detectFormat(bytes)) {
    case 'GraphDef':
      return { kind: 'GraphDef', encoding: 'pb', graphDef: decode('GraphDef', bytes, skip) };
    case 'MetaGraphDef':
      return { kind: 'MetaGraphDef', encoding: 'pb', metaGraph: decode('MetaGraphDef', bytes, skip) };
    case 'SavedModel':
      return { kind: 'SavedModel', encoding: 'pb', savedModel: decode('SavedModel', bytes, skip) };
    case 'GraphDef text':
      return { kind: 'GraphDef', encoding: 'pbtxt', graphDef: fromText('GraphDef', textOf(bytes), skip) };
    case 'MetaGraphDef text':
      return {
        kind: 'MetaGraphDef',
        encoding: 'pbtxt',
        metaGraph: fromText('MetaGraphDef', textOf(bytes), skip),
      };
    case 'SavedModel text':
      return {
        kind: 'SavedModel',
        encoding: 'pbtxt',
        savedModel: fromText('SavedModel', textOf(bytes), skip),
      };
    case 'JSON':
      return readJson(textOf(bytes));
    default:
      throw new InvalidArgumentError(`not a graph file: it ${describeContent(bytes)}`);
  }
}

/** Plain JavaScript hands over a path, text, or the buffer of a download. */
function requireBytes(given: unknown): void {
  if (ArrayBuffer.isView(given)) return;
  const found =
    typeof given === 'string' ? `the string "${given.slice(0, 60)}"` : Object.prototype.toString.call(given);
  throw new InvalidArgumentError(
    `a graph file is given as its bytes, a Uint8Array; got ${found}. For a path use fr.io.readGraph(path)`,
  );
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

export interface WriteGraphDefOptions extends GraphDefOptions {
  /** Refuses files of more bytes (their binary form counts). Default: what their form can hold, 2 GiB as binary, 128 MiB as text. */
  readonly maxBytes?: number | undefined;
}

/**
 * The bytes of a graph file. The same graph gives the same bytes. Throws `InvalidArgumentError` naming
 * the largest nodes when the file would take 2 GiB or more, or more than `maxBytes`.
 */
export function writeGraphDef(
  graph: Graph | Init<GraphDef>,
  encoding: Encoding = 'pb',
  { maxBytes, ...options }: WriteGraphDefOptions = {},
): Uint8Array {
  const def = graph instanceof Graph ? graphToGraphDef(graph, options) : graph;
  return encodeAs('GraphDef', def, [def], encoding, maxBytes);
}

/** The bytes of a MetaGraphDef file; see `writeGraphDef`. */
export function writeMetaGraph(metaGraph: Init<MetaGraphDef>, encoding: Encoding = 'pb'): Uint8Array {
  return encodeAs('MetaGraphDef', metaGraph, [metaGraph.graphDef], encoding);
}

/** The bytes of a `saved_model.pb` file; see `writeGraphDef`. */
export function writeSavedModel(savedModel: Init<SavedModel>, encoding: Encoding = 'pb'): Uint8Array {
  const graphs = (savedModel.metaGraphs ?? []).map((meta) => meta.graphDef);
  return encodeAs('SavedModel', savedModel, graphs, encoding);
}

/** Longer text would not fit a JavaScript string, as raw bytes take up to four characters each. */
const MAX_TEXT_BYTES = 2 ** 27;

type GraphMessages = Pick<MessageTypes, 'GraphDef' | 'MetaGraphDef' | 'SavedModel'>;

/** `graphs` are those inside the message, for naming what makes it too large. */
function encodeAs<K extends keyof GraphMessages>(
  type: K,
  message: Init<MessageTypes[K]>,
  graphs: readonly (Init<GraphDef> | undefined)[],
  encoding: Encoding,
  maxBytes = Infinity,
): Uint8Array {
  const limit = Math.min(maxBytes, encoding === 'pb' ? MAX_MESSAGE_BYTES : MAX_TEXT_BYTES);
  const size = encodedSize(type, message);
  if (size > limit) throw tooLarge(graphs, size, limit);
  if (encoding === 'pb') return encode(type, message);
  if (encoding === 'pbtxt') return toBytes(toText(type, message));
  return toBytes(`${JSON.stringify(toJson(type, message), null, 2)}\n`);
}

const NAMED = 3;

function tooLarge(
  graphs: readonly (Init<GraphDef> | undefined)[],
  size: number,
  limit: number,
): InvalidArgumentError {
  const sizes = graphs.flatMap((graph) => nodeSizes(graph ?? {}));
  const largest = sizes.sort((a, b) => b.bytes - a.bytes).slice(0, NAMED);
  const list = largest.map(({ name, bytes }) => `"${name}" (${bytes} bytes)`).join(', ');
  return new InvalidArgumentError(
    `the graph would take ${size} bytes, such a file can hold ${limit}. Largest nodes: ${list}. Write it with ` +
      'fr.io.writeGraph(graph, directory, name, { externalWeights: true }) or forerun convert --external-weights, which puts large constants into a checkpoint beside the ' +
      'graph; keep large values in variables, which a checkpoint or a SavedModel holds; or write a graph model of TensorFlow.js',
  );
}

/** Bytes of the nodes of a graph and of its functions, those named `<function>/<node>`. */
function nodeSizes(graph: Init<GraphDef>): { name: string; bytes: number }[] {
  const inner = (graph.library?.function ?? []).flatMap(({ signature, nodeDef }) =>
    (nodeDef ?? []).map((node) => ({ name: `${signature?.name ?? ''}/${node.name ?? ''}`, node })),
  );
  const all = [...(graph.node ?? []).map((node) => ({ name: node.name ?? '', node })), ...inner];
  return all.map(({ name, node }) => ({ name, bytes: encodedSize('NodeDef', node) }));
}
