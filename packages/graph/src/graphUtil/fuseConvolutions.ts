/** Joins Conv2D and MatMul with the bias and the activation that follow them, as TensorFlow's Grappler does. */
import type { Init } from '../proto/message.js';
import type { AttrValue } from '../proto/messages.js';
import { toBytes } from '../proto/utf8.js';
import { isControl, type EditableGraph, type EditableNode } from './editableGraph.js';
import { protectedNodes, type PassContext, type PassResult } from './passes.js';

/** What TensorFlow's kernels of the fused ops can do after a bias. */
const ACTIVATIONS: ReadonlySet<string> = new Set(['Relu', 'Relu6', 'Elu']);
const FUSED: Readonly<Record<string, string>> = { Conv2D: '_FusedConv2D', MatMul: '_FusedMatMul' };

/** Makes one node of a product, the bias behind it and an activation. The node has the name of the last of them. */
export function fuseConvolutions(graph: EditableGraph, context: PassContext): PassResult {
  const kept = protectedNodes(context);
  const users = graph.users();
  const counts = new Map<string, number>();
  for (const bias of [...graph.nodes.values()]) {
    const product = graph.nodes.get(bias.input[0] ?? '');
    if (product === undefined || !canFuse(product, bias, users, kept)) continue;
    const user = kept.has(bias.name) ? undefined : onlyUser(users, bias);
    const activation =
      user !== undefined && ACTIVATIONS.has(user.op) && !user.input.some(isControl) ? user : undefined;
    const type = FUSED[product.op] ?? product.op;
    graph.nodes.delete(product.name);
    graph.nodes.delete(bias.name);
    graph.set(fused(type, product, bias, activation));
    const what = ['BiasAdd', ...(activation === undefined ? [] : [activation.op])].join(' and ');
    const text = `${product.op} with ${what}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `fused ${count} ${text}`);
}

function canFuse(
  product: EditableNode,
  bias: EditableNode,
  users: ReadonlyMap<string, readonly EditableNode[]>,
  kept: ReadonlySet<string>,
): boolean {
  if (bias.op !== 'BiasAdd' || FUSED[product.op] === undefined || kept.has(product.name)) return false;
  const isFloat = product.attr.get('T')?.type === 1;
  const plain = !product.input.some(isControl) && !bias.input.some(isControl);
  return isFloat && plain && onlyUser(users, product) === bias && bias.input[1] !== product.name;
}

function onlyUser(
  users: ReadonlyMap<string, readonly EditableNode[]>,
  { name }: EditableNode,
): EditableNode | undefined {
  const all = users.get(name) ?? [];
  return all.length === 1 ? all[0] : undefined;
}

function fused(
  type: string,
  product: EditableNode,
  bias: EditableNode,
  activation: EditableNode | undefined,
): EditableNode {
  const steps = ['BiasAdd', ...(activation === undefined ? [] : [activation.op])];
  const attr = new Map<string, Init<AttrValue>>(product.attr);
  attr.delete('use_cudnn_on_gpu');
  attr.delete('_output_shapes');
  attr.set('num_args', { i: 1n });
  attr.set('fused_ops', { list: { s: steps.map(toBytes) } });
  attr.set('epsilon', { f: Math.fround(0.0001) });
  return {
    name: (activation ?? bias).name,
    op: type,
    input: [...product.input, bias.input[1] ?? ''],
    device: product.device,
    attr,
  };
}
