/** Where the variables of a SavedModel of TensorFlow 2 have their values: by its saver's function, and by its objects where that does not tell. */
import { boundObjectPaths, ObjectGraph, type Graph, type proto, type Tensor } from '@forerun/graph';
import { isFunctionCall, restoredVariables } from '../checkpoint/saverFunctions.js';

/** A checkpoint as far as it is looked into. */
type Values = Parameters<typeof ObjectGraph.of>[0];

/** Keys in the checkpoint of the variables, by their handles, that the saver's function assigns. None where the saver is no function. */
export function keysOfSaver(
  graph: Graph,
  { saverDef }: Pick<proto.MetaGraphDef, 'saverDef'>,
  scope = '',
): Map<Tensor, string> {
  const name = saverDef?.restoreOpName ?? '';
  const restore = name === '' ? undefined : graph.findOperation(scope + name);
  if (restore === undefined || !isFunctionCall(restore)) return new Map();
  return new Map(restoredVariables(restore).map(({ handle, key }) => [handle, key]));
}

/**
 * Keys of other variables that functions are called with, by the paths that the SavedModel's objects have to them. Keras keeps its optimizers so: their saver
 * restores copies that nothing reads. Throws `DataLossError`.
 */
export async function keysOfObjects(
  graph: Graph,
  metaGraph: proto.MetaGraphDef,
  values: Values,
  scope = '',
): Promise<Map<Tensor, string>> {
  const keys = new Map<Tensor, string>();
  const known = keysOfSaver(graph, metaGraph, scope);
  const given = known.size === 0 ? [] : givenObjects(graph, metaGraph, scope);
  const others = given.filter(([handle]) => !known.has(handle));
  const objects = others.length === 0 ? undefined : await ObjectGraph.of(values);
  for (const [handle, path] of others) {
    const key = objects?.keyOf(path);
    if (key !== undefined) keys.set(handle, key);
  }
  return keys;
}

/** Handles of variables that calls of the SavedModel's functions pass, with the paths of the objects that they stand for. */
function givenObjects(
  graph: Graph,
  metaGraph: proto.MetaGraphDef,
  scope: string,
): (readonly [handle: Tensor, path: string])[] {
  const bound = boundObjectPaths(metaGraph);
  return graph.operations
    .filter((op) => isFunctionCall(op) && op.name.startsWith(scope))
    .flatMap((op) => {
      const paths = bound.get(op.attrs.func('f').name) ?? [];
      const handles = op.inputs.slice(op.inputs.length - paths.length);
      return handles.flatMap((handle, i) => {
        const path = paths[i];
        return path === undefined || handle.op.type !== 'VarHandleOp' ? [] : [[handle, path] as const];
      });
    });
}

/** As `keysOfSaver` and `keysOfObjects`. */
export async function savedVariableKeys(
  graph: Graph,
  metaGraph: proto.MetaGraphDef,
  values: Values,
): Promise<ReadonlyMap<Tensor, string>> {
  return new Map([...keysOfSaver(graph, metaGraph), ...(await keysOfObjects(graph, metaGraph, values))]);
}
