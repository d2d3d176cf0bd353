/** `.meta` files: a graph with its collections and its saver (`tf.train.export_meta_graph`, `import_meta_graph`). */
import type { Operation } from '@forerun/graph';
import {
  applyOp,
  constant,
  exportMetaGraph as toMetaGraph,
  getDefaultGraph,
  GraphKeys,
  identity,
  importMetaGraph as fromMetaGraph,
  InvalidArgumentError,
  nameScope,
  NotFoundError,
  readVariable,
  Variable,
  VariableNodes,
  writeMetaGraph,
  type ExportMetaGraphOptions,
  type Graph,
  type ImportedMetaGraph,
  type ImportMetaGraphOptions,
  type SavedTable,
  type SaverDefFields,
  type SaverNodes,
  type Tensor,
} from '@forerun/graph';
import { readFileIfPresent, writeFileAtomically } from './files.js';
import { Saver } from './saver.js';
import { isFunctionCall, restoredKey, restoredVariables } from './saverFunctions.js';

/** Writes a MetaGraphDef file: text when the name ends in `txt`, JSON when in `.json`, else binary. Throws for collections without a form in files. */
export async function exportMetaGraph(filename: string, options: ExportMetaGraphOptions = {}): Promise<void> {
  const encoding = filename.endsWith('txt') ? 'pbtxt' : filename.endsWith('.json') ? 'json' : 'pb';
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
  return saverOf(graph, fromMetaGraph(bytes, options));
}

/**
 * The saver of an imported graph, or `null` when its file has none. With `checkpoint`, a prefix, variables that the file's collections
 * do not tell of, as in files of TensorFlow 2, join the global variables; their initializers read that checkpoint.
 */
export function saverOf(
  graph: Graph,
  { saverDef, scope }: ImportedMetaGraph,
  checkpoint?: string,
): Saver | null {
  if (saverDef === undefined || saverDef.restoreOpName === '') return null;
  const fields: SaverDefFields = { ...saverDef, version: 2 };
  const nodes = findSaverNodes(graph, fields, scope, checkpoint);
  const { maxToKeep, keepCheckpointEveryNHours } = fields;
  return new Saver({ nodes, maxToKeep, keepCheckpointEveryNHours });
}

/** The saver's nodes in an imported graph: which variable each restored tensor is assigned to. */
function findSaverNodes(
  graph: Graph,
  saverDef: SaverDefFields,
  scope: string,
  checkpoint: string | undefined,
): SaverNodes {
  const restore = graph.getOperationByName(scope + saverDef.restoreOpName);
  const byHandle = variablesByHandle(graph);
  const variables = variablesOfCall(restore, byHandle, checkpoint);
  const inParts = new Set<string>();
  const tables: SavedTable[] = [];
  for (const assign of assignments(restore)) {
    if (IMPORTS.has(assign.type)) {
      tables.push(savedTable(assign));
      continue;
    }
    const { key, variable } = assignedVariable(assign, byHandle);
    if (variables.has(key)) inParts.add(key);
    variables.set(key, variable);
  }
  return {
    variables,
    tables,
    inParts: inParts.size > 0 ? inParts : undefined,
    filename: graph.getTensorByName(scope + saverDef.filenameTensorName),
    save: graph.getTensorByName(scope + saverDef.saveTensorName),
    restore,
    saverDef,
  };
}

function variablesByHandle(graph: Graph): Map<Tensor, Variable> {
  const items = graph.collectionKeys.flatMap((key) => graph.getCollection(key));
  return new Map(items.flatMap((item) => (item instanceof Variable ? [[item.handle, item]] : [])));
}

/** What a saver of TensorFlow 2, which is a function, restores, by the keys in the checkpoint. */
function variablesOfCall(
  restore: Operation,
  byHandle: ReadonlyMap<Tensor, Variable>,
  checkpoint: string | undefined,
): Map<string, Variable> {
  const variables = new Map<string, Variable>();
  for (const { handle, key } of isFunctionCall(restore) ? restoredVariables(restore) : []) {
    const read = checkpoint === undefined ? undefined : restoredVariable(handle, checkpoint, key);
    const variable = byHandle.get(handle) ?? read ?? variableBehind(handle, restore);
    if (variable === undefined) {
      throw new InvalidArgumentError(
        `the saver's function restores "${handle.name}" (${handle.op.type}), which is no variable`,
      );
    }
    variables.set(key, variable);
  }
  return variables;
}

/** The variable that a node of a saver assigns, and its key in the checkpoint. */
function assignedVariable(
  assign: Operation,
  byHandle: ReadonlyMap<Tensor, Variable>,
): { readonly key: string; readonly variable: Variable } {
  const [handle, restored] = assign.inputs;
  const variable =
    handle === undefined ? undefined : (byHandle.get(handle) ?? variableBehind(handle, assign));
  const key = restored === undefined ? undefined : restoredKey(restored);
  if (variable !== undefined && key !== undefined) return { key, variable };
  throw new InvalidArgumentError(
    `the saver's node "${assign.name}" assigns no variable of the graph's collections`,
  );
}

const IMPORTS: ReadonlySet<string> = new Set(['LookupTableImport', 'LookupTableImportV2']);

/** The table that a saver's node fills. Throws `InvalidArgumentError` where what it takes is no tensor of the checkpoint. */
function savedTable(restore: Operation): SavedTable {
  const [handle, ...restored] = restore.inputs;
  const [keys, values] = restored.map(restoredKey);
  if (handle === undefined || keys === undefined || values === undefined) {
    throw new InvalidArgumentError(
      `the saver's node "${restore.name}" fills a table with no tensors of the checkpoint`,
    );
  }
  const { graph, attrs } = restore;
  const type = restore.type.replace('Import', 'Export');
  const known = graph.operations.find((op) => op.type === type && op.inputs[0] === handle);
  const types = { Tkeys: attrs.type('Tin'), Tvalues: attrs.type('Tout') };
  const made = known ?? graph.createOp({ type, inputs: [handle], attrs: types });
  return { exported: [made.output(0), made.output(1)], stored: [keys, values], restore };
}

/** A variable that the file's collections do not tell of. */
function variableBehind(handle: Tensor, initializer: Operation): Variable | undefined {
  const { op } = handle;
  if (!VARIABLES.has(op.type)) return undefined;
  if (handle.dtype !== 'resource') {
    return new Variable(new VariableNodes(handle, initializer, handle, null, false));
  }
  const read = op.graph.operations.find(
    ({ type, inputs }) => type === 'ReadVariableOp' && inputs[0] === handle,
  );
  const snapshot = read?.output(0) ?? op.graph.asDefault(() => readVariable(handle));
  return new Variable(new VariableNodes(handle, initializer, snapshot, null, false));
}

/** A variable whose initializer reads a checkpoint, in the collection of global variables. */
export function restoredVariable(handle: Tensor, checkpoint: string, key: string): Variable | undefined {
  const { graph, name, type } = handle.op;
  const data = handle.handle;
  if (type !== 'VarHandleOp' || data === null) return undefined;
  const variable = graph.asDefault(() =>
    nameScope(`checkpoint_initializer/${name.replaceAll('/', '_')}`, () => {
      const inputs = [constant(checkpoint, { name: 'prefix' }), constant([key]), constant([''])];
      const value = identity(applyOp('RestoreV2', inputs, { attrs: { dtypes: [data.dtype] } }).output(0));
      value.setShape(data.shape);
      const initializer = applyOp('AssignVariableOp', [handle, value], { name: 'Assign' });
      return new Variable(new VariableNodes(handle, initializer, readVariable(handle), value, false));
    }),
  );
  graph.addToCollection(GraphKeys.GLOBAL_VARIABLES, variable);
  return variable;
}

const VARIABLES: ReadonlySet<string> = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

function assignments(restore: Operation): Operation[] {
  return restore.controlInputs.flatMap((op) => (op.type === 'NoOp' ? assignments(op) : [op]));
}
