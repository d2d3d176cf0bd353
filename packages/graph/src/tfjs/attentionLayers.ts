/**
 * Attention of several heads and embeddings of positions, as Keras describes them in layers models: the value, the key and the mask
 * are arguments of the call beside the query.
 */
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor.js';
import { numberOf, type Layer, type LayerCall, type LayerResult } from './layerCall.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** What is added to the scores of what a mask leaves out. */
const MASKED = -1e9;

/** [..., in] as [..., heads, size] (or [...] for the result), by a part's kernel and bias. */
function projected(call: LayerCall, names: readonly string[], x: Tensor, axes: number): Tensor {
  const { part, name } = partOf(call, names);
  const y = ops.tensordot(x, part(`${name}/kernel`), axes);
  return call.config.use_bias === false ? y : ops.add(y, part(`${name}/bias`));
}

/** A part by the first of its names under which there are weights: Keras and TensorFlow.js write them in two ways. */
function partOf(call: LayerCall, names: readonly string[]): { part: LayerCall['weight']; name: string } {
  const found = names.find((name) => call.hasWeight(`${name}/kernel`));
  return { part: (weight) => call.weight(weight), name: found ?? names[0] ?? '' };
}

interface Equations {
  /** Query and key to scores, scores and value to the result. */
  readonly scores: string;
  readonly sums: string;
}

/** Products of [batch, …, heads, size] along the attention axes; what is left between these is one more batch. */
function equations(rank: number, axes: readonly number[]): Equations {
  const query = LETTERS.slice(0, rank);
  const other = Array.from(query)
    .map((letter, i) => (axes.includes(i) ? (LETTERS[rank + i] ?? '') : letter))
    .join('');
  const shared = Array.from(query)
    .filter((_, i) => !axes.includes(i) && i < rank - 1)
    .join('');
  const along = (letters: string): string => axes.map((axis) => letters[axis] ?? '').join('');
  const scores = shared + along(query) + along(other);
  const [size, own] = [query[rank - 1] ?? '', LETTERS[2 * rank] ?? ''];
  const valued = (letters: string): string => letters.slice(0, -1) + own;
  return {
    scores: `${query},${other.slice(0, -1)}${size}->${scores}`,
    sums: `${scores},${valued(other)}->${valued(query)}`,
  };
}

/** Where a query may look, [batch, query, key]; `undefined` where everywhere. */
function maskOf(call: LayerCall, query: Tensor, value: Tensor): Tensor | undefined {
  const [own, others] = [call.maskOf(query), call.maskOf(value)];
  const masks = [
    ...(own === undefined ? [] : [ops.expandDims(own, 2)]),
    ...(others === undefined ? [] : [ops.expandDims(others, 1)]),
    ...(call.named.attention_mask === undefined ? [] : [ops.cast(call.named.attention_mask, 'bool')]),
    ...(call.args.use_causal_mask === true ? [causalMask(query, value)] : []),
  ];
  return masks.length === 0 ? undefined : masks.reduce((both, mask) => ops.logicalAnd(both, mask));
}

/** No step looks at later ones. */
function causalMask(query: Tensor, value: Tensor): Tensor {
  const places = (x: Tensor): Tensor => ops.range(x.shape.dim(1) ?? ops.gather(ops.shape(x), 1));
  const later = ops.greaterEqual(ops.expandDims(places(query), 1), ops.expandDims(places(value), 0));
  return ops.expandDims(later, 0);
}

/** Shares of 1 along the last `count` axes. */
function shares(scores: Tensor, count: number): Tensor {
  if (count === 1) return ops.softmax(scores);
  const axis = Array.from({ length: count }, (_, i) => i - count);
  return ops.exp(ops.sub(scores, ops.reduceLogSumExp(scores, { axis, keepDims: true })));
}

const multiHeadAttention: Layer = (call) => {
  const { config, named } = call;
  const [query, second, third] = call.inputs;
  const value = named.value ?? second;
  if (query === undefined || value === undefined) return call.fail('takes a query and a value');
  const key = named.key ?? third ?? value;
  const rank = (query.shape.rank ?? call.fail('the rank of the query must be known')) + 1;
  const given = config.attention_axes;
  const axes = given === null || given === undefined ? Array.from({ length: rank - 3 }, (_, i) => i + 1) : ([given].flat() as number[]); // prettier-ignore
  if (axes.length === 0 || axes.some((axis) => !Number.isInteger(axis) || axis < 1 || axis > rank - 3))
    return call.fail(`attention_axes ${JSON.stringify(given)} of a query of rank ${rank - 1}`);
  const { scores, sums } = equations(rank, axes);
  const q = ops.mul(projected(call, ['query'], query, 1), 1 / Math.sqrt(numberOf(call, 'key_dim')));
  const products = ops.einsum(scores, q, projected(call, ['key'], key, 1));
  const mask = maskOf(call, query, value);
  if (mask !== undefined && axes.length !== 1) return call.fail('masks along several axes are not supported');
  const kept = mask === undefined ? products : masked(products, mask);
  const found = ops.einsum(sums, shares(kept, axes.length), projected(call, ['value'], value, 1));
  const y = projected(call, ['attention_output', 'attentionOutput'], found, 2);
  return { outputs: [y], mask: call.maskOf(query) } satisfies LayerResult;
};

/** Scores [batch, …, heads, query, key] with a mask [batch, query, key]. */
function masked(scores: Tensor, mask: Tensor): Tensor {
  const between = (scores.shape.rank ?? 4) - (mask.shape.rank ?? 3);
  const wide = Array.from({ length: between }).reduce<Tensor>((x) => ops.expandDims(x, 1), mask);
  return ops.add(scores, ops.mul(ops.sub(1, ops.cast(wide, scores.dtype)), MASKED));
}

/** A vector for each place of a sequence, the same for all sequences. */
const positionEmbedding: Layer = (call) => {
  const table = call.weight('embeddings');
  const sizes = ops.shape(call.x);
  const length = call.x.shape.dim(-2) ?? ops.gather(sizes, -2);
  const [rows, width] = [table.shape.dim(0), call.x.shape.dim(-1)];
  if (width !== table.shape.dim(1)) return call.fail(`vectors of ${String(width)} for embeddings of ${String(table.shape.dim(1))}`);
  if (typeof length === 'number' && rows !== null && length > rows) return call.fail(`${length} steps for ${rows} embeddings`);
  const own = ops.gather(table, ops.range(length));
  const y = ops.broadcastTo(own, sizes);
  y.setShape(call.x.shape);
  return y;
}; // prettier-ignore

export const ATTENTION_LAYERS: Readonly<Record<string, Layer>> = {
  CachedMultiHeadAttention: multiHeadAttention,
  MultiHeadAttention: multiHeadAttention,
  PositionEmbedding: positionEmbedding,
};
