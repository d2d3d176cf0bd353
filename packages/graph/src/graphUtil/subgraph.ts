/** Parts of graphs (`tf.graph_util`): what outputs need, and graphs without what only training needs. */
import type { Init } from '../proto/message.js';
import type { GraphDef } from '../proto/messages.js';
import type { Graph } from '../graph.js';
import { EditableGraph, isControl, nodeNameOf, CONTROL_FLOW, type EditableNode } from './editableGraph.js';

/**
 * The nodes that `destNodes` need (`tf.graph_util.extract_sub_graph`), with all functions and versions. Throws `NotFoundError` naming a
 * node that is not there.
 */
export function extractSubGraph(graphDef: Init<GraphDef>, destNodes: readonly string[]): Init<GraphDef> {
  const graph = new EditableGraph(graphDef);
  graph.keepOnly(destNodes);
  return graph.toGraphDef();
}

export interface RemoveTrainingNodesOptions {
  /** Names of nodes to keep. */
  readonly protectedNodes?: readonly string[] | undefined;
}

/**
 * Removes `CheckNumerics` and those `Identity` nodes that only pass a value on (`tf.graph_util.remove_training_nodes`). An identity stays
 * where it carries control inputs or is one, and beside control flow of version 1.
 */
export function removeTrainingNodes(
  graphDef: Init<GraphDef>,
  { protectedNodes = [] }: RemoveTrainingNodesOptions = {},
): Init<GraphDef> {
  const graph = new EditableGraph(graphDef);
  removePassing(graph, new Set(protectedNodes.map(nodeNameOf)), TRAINING);
  return graph.toGraphDef();
}

const TRAINING: ReadonlySet<string> = new Set(['CheckNumerics', 'Identity']);

/** Removes nodes of the given types whose first input is their output. Returns the names of the removed ones. */
export function removePassing(
  graph: EditableGraph,
  kept: ReadonlySet<string>,
  types: ReadonlySet<string>,
): string[] {
  const asControl = new Set(
    [...graph.nodes.values()].flatMap(({ input }) => input.filter(isControl).map(nodeNameOf)),
  );
  const removed = [...graph.nodes.values()].filter(
    (node) =>
      types.has(node.op) && !kept.has(node.name) && !asControl.has(node.name) && onlyPasses(graph, node),
  );
  graph.redirect(new Map(removed.map((node) => [node.name, node.input[0] ?? ''])));
  for (const { name } of removed) graph.nodes.delete(name);
  return removed.map(({ name }) => name);
}

function onlyPasses(graph: EditableGraph, node: EditableNode): boolean {
  const [input] = node.input;
  if (input === undefined || node.input.some(isControl)) return false;
  const source = graph.nodes.get(nodeNameOf(input));
  return source !== undefined && !CONTROL_FLOW.has(source.op);
}

/** The static shape of output 0 of a node: sizes, `null` for those not known, or `null` when the rank is not known. */
export function tensorShapeFromNodeDefName(
  graph: Graph,
  inputName: string,
): readonly (number | null)[] | null {
  return graph.getTensorByName(`${nodeNameOf(inputName)}:0`).shape.dims;
}
