/** A graph as a `GraphDef` message. */
import type { Graph } from '../graph.js';
import type { Operation } from '../operation.js';
import type { Init } from '../proto/message.js';
import type { GraphDef, NodeDef } from '../proto/messages.js';
import type { Tensor } from '../tensor.js';
import { attrsToProto, shapeToProto } from './attrProto.js';
import { extrasOf, graphMetadata, libraryOf } from './graphMetadata.js';

export interface GraphDefOptions {
  /** Writes the known output shapes of every node into its attribute `_output_shapes`. */
  readonly addShapes?: boolean | undefined;
}

/**
 * The graph as a message (`tf.Graph.as_graph_def`): nodes in creation order, functions, versions.
 * The same graph gives the same message; constants are referred to, not copied.
 */
export function graphToGraphDef(graph: Graph, { addShapes = false }: GraphDefOptions = {}): Init<GraphDef> {
  return {
    node: graph.operations.map((op) => nodeToProto(op, addShapes)),
    library: libraryOf(graph),
    versions: graphMetadata(graph).versions,
  };
}

function nodeToProto(op: Operation, addShapes: boolean): Init<NodeDef> {
  const attr = attrsToProto(op.attrs.values);
  if (addShapes && op.outputs.length > 0) {
    attr.set('_output_shapes', { list: { shape: op.outputs.map((output) => shapeToProto(output.shape)) } });
  }
  return {
    ...extrasOf(op),
    name: op.name,
    op: op.type,
    input: [...op.inputs.map(inputName), ...op.controlInputs.map((control) => `^${control.name}`)],
    device: op.device,
    attr,
  };
}

/** How a node's input names a tensor: output 0 without its index. */
function inputName({ op, index }: Tensor): string {
  return index === 0 ? op.name : `${op.name}:${index}`;
}
