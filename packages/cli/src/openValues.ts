/** The values in any file: weights of other frameworks, checkpoints, variables of SavedModels, and constants of other graphs. */
import type { WeightReader } from '@forerun/formats';
import { ForerunError, NotFoundError, type Operation } from '@forerun/graph';
import { FileError, messageOf } from './errors.js';
import { isVariable, placeOf, viewGraph, weightConstants, type GraphView } from './graphView.js';
import { inFile } from './inFile.js';
import { load, type Loaded, type LoadOptions } from './load.js';
import { weightsPath } from './variableValues.js';

/** Opened values and what closes their file. */
export interface OpenValues {
  readonly loaded: Loaded;
  readonly reader: WeightReader;
  close(): Promise<void>;
}

/** Opens the values of a file. Throws `FileError` for a bad file, and for a graph whose values are elsewhere. */
export async function openValues(path: string, options: LoadOptions = {}): Promise<OpenValues> {
  const loaded = await load(path, options);
  if (loaded.kind === 'graph') {
    const view = viewGraph(loaded, { deferShapes: true });
    const own = view.variables.length === 0 ? undefined : weightsPath(view, undefined);
    if (own === undefined)
      return { loaded, reader: inFile(loaded.path, () => constantsOf(view)), close: () => Promise.resolve() };
    return { loaded, ...(await opened(own)) };
  }
  return { loaded, ...(await opened(loaded.path)) };
}

async function opened(path: string): Promise<Pick<OpenValues, 'reader' | 'close'>> {
  const { openWeights } = await import('@forerun/session');
  return reading(path, () => openWeights(path));
}

/** The weights of a frozen graph; without any, all of its constants with more than one element. */
function constantsOf(view: GraphView): WeightReader {
  const weights = weightConstants(view);
  const constants = weights.length > 0 ? weights : view.graph.operations.filter(isLargeConstant);
  if (weights.length === 0 && view.graph.operations.some(isVariable)) {
    throw new FileError(
      `${view.loaded.path}: the graph holds no values, its variables are elsewhere: give the checkpoint`,
    );
  }
  const byName = new Map(constants.map((op) => [placeOf(op), op.attrs.tensor('value')]));
  return {
    entries: new Map([...byName].map(([name, { dtype, shape }]) => [name, { name, dtype, shape }])),
    read: (name) => {
      const value = byName.get(name);
      return value === undefined
        ? Promise.reject(new NotFoundError(`the graph has no constant "${name}"`))
        : Promise.resolve(value);
    },
  };
}

function isLargeConstant(op: Operation): boolean {
  return op.type === 'Const' && (op.outputs[0]?.shape.size ?? 0) > 1;
}

/** Runs `read`; what it finds wrong with the file becomes a `FileError` that begins with `path`. */
export async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ForerunError)) throw error;
    throw new FileError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}
