/** Graph files on disk. */
import {
  externalLocations,
  Graph,
  importGraphDef,
  moveConstantsOut,
  NotFoundError,
  putConstantsBack,
  readGraphDef,
  writeGraphDef,
  type ImportOptions,
  type Operation,
  type proto,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import {
  baseName,
  directoryOf,
  openCheckpoint,
  readFileIfPresent,
  writeFileAtomically,
} from './checkpoint/files.js';
import { writeBundle } from './checkpoint/hostOps.js';

/** How a graph is written. */
export interface WriteGraphOptions {
  /** Text (the default) or binary; names ending in `.json` are JSON. */
  readonly asText?: boolean | undefined;
  /**
   * Puts constants of at least `minBytes` (default 1024) into a checkpoint beside the graph, `<name>.weights`, for graphs that would take more
   * than the 2 GiB of protobuf. `readGraph` finds them; for TensorFlow, placeholders of their names stand in their place. Default false.
   */
  readonly externalWeights?: boolean | { readonly minBytes?: number | undefined } | undefined;
  /** Refuses a graph file of more bytes. Default: what its form can hold, 2 GiB as binary, 128 MiB as text. */
  readonly maxBytes?: number | undefined;
}

/**
 * Writes a graph, or the message of one, to `<directory>/<name>` as a GraphDef and returns the path (`tf.io.write_graph`).
 * Text by default, JSON for names ending in `.json`, binary with `asText: false`. Throws `InvalidArgumentError` naming the largest nodes
 * when the file would be too large.
 */
export async function writeGraph(
  graph: Graph | proto.Init<proto.GraphDef>,
  directory: string,
  name: string,
  { asText = true, externalWeights = false, maxBytes }: WriteGraphOptions = {},
): Promise<string> {
  const path = `${directory}/${name}`;
  const encoding = name.endsWith('.json') ? 'json' : asText ? 'pbtxt' : 'pb';
  if (externalWeights === false) {
    await writeFileAtomically(path, [writeGraphDef(graph, encoding, { maxBytes })]);
    return path;
  }
  const { minBytes = DEFAULT_MIN_BYTES } = externalWeights === true ? {} : externalWeights;
  const location = `${baseName(path)}.weights`;
  const def = graph instanceof Graph ? graph.toGraphDef() : graph;
  const { graphDef, values } = moveConstantsOut(def, { location, minBytes });
  const bytes = writeGraphDef(graphDef, encoding, { maxBytes });
  if (values.size > 0) await writeBundle(`${directoryOf(path)}/${location}`, [...values]);
  await writeFileAtomically(path, [bytes]);
  return path;
}

/** Constants below this stay in the graph: shapes, axes, small weights. */
const DEFAULT_MIN_BYTES = 1024;

/**
 * Imports a graph file of any encoding, and the weights beside it that it names; see `importGraphDef`. Throws `NotFoundError` when
 * it does not exist, or its weights do not.
 */
export async function readGraph(path: string, options: ImportOptions = {}): Promise<(Operation | Tensor)[]> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${path}"`);
  const graphDef = readGraphDef(bytes);
  return [...importGraphDef(await withExternalWeights(graphDef, directoryOf(path)), options)];
}

/** The graph with the constants that lie in checkpoints below `directory` in place. Throws `NotFoundError` where one is missing. */
export async function withExternalWeights(
  graphDef: proto.Init<proto.GraphDef>,
  directory: string,
): Promise<proto.Init<proto.GraphDef>> {
  const locations = externalLocations(graphDef);
  if (locations.size === 0) return graphDef;
  const values = new Map<string, TensorValue>();
  for (const [location, names] of locations) {
    const { reader, close } = await openCheckpoint(`${directory}/${location}`);
    try {
      for (const name of names) values.set(name, await reader.read(name));
    } finally {
      await close();
    }
  }
  return putConstantsBack(graphDef, values);
}
