/** Graphs whose large constants lie in a checkpoint beside the file. */
import { dirname } from 'node:path';
import { externalLocations, proto } from '@forerun/graph';
import type { LoadedGraph } from './load.js';
import { reading } from './openValues.js';

/** The graph with the constants in place that its file says lie beside it. Throws `FileError` where they do not. */
export async function withWeightsBeside(loaded: LoadedGraph): Promise<LoadedGraph> {
  if (externalLocations(loaded.graphDef).size === 0) return loaded;
  const { withExternalWeights } = await import('@forerun/session');
  const def = await reading(loaded.path, () => withExternalWeights(loaded.graphDef, dirname(loaded.path)));
  const graphDef = proto.complete('GraphDef', def);
  const { metaGraph } = loaded;
  return { ...loaded, graphDef, metaGraph: metaGraph === undefined ? undefined : { ...metaGraph, graphDef } };
}
