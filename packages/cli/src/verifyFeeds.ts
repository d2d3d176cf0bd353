/** Values on which two forms of a graph are compared: those of `--feed`, and random ones in the shapes of `--shape`. */
import type { TensorValue } from '@forerun/graph';
import { FileError } from './errors.js';
import { feedValue, parseFeed } from './feedValues.js';
import { ancestorsOf, findNode, type GraphView } from './graphView.js';
import { parseShape, type InputShapes } from './inputShapes.js';

export interface FeedOptions {
  readonly feed?: readonly string[];
  readonly shape?: readonly string[];
}

/**
 * The feeds by name of the inputs. Inputs without any get values in the library, where their shape is known but for the batch. Throws
 * `UsageError` for malformed options, `FileError` for names that are not there.
 */
export async function verifyFeeds(
  view: GraphView,
  outputs: readonly string[],
  { feed = [], shape = [] }: FeedOptions,
): Promise<Record<string, TensorValue>> {
  let shapes: InputShapes = new Map();
  for (const text of shape) shapes = parseShape(text, shapes);
  const sources = new Map(feed.map(parseFeed).map(({ name, source }) => [name, source]));
  const feeds: Record<string, TensorValue> = {};
  for (const name of new Set([...sources.keys(), ...shapes.keys()])) {
    const tensor = findNode(view, name).outputs[0];
    if (tensor === undefined) throw new FileError(`${view.loaded.path}: "${name}" has no output to feed`);
    const wanted = { name, dtype: tensor.dtype, shape: shapes.get(name) ?? tensor.shape.dims };
    feeds[name] = await feedValue(sources.get(name) ?? 'random', wanted);
  }
  const used = new Set(ancestorsOf(outputs.map((name) => findNode(view, name))).map(({ name }) => name));
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => used.has(name)));
}
