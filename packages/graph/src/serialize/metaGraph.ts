/** `MetaGraphDef`: a graph together with its collections, saver and signatures (`.meta` files). */
import { InvalidArgumentError } from '../errors.js';
import type { Graph } from '../graph.js';
import { lookupOp } from '../opTable.js';
import type { Operation } from '../operation.js';
import type { Init } from '../proto/message.js';
import type {
  AssetFileDef,
  CollectionDef,
  MetaGraphDef,
  MetaGraphDefMetaInfoDef,
  OpDef,
  SaverDef,
  SignatureDef,
} from '../proto/messages.js';
import { compareUtf8 } from '../proto/utf8.js';
import { getDefaultGraph } from '../scopes.js';
import type { Tensor } from '../tensor.js';
import {
  collectionFromProto,
  collectionToProto,
  variableCodec,
  type CollectionCodec,
} from './collections.js';
import { graphToGraphDef } from './exportGraph.js';
import { readGraphFile, selectMetaGraph } from './graphFile.js';
import { graphMetadata } from './graphMetadata.js';
import { importGraphDef, type ImportOptions } from './importGraph.js';
import { boundInputs, scopedMetaGraph, UNBOUND_INPUTS } from './metaGraphScope.js';
import { GraphKeys } from '../variableKeys.js';
import { opDefToProto } from './opDefProto.js';

export interface ExportMetaGraphOptions {
  /** Default: the default graph. */
  readonly graph?: Graph | undefined;
  readonly saverDef?: Init<SaverDef> | undefined;
  /** Keys of the collections to write; default: all whose key does not begin with two underscores. */
  readonly collections?: readonly string[] | undefined;
  /** Converters for collection values besides variables, nodes, text and numbers. */
  readonly codecs?: readonly CollectionCodec[] | undefined;
  readonly signatureDefs?: ReadonlyMap<string, Init<SignatureDef>> | undefined;
  readonly metaInfo?: Init<MetaGraphDefMetaInfoDef> | undefined;
  /** Writes the known output shapes into the nodes. Default true. */
  readonly addShapes?: boolean | undefined;
  /** Leaves out the nodes' device labels. */
  readonly clearDevices?: boolean | undefined;
  /** Leaves out attributes that hold their defaults, which older readers may not know. */
  readonly stripDefaultAttrs?: boolean | undefined;
  readonly assetFileDefs?: readonly Init<AssetFileDef>[] | undefined;
  /**
   * Writes only what is below this name scope, by names relative to it. Inputs from outside are listed in the collection
   * `unbound_inputs`; `importMetaGraph` takes tensors for them by `inputMap`. Savers, signatures and assets are of whole graphs.
   */
  readonly exportScope?: string | undefined;
  /** Called for a collection that has no form in files, which is then left out. Default: throws. */
  readonly onUnsupported?: ((key: string) => void) | undefined;
}

/**
 * A graph with what is known about it (`tf.train.export_meta_graph`). Throws `InvalidArgumentError`
 * naming a collection that cannot be written.
 */
export function exportMetaGraph(options: ExportMetaGraphOptions = {}): Init<MetaGraphDef> {
  const { exportScope = '', ...rest } = options;
  if (exportScope === '') return wholeMetaGraph(rest);
  if (rest.saverDef !== undefined || rest.signatureDefs !== undefined || rest.assetFileDefs !== undefined) {
    throw new InvalidArgumentError(
      'exportMetaGraph: a saver, signatures and assets belong to the whole graph: leave them out with exportScope',
    );
  }
  const meta = scopedMetaGraph(wholeMetaGraph(rest), exportScope, variableCodec().keys);
  const used = new Set((meta.graphDef?.node ?? []).map(({ op }) => op));
  const inFunctions = (meta.graphDef?.library?.function ?? []).flatMap(({ nodeDef }) => nodeDef ?? []);
  for (const { op } of inFunctions) used.add(op);
  const list = meta.metaInfoDef?.strippedOpList?.op ?? [];
  const op = list.filter(({ name }) => used.has(name));
  return { ...meta, metaInfoDef: { ...meta.metaInfoDef, strippedOpList: { op } } };
}

function wholeMetaGraph(options: Omit<ExportMetaGraphOptions, 'exportScope'>): Init<MetaGraphDef> {
  const { graph = getDefaultGraph(), saverDef, signatureDefs, metaInfo, addShapes = true } = options;
  const { clearDevices, stripDefaultAttrs, assetFileDefs } = options;
  return {
    metaInfoDef: {
      ...metaInfo,
      strippedOpList: { op: usedOpDefs(graph) },
      strippedDefaultAttrs: stripDefaultAttrs ?? false,
    },
    graphDef: graphToGraphDef(graph, { addShapes, clearDevices, stripDefaultAttrs }),
    assetFileDef: assetFileDefs,
    saverDef,
    collectionDef: collectionsToProto(graph, options),
    signatureDef: signatureDefs,
  };
}

/** Signatures of all op types of the graph, by name. */
function usedOpDefs(graph: Graph): Init<OpDef>[] {
  const { foreignOps, functions } = graphMetadata(graph);
  const inFunctions = [...functions.values()].flatMap((fn) => fn.nodeDef.map((node) => node.op));
  const types = new Set([...graph.operations.map((op) => op.type), ...inFunctions]);
  return [...types].sort(compareUtf8).flatMap((type) => {
    const def = lookupOp(type);
    if (def !== undefined) return [opDefToProto(type, def)];
    const foreign = functions.has(type) ? undefined : foreignOps.get(type);
    return foreign === undefined ? [] : [foreign];
  });
}

function collectionsToProto(
  graph: Graph,
  { collections, codecs = [], onUnsupported = failUnsupported }: ExportMetaGraphOptions,
): Map<string, Init<CollectionDef>> {
  const all = [...codecs, variableCodec()];
  const keys = collections ?? graph.collectionKeys.filter(hasForm);
  const defs = new Map<string, Init<CollectionDef>>();
  for (const key of keys) {
    const values = graph.getCollection(key);
    if (values.length === 0) continue;
    const def = collectionToProto(key, values, all);
    if (def === undefined) onUnsupported(key);
    else defs.set(key, def);
  }
  return defs;
}

/** Tables that a saver saves have no form, and need none: the saver's nodes tell of them. */
function hasForm(key: string): boolean {
  return !key.startsWith('__') && key !== GraphKeys.SAVEABLE_OBJECTS;
}

function failUnsupported(key: string): never {
  throw new InvalidArgumentError(
    `collection "${key}" cannot be written: it holds values other than variables, tensors, operations, text, bytes and numbers of one kind; leave it out with the option "collections" or give a codec`,
  );
}

export interface ImportMetaGraphOptions extends Omit<ImportOptions, 'name' | 'opDefs'> {
  /** Scope to put the nodes under. Default: none. */
  readonly importScope?: string | undefined;
  readonly codecs?: readonly CollectionCodec[] | undefined;
  /** Which graph of a SavedModel to take. */
  readonly tags?: readonly string[] | undefined;
}

/** What `importMetaGraph` found besides the nodes. */
export interface ImportedMetaGraph {
  readonly metaGraph: MetaGraphDef;
  readonly saverDef: SaverDef | undefined;
  readonly signatureDefs: ReadonlyMap<string, SignatureDef>;
  /** What the names in the file have been put under: empty, or with a trailing slash. */
  readonly scope: string;
  readonly returned: readonly (Operation | Tensor)[];
}

/**
 * Adds the nodes and collections of a `.meta` file, a MetaGraphDef or a SavedModel to a graph
 * (`tf.train.import_meta_graph`). Throws as `importGraphDef` does, and `NotFoundError` when a
 * collection names a node that is not there.
 */
export function importMetaGraph(
  source: Uint8Array | MetaGraphDef,
  { importScope = '', codecs = [], tags, ...options }: ImportMetaGraphOptions = {},
): ImportedMetaGraph {
  const metaGraph = source instanceof Uint8Array ? readMetaGraph(source, tags) : source;
  const { graphDef } = metaGraph;
  if (graphDef === undefined) throw new InvalidArgumentError('the MetaGraphDef holds no graph');
  const graph = options.graph ?? getDefaultGraph();
  return graph.nameScope(importScope, (scope) => {
    const opDefs = metaGraph.metaInfoDef?.strippedOpList?.op ?? [];
    const { inputMap = {} } = options;
    const given =
      inputMap instanceof Map
        ? (inputMap as ReadonlyMap<string, Tensor | Operation>)
        : new Map(Object.entries(inputMap));
    const bound = boundInputs(metaGraph, given);
    const returned = importGraphDef(graphDef, { ...options, inputMap: bound, graph, name: scope, opDefs });
    const all = [...codecs, variableCodec()];
    for (const [key, def] of metaGraph.collectionDef) {
      if (key === UNBOUND_INPUTS) continue;
      const values = collectionFromProto(def, { graph, key, scope }, all);
      for (const value of values) graph.addToCollection(key, value);
    }
    const { saverDef, signatureDef: signatureDefs } = metaGraph;
    return { metaGraph, saverDef, signatureDefs, scope, returned };
  });
}

/** The MetaGraphDef in a file of any encoding; of a SavedModel the one with these tags. */
export function readMetaGraph(bytes: Uint8Array, tags?: readonly string[]): MetaGraphDef {
  const file = readGraphFile(bytes);
  if (file.kind === 'MetaGraphDef') return file.metaGraph;
  if (file.kind === 'SavedModel') return selectMetaGraph(file.savedModel, tags);
  throw new InvalidArgumentError('the file holds a GraphDef only, without collections: use importGraphDef');
}
