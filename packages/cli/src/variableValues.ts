/** The values of a graph's variables: from a checkpoint or another file of weights, or from the SavedModel around the graph. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WeightReader } from '@forerun/formats';
import { ObjectGraph, type Operation, type TensorValue } from '@forerun/graph';
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

/** The variables of a graph with those of their values that a file has, and the names of the others. */
export async function readVariables(
  { graph }: Pick<GraphView, 'graph'>,
  path: string,
): Promise<{ readonly values: Map<Operation, TensorValue>; readonly missing: readonly string[] }> {
  const variables = graph.operations.filter(isVariable);
  return withWeights(path, async (reader) => {
    const values = new Map<Operation, TensorValue>();
    // Checkpoints of TensorFlow 2 are stored by object and tell the names that variables had.
    const { entries } = reader;
    const objects = await ObjectGraph.of({
      has: (name) => entries.has(name),
      read: (name) => reader.read(name),
    });
    for (const op of variables) {
      const name = variableKey(op);
      const key = entries.has(name) ? name : (objects?.keyOf(name) ?? name);
      if (entries.has(key)) values.set(op, await reader.read(key));
    }
    const missing = variables.filter((op) => !values.has(op)).map(({ name }) => name);
    return { values, missing };
  });
}
