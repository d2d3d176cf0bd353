/**
 * Folds what scales and shifts the channels of a product into its weights and a bias: batch normalizations of inference, and
 * multiplications and additions of constant vectors, after Conv2D, DepthwiseConv2dNative and MatMul.
 */
import type { Init } from '../proto/message.js';
import type { AttrValue } from '../proto/messages.js';
import { TensorValue } from '../value.js';
import { isControl, nodeNameOf, type EditableGraph, type EditableNode } from './editableGraph.js';
import { protectedNodes, type PassContext, type PassResult } from './passes.js';

/** y = x * scale + shift, per channel. */
interface Affine {
  readonly scale: Float64Array | null;
  readonly shift: Float64Array | null;
}

const NORMS: ReadonlySet<string> = new Set(['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3']);
const PRODUCTS: ReadonlySet<string> = new Set(['Conv2D', 'DepthwiseConv2dNative', 'MatMul']);

/** Folds all that can be folded, from the products on. */
export function foldBatchNorms(graph: EditableGraph, context: PassContext): PassResult {
  const kept = protectedNodes(context);
  const counts = new Map<string, number>();
  for (const name of [...graph.nodes.keys()]) {
    const product = graph.nodes.get(name);
    if (product === undefined || !PRODUCTS.has(product.op)) continue;
    for (
      let step = foldNext(graph, product.name, kept);
      step !== null;
      step = foldNext(graph, step.product, kept)
    ) {
      counts.set(step.op, (counts.get(step.op) ?? 0) + 1);
    }
  }
  return [...counts].map(([op, count]) => `folded ${count} ${op} into the product before`);
}

/** A product, the bias behind it if there is one, and the node that follows both alone. */
interface Chain {
  readonly product: EditableNode;
  readonly bias: EditableNode | null;
  readonly next: EditableNode;
}

/** What was folded, and the name of the product after it. */
interface Step {
  readonly op: string;
  readonly product: string;
}

/** Folds the node that follows a product, or returns `null` when there is nothing to fold. */
function foldNext(graph: EditableGraph, name: string, kept: ReadonlySet<string>): Step | null {
  const chain = chainOf(graph, name, kept);
  if (chain === null) return null;
  const { product, bias, next } = chain;
  const weights = graph.constant(product.input[1] ?? '');
  if (weights?.dtype !== 'float32') return null;
  const channels = channelsOf(product, weights);
  const affine = affineOf(graph, next, bias?.name ?? product.name, channels, product);
  if (affine === null) return null;
  const old = bias === null ? null : vectorOf(graph.constant(bias.input[1] ?? ''), channels);
  if (bias !== null && old === null) return null;
  if (affine.scale === null && bias === null && next.op === 'BiasAdd') return null;
  if (affine.scale !== null) scaleWeights(graph, product, weights, affine.scale);
  return { op: next.op, product: replaceNext(graph, chain, joinedBias(old, affine, channels)) };
}

function chainOf(graph: EditableGraph, name: string, kept: ReadonlySet<string>): Chain | null {
  const users = graph.users();
  const product = graph.node(name);
  if (kept.has(name) || product.input.some(isControl)) return null;
  const after = onlyUser(users, product);
  if (after === null) return null;
  if (after.op !== 'BiasAdd' || after.input[0] !== name) return { product, bias: null, next: after };
  const next = kept.has(after.name) ? null : onlyUser(users, after);
  return next === null ? null : { product, bias: after, next };
}

function onlyUser(
  users: ReadonlyMap<string, readonly EditableNode[]>,
  node: EditableNode,
): EditableNode | null {
  const [user, ...others] = users.get(node.name) ?? [];
  if (user === undefined || others.length > 0 || user.input.some(isControl)) return null;
  return user.input.filter((input) => input === node.name).length === 1 ? user : null;
}

function channelsOf({ op, attr }: EditableNode, { shape }: TensorValue): number {
  if (op === 'DepthwiseConv2dNative') return (shape[2] ?? 0) * (shape[3] ?? 0);
  return (op === 'MatMul' && attr.get('transpose_b')?.b === true ? shape[0] : shape.at(-1)) ?? 0;
}

function channelsFirst({ attr }: EditableNode): boolean {
  const format = attr.get('data_format')?.s;
  return format !== undefined && new TextDecoder().decode(format) === 'NCHW';
}

/** What `next` does to the channels of `source`, or `null` when it is something else. */
function affineOf(
  graph: EditableGraph,
  next: EditableNode,
  source: string,
  channels: number,
  product: EditableNode,
): Affine | null {
  if (NORMS.has(next.op)) return next.input[0] === source ? normAffine(graph, next, channels) : null;
  const [a = '', b = ''] = next.input;
  const other = a === source ? b : a;
  const value = graph.constant(other);
  const vector =
    next.op === 'BiasAdd'
      ? vectorOf(value, channels)
      : channelVector(value, channels, channelsFirst(product), product.op);
  if (vector === null) return null;
  switch (next.op) {
    case 'Mul':
      return { scale: vector, shift: null };
    case 'Add':
    case 'AddV2':
    case 'BiasAdd':
      return { scale: null, shift: vector };
    case 'Sub':
      return a === source ? { scale: null, shift: vector.map((x) => -x) } : null;
    default:
      return null;
  }
}

/** A normalization with constant statistics whose other results nobody uses. */
function normAffine(graph: EditableGraph, norm: EditableNode, channels: number): Affine | null {
  if (norm.attr.get('is_training')?.b !== false) return null;
  const used = [...graph.nodes.values()].some(({ input }) =>
    input.some((item) => new RegExp(`^${escape(norm.name)}:\\d`).test(item)),
  );
  if (used) return null;
  const vectors = norm.input.slice(1, 5).flatMap((input) => vectorOf(graph.constant(input), channels) ?? []);
  const [gamma, beta, mean, variance] = vectors;
  if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return null;
  const epsilon = norm.attr.get('epsilon')?.f ?? 0.0001;
  const scale = gamma.map((x, i) => x / Math.sqrt((variance[i] ?? NaN) + epsilon));
  return { scale, shift: beta.map((x, i) => x - (mean[i] ?? NaN) * (scale[i] ?? NaN)) };
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** A vector with one element per channel. */
function vectorOf(value: TensorValue | null, channels: number): Float64Array | null {
  if (value?.dtype !== 'float32' || value.shape.length !== 1 || value.data.length !== channels) return null;
  return Float64Array.from(value.data as Float32Array);
}

/** A constant that broadcasts along the channels alone, as a vector. */
function channelVector(
  value: TensorValue | null,
  channels: number,
  first: boolean,
  product: string,
): Float64Array | null {
  if (value?.dtype !== 'float32') return null;
  const { shape, data } = value;
  const numbers = data as Float32Array;
  if (shape.length > (product === 'MatMul' ? 2 : 4)) return null;
  if (numbers.length === 1) return new Float64Array(channels).fill(numbers[0] ?? NaN);
  const axis = first ? -3 : -1;
  return numbers.length === channels && shape.at(axis) === channels ? Float64Array.from(numbers) : null;
}

/** Multiplies the weights of each output channel, in a constant of their own. */
function scaleWeights(
  graph: EditableGraph,
  product: EditableNode,
  weights: TensorValue,
  scale: Float64Array,
): void {
  const { shape, data } = weights;
  const channels = scale.length;
  const rows = product.op === 'MatMul' && product.attr.get('transpose_b')?.b === true;
  const inner = rows ? (shape[1] ?? 1) : 1;
  const scaled = Float32Array.from(
    data as Float32Array,
    (x, i) => x * (scale[Math.floor(i / inner) % channels] ?? NaN),
  );
  const name = graph.freeName(`${nodeNameOf(product.input[1] ?? product.name)}_folded`);
  graph.addConstant(name, new TensorValue('float32', shape, scaled), product.device);
  const [x = ''] = product.input;
  graph.set({ ...product, input: [x, name] });
}

function joinedBias(
  old: Float64Array | null,
  { scale, shift }: Affine,
  channels: number,
): Float64Array | null {
  if (old === null && shift === null) return null;
  return Float64Array.from(
    { length: channels },
    (_, i) => (old?.[i] ?? 0) * (scale?.[i] ?? 1) + (shift?.[i] ?? 0),
  );
}

/** Puts a bias in place of what was folded, or the product itself where there is none; returns the product's name. */
function replaceNext(
  graph: EditableGraph,
  { product, bias, next }: Chain,
  shift: Float64Array | null,
): string {
  if (bias !== null) graph.nodes.delete(bias.name);
  if (shift === null) {
    // The product takes the name of what followed it, which users know.
    const { name, ...rest } = graph.node(product.name);
    graph.nodes.delete(name);
    graph.nodes.delete(next.name);
    graph.set({ ...rest, name: next.name });
    return next.name;
  }
  const vector = graph.freeName(`${next.name}/bias`);
  graph.addConstant(
    vector,
    new TensorValue('float32', [shift.length], Float32Array.from(shift)),
    product.device,
  );
  const attr = new Map<string, Init<AttrValue>>([['T', product.attr.get('T') ?? { type: 1 }]]);
  const format = product.attr.get('data_format');
  attr.set('data_format', format ?? { s: new TextEncoder().encode('NHWC') });
  graph.set({ name: next.name, op: 'BiasAdd', input: [product.name, vector], device: next.device, attr });
  return product.name;
}
