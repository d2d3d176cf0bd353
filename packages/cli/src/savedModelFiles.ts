/** A graph as the files of a SavedModel: the graph with its signatures, the values of its variables, its assets. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  BundleWriter,
  buildSaverNodes,
  dataPath,
  exportMetaGraph,
  Graph,
  GraphKeys,
  importGraphDef,
  importMetaGraph,
  indexPath,
  noOp,
  type proto,
  readVariable,
  savedModelSignatures,
  Variable,
  VariableNodes,
  writeSavedModel,
  type Operation,
} from '@forerun/graph';
import { FileError } from './errors.js';
import type { GraphFileOptions } from './graphFiles.js';
import { isVariable, type GraphView } from './graphView.js';
import { readWhole } from './readWhole.js';
import { signatureDefs } from './signature.js';
import { variableKey, weightsPath, withWeights } from './variableValues.js';
import type { OutFiles } from './writeFiles.js';

/**
 * The files of a SavedModel with this graph, under the tags that it has or `serve`. `target` is its directory or the `saved_model.pb` or `.pbtxt` in it. Throws
 * `FileError` for variables whose values are nowhere.
 */
export async function savedModelFiles(
  view: GraphView,
  target: string,
  { fetch, weights }: GraphFileOptions,
): Promise<OutFiles> {
  const named = /^saved_model\.pb(txt)?$/.exec(basename(target));
  const directory = named === null ? target : dirname(target);
  const saved = withSaver(view, signatureDefs(view, fetch));
  const tags = view.loaded.metaGraph?.metaInfoDef?.tags ?? [];
  const meta = {
    ...saved.metaGraph,
    metaInfoDef: {
      ...saved.metaGraph.metaInfoDef,
      tags: tags.length > 0 ? tags : [savedModelSignatures.SERVING],
    },
  };
  const model = { savedModelSchemaVersion: 1, metaGraphs: [meta] };
  const asText = named?.[1] !== undefined;
  return new Map([
    ...(await variableFiles(view, saved.keys, directory, weights)),
    ...(await assetFiles(view, directory)),
    // Last, so that the model is there when all of it is.
    [
      join(directory, `saved_model.${asText ? 'pbtxt' : 'pb'}`),
      [writeSavedModel(model, asText ? 'pbtxt' : 'pb')],
    ] as const,
  ]);
}

interface Saved {
  readonly metaGraph: proto.Init<proto.MetaGraphDef>;
  /** Keys of the checkpoint. */
  readonly keys: readonly string[];
}

/** The graph with nodes that restore its variables, which loaders run: those that it has, or new ones. */
function withSaver(view: GraphView, signatureDef: ReadonlyMap<string, proto.SignatureDef>): Saved {
  const { graphDef, metaGraph } = view.loaded;
  if (!view.graph.operations.some(isVariable)) {
    return { metaGraph: { ...(metaGraph ?? {}), graphDef, signatureDef }, keys: [] };
  }
  if (metaGraph?.saverDef !== undefined && metaGraph.saverDef.restoreOpName !== '') {
    return {
      metaGraph: { ...metaGraph, signatureDef },
      keys: restoredKeys(view.graph, metaGraph.saverDef.restoreOpName),
    };
  }
  const graph = new Graph();
  if (metaGraph === undefined) importGraphDef(graphDef, { graph, name: '' });
  else importMetaGraph(metaGraph, { graph });
  const variables = graph.asDefault(() => variablesOf(graph));
  const { saverDef } = buildSaverNodes(
    new Map(variables.map((variable) => [variableKey(variable.op), variable])),
  );
  return {
    metaGraph: exportMetaGraph({
      graph,
      saverDef,
      signatureDefs: signatureDef,
      onUnsupported: () => undefined,
    }),
    keys: variables.map(({ op }) => variableKey(op)),
  };
}

/** The variables of a graph: those of its collections, and for handles that no collection tells of new ones, which are added to it. */
function variablesOf(graph: Graph): Variable[] {
  const known = graph.getCollection(GraphKeys.GLOBAL_VARIABLES).filter((item) => item instanceof Variable);
  const byHandle = new Map(known.map((variable) => [variable.handle, variable]));
  return graph.operations.filter(isVariable).flatMap((op) => {
    const [handle] = op.outputs;
    if (handle === undefined) return [];
    const found = byHandle.get(handle);
    if (found !== undefined) return [found];
    const initializer =
      graph.findOperation(`${op.name}/Assign`) ?? noOp({ name: `${op.name}/NoInitializer` });
    const made = new Variable(new VariableNodes(handle, initializer, snapshotOf(graph, op), null, false));
    graph.addToCollection(GraphKeys.GLOBAL_VARIABLES, made);
    return [made];
  });
}

function snapshotOf(graph: Graph, op: Operation): ReturnType<typeof readVariable> {
  const handle = op.output(0);
  if (handle.dtype !== 'resource') return handle;
  const read = graph.operations.find(({ type, inputs }) => type === 'ReadVariableOp' && inputs[0] === handle);
  return read?.output(0) ?? readVariable(handle);
}

/** The names under which a saver's `RestoreV2` nodes look for values. */
function restoredKeys(graph: Graph, restoreOpName: string): string[] {
  const seen = new Set<Operation>();
  const keys = new Set<string>();
  const queue = [graph.getOperationByName(restoreOpName)];
  for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
    if (seen.has(op)) continue;
    seen.add(op);
    queue.push(...op.controlInputs, ...op.inputs.map((input) => input.op));
    const names = op.inputs[1]?.op;
    if (op.type !== 'RestoreV2' || names?.type !== 'Const') continue;
    const decoder = new TextDecoder();
    for (const name of names.attrs.tensor('value').data)
      keys.add(name instanceof Uint8Array ? decoder.decode(name) : String(name));
  }
  return [...keys];
}

async function variableFiles(
  view: GraphView,
  keys: readonly string[],
  directory: string,
  weights: string | undefined,
): Promise<OutFiles> {
  const own = view.loaded.format === 'SavedModel' && weights === undefined;
  // Byte for byte, whatever its saver is: one of TensorFlow 2 has its keys in a function.
  if (own) return copies(join(dirname(view.loaded.path), 'variables'), join(directory, 'variables'));
  if (keys.length === 0 && !view.graph.operations.some(isVariable)) return new Map();
  if (keys.length === 0) {
    throw new FileError(
      `${view.loaded.path}: its saver is a function, which restores the SavedModel's own variables only: leave out --weights`,
    );
  }
  const path = weightsPath(view, weights);
  if (path === undefined) {
    throw new FileError(
      `${view.loaded.path}: a SavedModel holds the values of its variables, this graph has ${keys.length}: give the checkpoint with --weights`,
    );
  }
  return withWeights(path, async (reader) => {
    const missing = keys.filter((key) => !reader.entries.has(key)).map((key) => `"${key}"`);
    if (missing.length > 0)
      throw new FileError(`${path}: there is no value for ${missing.slice(0, 5).join(', ')}`);
    const writer = new BundleWriter();
    const parts: Uint8Array[] = [];
    // The table of a checkpoint is sorted, and so is its data then.
    for (const key of [...keys].sort()) parts.push(writer.add(key, await reader.read(key)));
    const prefix = join(directory, 'variables', 'variables');
    return new Map([
      [dataPath(prefix), parts],
      [indexPath(prefix), [writer.finish()]],
    ]);
  });
}

/** Copies of the assets of a SavedModel. */
async function assetFiles({ loaded }: GraphView, directory: string): Promise<OutFiles> {
  if (loaded.format !== 'SavedModel') return new Map();
  return copies(join(dirname(loaded.path), 'assets'), join(directory, 'assets'));
}

/** The files of a directory for another one; none where it does not exist. */
async function copies(from: string, to: string): Promise<OutFiles> {
  const entries = await readdir(from, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const files = new Map<string, readonly Uint8Array[]>();
  for (const name of names) files.set(join(to, name), [await readWhole(join(from, name))]);
  return files;
}
