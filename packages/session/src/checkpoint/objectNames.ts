/** Checkpoints of TensorFlow 2, which are stored by object, read by the names that graphs know. */
import type { WeightReader } from '@forerun/formats';
import { ObjectGraph, type DType } from '@forerun/graph';
import { storedName, type NameMap } from '../weights/match.js';
import { openCheckpointAt } from './checkpointReader.js';

/** A tensor of an object-based checkpoint. */
export interface ListedObject {
  /** Attributes from the root, `model/dense/kernel`. */
  readonly path: string;
  /** The variable's name in the graph that it came from; empty when it is not known. */
  readonly fullName: string;
  readonly key: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * The tensors of a checkpoint of TensorFlow 2 by the attributes that lead to them; `null` for a checkpoint by names. Throws `NotFoundError`
 * when there is no checkpoint, `DataLossError` when it is damaged.
 */
export async function listObjects(path: string): Promise<readonly ListedObject[] | null> {
  const { reader, close } = await openCheckpointAt(path);
  try {
    const graph = await ObjectGraph.of(reader);
    if (graph === undefined) return null;
    return graph.objects.flatMap(({ path: object, fullName, key }) => {
      const entry = reader.entries.get(key);
      if (entry === undefined) return [];
      return [{ path: object, fullName, key, dtype: entry.dtype, shape: entry.shape }];
    });
  } finally {
    await close();
  }
}

/** A map of names under which an object-based checkpoint is found too: by path of attributes or by the variable's name there. */
export async function objectNameMap(
  reader: WeightReader,
  map: NameMap | undefined,
): Promise<NameMap | undefined> {
  const graph = await ObjectGraph.of({
    has: (name) => reader.entries.has(name),
    read: (name) => reader.read(name),
  });
  if (graph === undefined) return map;
  return (key) => {
    const name = storedName(map, key);
    return name === null || reader.entries.has(name) ? name : (graph.keyOf(name) ?? name);
  };
}
