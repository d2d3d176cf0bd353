/** `.meta` files: a graph with its collections and its saver (`tf.train.export_meta_graph`, `import_meta_graph`). */
import type { Operation } from '@forerun/graph';
import {
  exportMetaGraph as toMetaGraph,
  getDefaultGraph,
  importMetaGraph as fromMetaGraph,
  InvalidArgumentError,
  NotFoundError,
  Variable,
  writeMetaGraph,
  type ExportMetaGraphOptions,
  type Graph,
  type ImportMetaGraphOptions,
  type SaverDefFields,
  type SaverNodes,
  type Tensor,
} from '@forerun/graph';
import { readFileIfPresent, writeFileAtomically } from './files.js';
import { Saver } from './saver.js';

/** Writes a MetaGraphDef file, text when the name ends in `txt`. Throws for collections without a form in files. */
export async function exportMetaGraph(filename: string, options: ExportMetaGraphOptions = {}): Promise<void> {
  const encoding = filename.endsWith('txt') ? 'pbtxt' : 'pb';
  await writeFileAtomically(filename, [writeMetaGraph(toMetaGraph(options), encoding)]);
}

/**
 * Adds the graph of a `.meta` file to a graph (default: the default graph) with its collections, and
 * returns its saver, or `null` when the file has none. Throws `NotFoundError` for a missing file.
 */
export async function importMetaGraph(
  filename: string,
  options: ImportMetaGraphOptions = {},
): Promise<Saver | null> {
  const bytes = await readFileIfPresent(filename);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${filename}"`);
  const graph = options.graph ?? getDefaultGraph();
  const { saverDef, scope } = fromMetaGraph(bytes, options);
  if (saverDef === undefined) return null;
  const fields: SaverDefFields = { ...saverDef, version: 2 };
  const nodes = findSaverNodes(graph, fields, scope);
  const { maxToKeep, keepCheckpointEveryNHours } = fields;
  return new Saver({ nodes, maxToKeep, keepCheckpointEveryNHours });
}

/** The saver's nodes in an imported graph: which variable each restored tensor is assigned to. */
function findSaverNodes(graph: Graph, saverDef: SaverDefFields, scope: string): SaverNodes {
  const filename = graph.getTensorByName(scope + saverDef.filenameTensorName);
  const restore = graph.getOperationByName(scope + saverDef.restoreOpName);
  const byHandle = new Map<Tensor, Variable>();
  for (const key of graph.collectionKeys) {
    for (const item of graph.getCollection(key))
      if (item instanceof Variable) byHandle.set(item.handle, item);
  }
  const variables = new Map<string, Variable>();
  for (const assign of assignments(restore)) {
    const [handle, restored] = assign.inputs;
    const variable = handle === undefined ? undefined : byHandle.get(handle);
    const key = restored === undefined ? undefined : restoredKey(restored);
    if (variable === undefined || key === undefined) {
      throw new InvalidArgumentError(
        `the saver's node "${assign.name}" assigns no variable of the graph's collections`,
      );
    }
    variables.set(key, variable);
  }
  return {
    variables,
    filename,
    save: graph.getTensorByName(scope + saverDef.saveTensorName),
    restore,
    saverDef,
  };
}

function assignments(restore: Operation): Operation[] {
  return restore.controlInputs.flatMap((op) => (op.type === 'NoOp' ? assignments(op) : [op]));
}

/** The name that a `RestoreV2` node gives the tensor that reaches an assignment. */
function restoredKey(tensor: Tensor): string | undefined {
  const { op } = tensor;
  if (op.type === 'Identity') return op.inputs[0] === undefined ? undefined : restoredKey(op.inputs[0]);
  const names = op.inputs[1]?.op;
  if (op.type !== 'RestoreV2' || names?.type !== 'Const') return undefined;
  const name: unknown = names.attrs.tensor('value').data[tensor.index];
  return name instanceof Uint8Array ? new TextDecoder().decode(name) : String(name);
}
