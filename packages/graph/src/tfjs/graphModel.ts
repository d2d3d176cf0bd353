/**
 * Graph models of TensorFlow.js: a GraphDef in JSON whose constants are in the weights, with a
 * signature. They become a GraphDef with its constants in place.
 */
import type { AttrValue as Attr } from '../attr.js';
import { dtypeFromNumber, dtypeToNumber, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { Graph } from '../graph.js';
import { create } from '../proto/decode.js';
import { fromJson } from '../proto/json.js';
import type { AttrValue, GraphDef, NodeDef, SignatureDef, VersionDef } from '../proto/messages.js';
import { toBytes } from '../proto/utf8.js';
import { importFileGraph, importWholeGraphDef, type ImportOptions } from '../serialize/importGraph.js';
import type { FileNode } from '../serialize/importOrder.js';
import { dataToBytes } from '../serialize/tensorBytes.js';
import { shareTensor } from '../serialize/tensorProto.js';
import { allocateData, TensorValue } from '../value.js';
import { readWeightGroup } from './weights.js';
import { readModelJson, type ModelJson } from './modelJson.js';
import { resolveTables, touchesTables } from './tables.js';
import { readAttrs, readJsonNodes, type JsonNode } from './jsonNodes.js';
import { plainSignature, plainVersions } from './plainJson.js';

/** What a graph model holds. */
export interface TfjsGraphModel {
  readonly graphDef: GraphDef;
  /** Inputs and outputs by name; where the file has none, its placeholders and the nodes that nothing uses. */
  readonly signature: SignatureDef;
  readonly userDefinedMetadata: Readonly<Record<string, unknown>> | undefined;
  readonly generatedBy: string;
  readonly convertedBy: string;
}

/** Reads the files of a model: `path` is relative to `model.json` and never leads out of its directory. */
export type ReadShard = (path: string) => Promise<Uint8Array>;

/** All weights of a model by name. Throws `InvalidArgumentError` when two have one name. */
export async function readWeights(model: ModelJson, readShard: ReadShard): Promise<Map<string, TensorValue>> {
  const weights = new Map<string, TensorValue>();
  for (const group of model.groups) {
    const shards = await Promise.all(group.paths.map((path) => readShard(path)));
    for (const [name, value] of readWeightGroup(group, shards)) {
      if (weights.has(name)) throw new InvalidArgumentError(`model.json: two weights are named "${name}"`);
      weights.set(name, value);
    }
  }
  return weights;
}

/**
 * A graph model from the text of its `model.json` and its weights. Throws `InvalidArgumentError` naming the
 * node for constants without weights and weights without constants, `DataLossError` for too few or too many bytes.
 */
export async function readTfjsGraphModel(text: string, readShard: ReadShard): Promise<TfjsGraphModel> {
  const model = readGraphModelJson(text);
  const reading = startReading(model, readShard);
  return fullModel(model, await reading);
}

/** A graph model that has been read, to be put into a graph. */
export interface OpenTfjsGraphModel extends Omit<TfjsGraphModel, 'graphDef'> {
  /** Adds its nodes to a graph, as `importTfjsGraphModel`. Throws as `importGraphDef`. */
  readonly importInto: (options: ImportOptions) => void;
}

/**
 * As `readTfjsGraphModel`, for loading a model in little time: where it has nodes of the usual kind alone they become operations without being
 * messages in between. What is wrong with an attribute is then told by `importInto`.
 */
export async function openTfjsGraphModel(text: string, readShard: ReadShard): Promise<OpenTfjsGraphModel> {
  const model = readGraphModelJson(text);
  const reading = startReading(model, readShard);
  const file = model.initializer === undefined ? plainGraph(model.topology) : null;
  if (file === null) {
    const full = fullModel(model, await reading);
    return { ...full, importInto: (options) => importTfjsGraphModel(full, options) };
  }
  const { nodes, versions } = file;
  const weights = await reading;
  refuseUnused(weights, new Set(nodes.flatMap(({ op, name }) => (op === 'Const' ? [name] : []))));
  const attrsOf = (node: JsonNode): Map<string, Attr> => attrsWithWeight(node, weights);
  return {
    ...head(model, nodes),
    importInto: (options) => void importFileGraph({ nodes, versions, attrsOf }, { name: '', ...options }),
  };
}

function readGraphModelJson(text: string): ModelJson {
  const model = readModelJson(text);
  if (model.format === 'graph-model') return model;
  throw new InvalidArgumentError('model.json holds a layers model, not a graph model: use loadLayersModel');
}

/** Begins to read the weights. */
function startReading(model: ModelJson, readShard: ReadShard): Promise<Map<string, TensorValue>> {
  const reading = readWeights(model, readShard);
  // Heard by whoever waits; the topology may be refused before.
  reading.catch(() => undefined);
  return reading;
}

function fullModel(model: ModelJson, weights: ReadonlyMap<string, TensorValue>): TfjsGraphModel {
  const graphDef = fromJson('GraphDef', model.topology);
  const initializer = model.initializer === undefined ? undefined : fromJson('GraphDef', model.initializer);
  fillConstants(initializer === undefined ? [graphDef] : [graphDef, initializer], weights);
  resolveTables(graphDef, initializer);
  return { graphDef, ...head(model, graphDef.node) };
}

function head(model: ModelJson, nodes: readonly FileNode[]): Omit<TfjsGraphModel, 'graphDef'> {
  const { userDefinedMetadata, generatedBy, convertedBy } = model;
  const { signature: given } = model;
  const signature =
    given === undefined
      ? impliedSignature(nodes)
      : (plainSignature(given) ?? fromJson('SignatureDef', given));
  // Some writers tell the outputs alone.
  if (signature.inputs.size === 0) signature.inputs = impliedSignature(nodes).inputs;
  return { signature: named(signature), userDefinedMetadata, generatedBy, convertedBy };
}

/** A topology without functions and tables, whose nodes are of the usual kind. */
function plainGraph(
  topology: Readonly<Record<string, unknown>>,
): { readonly nodes: readonly JsonNode[]; readonly versions: VersionDef | undefined } | null {
  const nodes = readJsonNodes(topology.node);
  if (nodes === null || nodes.some(({ op }) => touchesTables(op))) return null;
  const plain = plainVersions(topology);
  if (plain !== null) return { nodes, versions: topology.versions === undefined ? undefined : plain };
  const { library, versions } = fromJson('GraphDef', { ...topology, node: [] });
  return (library?.function.length ?? 0) === 0 ? { nodes, versions } : null;
}

function attrsWithWeight(node: JsonNode, weights: ReadonlyMap<string, TensorValue>): Map<string, Attr> {
  if (node.op !== 'Const') return readAttrs(node);
  const weight = weights.get(node.name);
  if (weight === undefined) {
    const value = fromJson('NodeDef', { attr: node.attr }, `GraphDef.node[${node.index}]`).attr.get('value');
    if (hasValue(value)) return readAttrs(node);
    return failWithoutWeight(node);
  }
  const read = readAttrs(node, 'value');
  const declared = read.get('dtype');
  const dtype = declared?.kind === 'type' && declared.value !== 'invalid' ? declared.value : weight.dtype;
  return read.set('value', { kind: 'tensor', value: convert(weight, dtype, node.name) });
}

function failWithoutWeight({ name }: FileNode): never {
  throw new InvalidArgumentError(`model.json: the weights hold no value for the constant "${name}"`, {
    node: name,
  });
}

function fillConstants(graphs: readonly GraphDef[], weights: ReadonlyMap<string, TensorValue>): void {
  const used = new Set<string>();
  const nodes = graphs.flatMap(({ node, library }) => [
    ...node,
    ...(library?.function ?? []).flatMap(({ nodeDef }) => nodeDef),
  ]);
  for (const node of nodes) {
    if (node.op !== 'Const') continue;
    const weight = weights.get(node.name);
    if (weight === undefined) {
      if (hasValue(node.attr.get('value'))) continue;
      failWithoutWeight(node);
    }
    used.add(node.name);
    node.attr.set('value', constantAttr(node, weight));
  }
  refuseUnused(weights, used);
}

function refuseUnused(weights: ReadonlyMap<string, TensorValue>, used: ReadonlySet<string>): void {
  const unused = [...weights.keys()].filter((name) => !used.has(name));
  if (unused.length === 0) return;
  throw new InvalidArgumentError(
    `model.json: no constant takes ${unused.length} of the weights: ${unused
      .slice(0, 5)
      .map((name) => `"${name}"`)
      .join(', ')}`,
  );
}

/** A constant that is in the graph itself: some writers leave empty tensors and strings there. */
function hasValue(attr: AttrValue | undefined): boolean {
  if (attr?.tensor === undefined) return false;
  const { tensorContent, tensorShape, ...lists } = attr.tensor;
  const empty = (tensorShape?.dim ?? []).some(({ size }) => size === 0);
  return (
    empty ||
    tensorContent.length > 0 ||
    Object.values(lists).some((list) => Array.isArray(list) && list.length > 0)
  );
}

/** The weight in the dtype that the node declares: weights have no int64, uint8 or half precision. */
function constantAttr(node: NodeDef, weight: TensorValue): AttrValue {
  const declared = node.attr.get('dtype')?.type;
  const dtype = declared === undefined || declared === 0 ? weight.dtype : dtypeFromNumber(declared);
  const value = convert(weight, dtype, node.name);
  const tensor = create('TensorProto');
  tensor.dtype = dtypeToNumber(dtype);
  tensor.tensorShape = create('TensorShapeProto');
  tensor.tensorShape.dim = value.shape.map((size) => ({ ...create('TensorShapeProto.Dim'), size }));
  if (dtype === 'string') tensor.stringVal = (value.data as readonly (string | Uint8Array)[]).map(toBytes);
  else {
    tensor.tensorContent = dataToBytes(dtype, value.data);
    shareTensor(tensor, value);
  }
  return { ...create('AttrValue'), tensor };
}

const EXACT: ReadonlySet<string> = new Set([
  'float64',
  'int64',
  'uint8',
  'int8',
  'int16',
  'uint16',
  'uint32',
  'bool',
  'int32',
  'float32',
]);

function convert(weight: TensorValue, dtype: DType, node: string): TensorValue {
  if (weight.dtype === dtype) return weight;
  const numbers = weight.data;
  const convertible =
    EXACT.has(dtype) && (weight.dtype === 'int32' || weight.dtype === 'float32' || weight.dtype === 'bool');
  if (!convertible || typeof numbers[0] === 'string' || numbers[0] instanceof Uint8Array) {
    throw new InvalidArgumentError(
      `model.json: the constant "${node}" is ${dtype}, its weight ${weight.dtype}`,
      { node },
    );
  }
  const data = allocateData(dtype, numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const element = Number(numbers[i]);
    data[i] = dtype === 'int64' ? BigInt(Math.trunc(element)) : element;
  }
  return new TensorValue(dtype, weight.shape, data);
}

/** Some writers name nodes where the names of tensors belong. */
function named(signature: SignatureDef): SignatureDef {
  for (const [key, info] of [...signature.inputs, ...signature.outputs]) {
    info.name ??= key;
    if (!/:\d+$/.test(info.name)) info.name += ':0';
  }
  return signature;
}

/** Placeholders, and nodes with a result that no other node uses. */
function impliedSignature(nodes: readonly FileNode[]): SignatureDef {
  const used = new Set(nodes.flatMap(({ input }) => input.map((name) => name.replace(/^\^|:\d+$/g, ''))));
  const signature = create('SignatureDef');
  for (const { name, op } of nodes) {
    const info = { ...create('TensorInfo'), name: `${name}:0` };
    if (op === 'Placeholder') signature.inputs.set(name, info);
    else if (!used.has(name) && op !== 'NoOp' && op !== 'Const') signature.outputs.set(name, info);
  }
  return signature;
}

/** Adds the nodes of a graph model to a graph (default: the default graph); see `importGraphDef`. */
export function importTfjsGraphModel(model: TfjsGraphModel, options: ImportOptions = {}): void {
  importWholeGraphDef(model.graphDef, { name: '', ...options });
}

/** A graph of its own that holds a graph model. */
export function graphOfTfjsModel(model: TfjsGraphModel): Graph {
  const graph = new Graph();
  importTfjsGraphModel(model, { graph });
  return graph;
}
