/** `graph.toGraphDef()`: attached here, because the graph must not depend on its file formats. */
import { Graph } from '../graph.js';
import type { Init } from '../proto/message.js';
import type { GraphDef } from '../proto/messages.js';
import { graphToGraphDef, type GraphDefOptions } from './exportGraph.js';

declare module '../graph.js' {
  interface Graph {
    /** The graph as a GraphDef message (`tf.Graph.as_graph_def`); see `graphToGraphDef`. */
    toGraphDef(options?: GraphDefOptions): Init<GraphDef>;
  }
}

/** The methods; naming them makes their declaration part of the package's types. */
export type GraphMethods = Pick<Graph, 'toGraphDef'>;

/** Attaches the method to `Graph`. The package's index calls it once. */
export function installGraphMethods(): void {
  Graph.prototype.toGraphDef = function toGraphDef(this: Graph, options?: GraphDefOptions): Init<GraphDef> {
    return graphToGraphDef(this, options);
  };
}
