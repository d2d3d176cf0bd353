/** Graph files on disk. */
import type { Graph, proto } from '@forerun/graph';
import {
  importGraphDef,
  NotFoundError,
  writeGraphDef,
  type ImportOptions,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { readFileIfPresent, writeFileAtomically } from './checkpoint/files.js';

/**
 * Writes a graph, or the message of one, to `<directory>/<name>` as a GraphDef and returns the path (`tf.io.write_graph`).
 * Text by default, JSON for names ending in `.json`, binary with `asText: false`.
 */
export async function writeGraph(
  graph: Graph | proto.Init<proto.GraphDef>,
  directory: string,
  name: string,
  { asText = true }: { readonly asText?: boolean } = {},
): Promise<string> {
  const path = `${directory}/${name}`;
  const encoding = name.endsWith('.json') ? 'json' : asText ? 'pbtxt' : 'pb';
  await writeFileAtomically(path, [writeGraphDef(graph, encoding)]);
  return path;
}

/** Imports a graph file of any encoding; see `importGraphDef`. Throws `NotFoundError` when it does not exist. */
export async function readGraph(path: string, options: ImportOptions = {}): Promise<(Operation | Tensor)[]> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${path}"`);
  return [...importGraphDef(bytes, options)];
}
