/** A graph as a `GraphDef` message. */
import type { Graph } from '../graph.js';
import type { Operation } from '../operation.js';
import type { Init } from '../proto/message.js';
import type { GraphDef, NodeDef } from '../proto/messages.js';
import type { Tensor } from '../tensor.js';
import { attrsToProto, shapeToProto } from './attrProto.js';
import { withoutDefaults, type StrippedDefaults } from './defaultAttrs.js';
import { extrasOf, GRAPH_DEF_VERSION, graphMetadata, libraryOf } from './graphMetadata.js';

export interface GraphDefOptions {
  /** Writes the known output shapes of every node into its attribute `_output_shapes`. */
  readonly addShapes?: boolean | undefined;
  /**
   * Leaves out all attributes that hold their defaults, which older readers may not know. Attributes that ops got after TensorFlow
   * 1.15 are always left out then, unless the graph comes from a newer writer.
   */
  readonly stripDefaultAttrs?: boolean | undefined;
  /** Leaves out the nodes' device labels. */
  readonly clearDevices?: boolean | undefined;
}

/**
 * The graph as a message (`tf.Graph.as_graph_def`): nodes in creation order, functions, versions.
 * The same graph gives the same message; constants are referred to, not copied.
 */
export function graphToGraphDef(graph: Graph, options: GraphDefOptions = {}): Init<GraphDef> {
  const { versions } = graphMetadata(graph);
  return {
    node: graph.operations.map((op) =>
      nodeToProto(op, options, strippedDefaults(options, versions.producer)),
    ),
    library: libraryOf(graph),
    versions,
  };
}

function strippedDefaults(
  { stripDefaultAttrs }: GraphDefOptions,
  producer: number,
): StrippedDefaults | 'none' {
  if (stripDefaultAttrs === true) return 'all';
  return producer > GRAPH_DEF_VERSION ? 'none' : 'newer';
}

function nodeToProto(
  op: Operation,
  { addShapes = false, clearDevices = false }: GraphDefOptions,
  stripped: StrippedDefaults | 'none',
): Init<NodeDef> {
  const { values } = op.attrs;
  const attr = attrsToProto(stripped === 'none' ? values : withoutDefaults(op.type, values, stripped));
  if (addShapes && op.outputs.length > 0) {
    attr.set('_output_shapes', { list: { shape: op.outputs.map((output) => shapeToProto(output.shape)) } });
  }
  return {
    ...extrasOf(op),
    name: op.name,
    op: op.type,
    input: [...op.inputs.map(inputName), ...op.controlInputs.map((control) => `^${control.name}`)],
    device: clearDevices ? '' : op.device,
    attr,
  };
}

/** How a node's input names a tensor: output 0 without its index. */
function inputName({ op, index }: Tensor): string {
  return index === 0 ? op.name : `${op.name}:${index}`;
}
