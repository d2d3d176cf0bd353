/** The values of a graph's variables: from a checkpoint or another file of weights, or from the SavedModel around the graph. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WeightReader } from '@forerun/formats';
import {
  ObjectGraph,
  type Graph,
  type Operation,
  type proto,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { isVariable, type GraphView } from './graphView.js';
import { load } from './load.js';

/** What a variable is called in files. */
export function variableKey(op: Operation): string {
  return op.attrs.string('shared_name') || op.name;
}

/** The file that holds the variables' values: `weights`, or the SavedModel's own; `undefined` where there is neither. */
export function weightsPath({ loaded }: GraphView, weights: string | undefined): string | undefined {
  if (weights !== undefined) return weights;
  return loaded.format === 'SavedModel' ? `${dirname(loaded.path)}/variables/variables` : undefined;
}

/** Runs `work` with the opened file of values, and closes it. */
export async function withWeights<T>(path: string, work: (reader: WeightReader) => Promise<T>): Promise<T> {
  const { openWeights } = await import('@forerun/session');
  const { reader, close } = await openWeights(await latestIn(path));
  try {
    return await work(reader);
  } finally {
    await close();
  }
}

/** Of a directory, the checkpoint in it that a command would look at. */
async function latestIn(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true ? (await load(path)).path : path;
}

/** The variables of a graph, or those that are `needed`, with those of their values that a file has, and the names of the others. */
export async function readVariables(
  { graph, loaded }: Pick<GraphView, 'graph'> & { readonly loaded?: GraphView['loaded'] },
  path: string,
  needed: readonly Operation[] = graph.operations,
): Promise<{ readonly values: Map<Operation, TensorValue>; readonly missing: readonly string[] }> {
  const variables = needed.filter(isVariable);
  return withWeights(path, async (reader) => {
    const values = new Map<Operation, TensorValue>();
    // Checkpoints of TensorFlow 2 are stored by object and tell the names that variables had.
    const { entries } = reader;
    const checkpoint = {
      has: (name: string) => entries.has(name),
      read: (name: string) => reader.read(name),
    };
    const objects = await ObjectGraph.of(checkpoint);
    const told = await keysTold(graph, objects === undefined ? undefined : loaded?.metaGraph, checkpoint);
    for (const op of variables) {
      const name = variableKey(op);
      const own = told.get(op.output(0)) ?? name;
      const key = entries.has(own) ? own : (objects?.keyOf(name) ?? name);
      if (entries.has(key)) values.set(op, await reader.read(key));
    }
    const missing = variables.filter((op) => !values.has(op)).map(({ name }) => name);
    return { values, missing };
  });
}

/** What a SavedModel of TensorFlow 2 tells of its variables: several may have had one name. */
async function keysTold(
  graph: Graph,
  metaGraph: proto.MetaGraphDef | undefined,
  checkpoint: Parameters<typeof ObjectGraph.of>[0],
): Promise<ReadonlyMap<Tensor, string>> {
  if (metaGraph === undefined) return new Map();
  const { savedVariableKeys } = await import('@forerun/session');
  return savedVariableKeys(graph, metaGraph, checkpoint);
}
