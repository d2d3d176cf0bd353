/** What `run` and `plan` share: a session over a loaded graph, its variables restored, what to fetch and what to feed. */
import { dirname } from 'node:path';
import { ForerunError, InternalError, type Graph, type Operation } from '@forerun/graph';
import { initializeModel, Session } from '@forerun/session';
import { FileError, messageOf } from './errors.js';
import { isVariable, outputsOf, viewGraph, type GraphView } from './graphView.js';
import { withInputShapes, type InputShape, type InputShapes } from './inputShapes.js';
import type { LoadedGraph } from './load.js';
import { servedSignature } from './signature.js';
import type { Terminal } from './terminal.js';
import { readVariables, weightsPath } from './variableValues.js';

/** The graph with the shapes of its inputs filled in. */
export interface ShapedGraph {
  readonly view: GraphView;
  readonly graph: Graph;
  readonly inputs: readonly InputShape[];
}

/** Builds the graph for these input shapes; unknown batches become 1. */
export function shapedGraph(loaded: LoadedGraph, shapes: InputShapes): ShapedGraph {
  const { graphDef, inputs } = withInputShapes(loaded, shapes);
  const view = viewGraph({ ...loaded, graphDef });
  return { view, graph: view.graph, inputs };
}

/** Names to fetch: those given, those of a signature, or the outputs of the graph. Throws `FileError` when there are none. */
export function fetchesOf({ view, graph }: ShapedGraph, given: readonly string[] | undefined): string[] {
  if (given !== undefined) return given.map((name) => fetchName(graph, name));
  const signature = servedSignature(view);
  const named = [...(signature?.outputs.values() ?? [])].flatMap(({ name }) => name ?? []);
  const names =
    named.length > 0 ? named : outputsOf(view).flatMap((op) => op.outputs.map(({ name }) => name));
  if (names.length > 0) return names;
  throw new FileError(`${view.loaded.path}: the graph has no outputs; name what to run with --fetch`);
}

function fetchName(graph: Graph, name: string): string {
  return name.includes(':') || graph.findOperation(name)?.outputs.length === 0 ? name : `${name}:0`;
}

/** Inputs that `fetches` need, in the graph's order. */
export function neededInputs({ graph, inputs }: ShapedGraph, fetches: readonly string[]): InputShape[] {
  const needed = new Set<Operation>();
  const queue = fetches.map((name) => graph.findOperation(name.replace(/:\d+$/, '')));
  for (let op = queue.pop(); op !== undefined || queue.length > 0; op = queue.pop()) {
    if (op === undefined || needed.has(op)) continue;
    needed.add(op);
    queue.push(...op.inputs.map((input) => input.op), ...op.controlInputs);
  }
  return inputs.filter(({ name }) => {
    const op = graph.findOperation(name);
    return op !== undefined && needed.has(op);
  });
}

/**
 * Sets the graph's variables from a checkpoint or another file of weights; a SavedModel has its own, and an initialization that fills its
 * tables.
 */
export async function restoreState(
  sess: Session,
  view: GraphView,
  weights: string | undefined,
): Promise<void> {
  await restoreVariables(sess, view, weights);
  const { format, metaGraph, path } = view.loaded;
  if (format !== 'SavedModel' || metaGraph === undefined) return;
  await initializeModel(sess, metaGraph, dirname(path));
}

async function restoreVariables(sess: Session, view: GraphView, weights: string | undefined): Promise<void> {
  const path = weightsPath(view, weights);
  if (path === undefined || !view.graph.operations.some(isVariable)) return;
  const { values } = await readVariables(view, path);
  const byHandle = [...values].flatMap(
    ([
      {
        outputs: [handle],
      },
      value,
    ]) => (handle === undefined ? [] : [[handle, value] as const]),
  );
  await sess.assignVariables(new Map(byHandle));
}

/** Runs `work`; what it finds wrong becomes a `FileError` that begins with `path`. */
export async function withSession<T>(
  path: string,
  graph: Graph,
  terminal: Terminal,
  work: (sess: Session) => Promise<T>,
): Promise<T> {
  const printed = (text: string): void => terminal.warn(text);
  const warned = (message: string): void => terminal.warn(`forerun: ${message}`);
  try {
    await using sess = await Session.create({ graph, config: { onPrint: printed, onWarning: warned } });
    return await work(sess);
  } catch (error) {
    if (!(error instanceof ForerunError) || error instanceof InternalError) throw error;
    throw new FileError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}
