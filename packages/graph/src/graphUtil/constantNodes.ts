/** Which nodes of a saved graph are constant, though no `Const`: what depends on constants alone. */
import { lookupOp } from '../opTable.js';
import type { EditableGraph } from './editableGraph.js';
import { hasEffect, isControl, nodeNameOf, CONTROL_FLOW, type EditableNode } from './editableGraph.js';

/** A tensor that can be replaced by its value. */
export interface ConstantTensor {
  /** As inputs name it: `x` or `x:1`. */
  readonly input: string;
  readonly node: string;
  readonly output: number;
}

/**
 * Tensors that depend on constants alone and that other nodes use, or that are outputs: what folding has to compute. Random and other
 * stateful ops, unknown ops, control flow and nodes with control inputs are not constant; lists and handles have no value.
 */
export function constantFrontier(graph: EditableGraph, outputs: readonly string[]): ConstantTensor[] {
  const constant = new Set<string>();
  for (const node of graph.executionOrder()) if (isConstant(node, constant)) constant.add(node.name);
  const found = new Map<string, ConstantTensor>();
  const add = (input: string): void => {
    const node = graph.nodes.get(nodeNameOf(input));
    if (node === undefined || node.op === 'Const' || !constant.has(node.name)) return;
    const output = Number(/:(\d+)$/.exec(input)?.[1] ?? 0);
    found.set(input, { input, node: node.name, output });
  };
  for (const node of graph.nodes.values()) {
    if (!constant.has(node.name)) node.input.filter((input) => !isControl(input)).forEach(add);
  }
  for (const output of outputs) add(output.replace(/:0$/, ''));
  return [...found.values()];
}

function isConstant(node: EditableNode, constant: ReadonlySet<string>): boolean {
  if (node.op === 'Const') return node.input.length === 0;
  const def = lookupOp(node.op);
  if (def === undefined || hasEffect(node) || CONTROL_FLOW.has(node.op)) return false;
  if (node.input.length === 0 || node.input.some(isControl) || node.op.startsWith('TensorList')) return false;
  return node.input.every((input) => constant.has(nodeNameOf(input)));
}
