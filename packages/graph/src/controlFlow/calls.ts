/** The function that a call runs. That of a `SymbolicGradient` is made when it is first asked for, apart from the graph. */
import { InvalidArgumentError } from '../errors.js';
import type { FuncGraph } from '../funcGraph.js';
import { backpropagate } from '../gradients.js';
import { Graph } from '../graph.js';
import type { Operation } from '../operation.js';
import { complete } from '../proto/complete.js';
import { builders } from '../registry.js';
import { addFunctions } from '../serialize/functionDefs.js';
import { graphMetadata, libraryOf } from '../serialize/graphMetadata.js';
import { backwardFunction } from './functionOps.js';

/**
 * The function that a node runs with all its inputs as arguments: that of a call, that which the node's type names, or for
 * `SymbolicGradient` the one that goes backward. `null` for all other ops. Throws where the library lacks it or it cannot be called.
 */
export function calledFunction({ graph, type, attrs, def }: Operation): FuncGraph | null {
  if (def?.functionName !== undefined) return graph.getFunction(def.functionName);
  if (type === 'PartitionedCall' || type === 'StatefulPartitionedCall')
    return graph.getFunction(attrs.func('f').name);
  return type === 'SymbolicGradient' ? gradientFunction(graph.root, attrs.func('f').name) : null;
}

const known = new WeakMap<FuncGraph, FuncGraph>();

/** The function that goes backward through the function called `name`: its own where the library names one. */
function gradientFunction(root: Graph, name: string): FuncGraph {
  const fn = root.getFunction(name);
  const own = root.functionGradients.get(name);
  if (own !== undefined) return checked(root.getFunction(own), fn);
  const made = known.get(fn) ?? backwardFunction(beside(root).getFunction(name), builders, backpropagate);
  known.set(fn, made);
  return made;
}

function checked(own: FuncGraph, fn: FuncGraph): FuncGraph {
  const wanted = [...fn.inputs, ...fn.outputs].map(({ dtype }) => dtype).join(', ');
  const given = own.inputs.map(({ dtype }) => dtype).join(', ');
  if (given === wanted && own.outputs.length === fn.inputs.length) return own;
  throw new InvalidArgumentError(
    `function "${own.functionName}", the gradient of "${fn.functionName}", takes (${given}) and gives ${own.outputs.length} results; ` +
      `it must take (${wanted}) and give ${fn.inputs.length}`,
  );
}

const copies = new WeakMap<Graph, Graph>();

/** A graph of the same functions, to which more can be added: a run does not change the graph that it runs. */
function beside(root: Graph): Graph {
  const copy = copies.get(root) ?? new Graph();
  copies.set(root, copy);
  const defs = (libraryOf(root)?.function ?? []).map((fn) => complete('FunctionDef', fn));
  addFunctions(copy, defs, graphMetadata(root).foreignOps);
  for (const [name, gradient] of root.functionGradients) copy.functionGradients.set(name, gradient);
  return copy;
}
