/** Attention of ONNX and what transformers have beside it (operator sets 23 and 24), made of products and a softmax. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { onnxDType } from './tensors.js';

/** A size: a number where it is known. */
type Size = number | Tensor;

const int = (value: number): Tensor => fr.constant(value, { dtype: 'int32' });
const sizeTensor = (size: Size): Tensor => (typeof size === 'number' ? int(size) : size);
const sizeOf = (x: Tensor, axis: number): Size => x.shape.dim(axis) ?? fr.gather(fr.shape(x), int(axis));

function reshaped(x: Tensor, sizes: readonly Size[]): Tensor {
  return fr.reshape(x, fr.stack(sizes.map(sizeTensor)));
}

/** [batch, heads, length, size of a head], also of [batch, length, heads * size of a head]. */
function inHeads(node: ImportNode, index: number, attribute: string): Tensor {
  const x = node.input(index);
  if (node.rank(index) === 4) return x;
  if (node.rank(index) !== 3) node.fail(`input ${index} must have rank 3 or 4, has ${node.rank(index)}`);
  const heads = node.int(attribute, 0);
  const width = x.shape.dim(2) ?? node.fail(`the width of input ${index} is not known`);
  if (heads < 1 || width % heads !== 0)
    node.fail(`a width of ${width} cannot be divided into ${heads} heads (${attribute})`);
  const apart = reshaped(x, [sizeOf(x, 0), sizeOf(x, 1), heads, width / heads]);
  return fr.transpose(apart, { perm: [0, 2, 1, 3] });
}

/** [batch, length, heads * size of a head] of [batch, heads, length, size of a head]. */
function joinedHeads(node: ImportNode, x: Tensor): Tensor {
  const [heads, size] = [x.shape.dim(1), x.shape.dim(3)];
  if (heads === null || size === null) return node.fail('the size of the heads is not known');
  return reshaped(fr.transpose(x, { perm: [0, 2, 1, 3] }), [sizeOf(x, 0), sizeOf(x, 2), heads * size]);
}

/** Keys or values with every head as often as there are heads of queries for it. */
function repeatedHeads(node: ImportNode, x: Tensor, queries: Tensor): Tensor {
  const [have, want] = [x.shape.dim(1), queries.shape.dim(1)];
  if (have === null || want === null) return node.fail('the number of heads is not known');
  if (have === want) return x;
  if (have < 1 || want % have !== 0)
    node.fail(`${want} heads of queries cannot share ${have} heads of keys and values`);
  return fr.repeat(x, want / have, { axis: 1 });
}

/** What is added to scores [batch, heads, queries, keys]: minus infinity where a mask or a window forbids a key. */
function biases(node: ImportNode, queries: Size, keys: Size): Tensor[] {
  const allowed = allowedKeys(node, queries, keys);
  const windows = allowed.map((where) => forbidding(where));
  if (!node.has(3)) return windows;
  const given = node.input(3);
  const mask = given.dtype === 'bool' ? forbidding(given) : fr.cast(given, 'float32');
  const length = sizeOf(mask, -1 + node.rank(3));
  if (length === keys) return [...windows, mask];
  // A shorter mask says nothing of the last keys: they are not attended.
  const missing = fr.sub(sizeTensor(keys), sizeTensor(length));
  const zeros = fr.zeros([node.rank(3) - 1, 2], { dtype: 'int32' });
  const last = fr.reshape(fr.stack([int(0), missing]), [1, 2]);
  return [...windows, fr.pad(mask, fr.concat([zeros, last], 0), { constantValues: -Infinity })];
}

const forbidding = (allowed: Tensor): Tensor => fr.whereV2(allowed, fr.constant(0), fr.constant(-Infinity));

/** Conditions on [batch, 1, queries, keys] by the places of queries and keys. */
function allowedKeys(node: ImportNode, queries: Size, keys: Size): Tensor[] {
  const [left, right] = [node.int('left_window_size', -1), node.int('right_window_size', -1)];
  const causal = node.int('is_causal', 0) === 1;
  const key = fr.range(sizeTensor(keys));
  const lengths = node.has(6) ? fr.reshape(fr.cast(node.input(6), 'int32'), [-1, 1, 1, 1]) : undefined;
  const conditions = lengths === undefined ? [] : [fr.less(key, lengths)];
  if (!causal && left < 0 && right < 0) return conditions;
  const offset = node.has(4)
    ? sizeTensor(sizeOf(node.input(4), 2))
    : lengths === undefined
      ? int(0)
      : fr.sub(lengths, sizeTensor(queries));
  const query = fr.add(fr.expandDims(fr.range(sizeTensor(queries)), 1), offset);
  if (causal) conditions.push(fr.lessEqual(key, query));
  if (left >= 0) conditions.push(fr.greaterEqual(key, fr.sub(query, int(left))));
  if (right >= 0) conditions.push(fr.lessEqual(key, fr.add(query, int(right))));
  return conditions;
}

/** Softmax of rows; a row of which no key is allowed is zero. */
function guardedSoftmax(scores: Tensor): Tensor {
  const nobody = fr.less(fr.reduceMax(scores, { axis: -1, keepDims: true }), -3e38);
  const zeros = fr.zerosLike(scores);
  return fr.whereV2(nobody, zeros, fr.softmax(fr.whereV2(nobody, zeros, scores)));
}

/**
 * Queries, keys, values, mask, keys and values before, number of keys that count. Scores, mask and softmax are computed in float32 whatever
 * `softmax_precision` says; the results have the dtype of the queries.
 */
const attention: NodeImporter = (node) => {
  const q = inHeads(node, 0, 'q_num_heads');
  const [newKeys, newValues] = [inHeads(node, 1, 'kv_num_heads'), inHeads(node, 2, 'kv_num_heads')];
  if (node.has(4) !== node.has(5)) node.fail('past keys and past values must be given together');
  const k = node.has(4) ? fr.concat([node.input(4), newKeys], 2) : newKeys;
  const v = node.has(5) ? fr.concat([node.input(5), newValues], 2) : newValues;
  const size = q.shape.dim(3) ?? node.fail('the size of the heads is not known');
  const scaled = fr.mul(fr.cast(q, 'float32'), node.float('scale', 1 / Math.sqrt(size)));
  const products = fr.matMul(scaled, fr.cast(repeatedHeads(node, k, q), 'float32'), { transposeB: true });
  const cap = node.float('softcap', 0);
  const capped = cap === 0 ? products : fr.mul(fr.tanh(fr.div(products, cap)), cap);
  const scores = biases(node, sizeOf(q, 2), sizeOf(k, 2)).reduce((sum, bias) => fr.add(sum, bias), capped);
  const weights = guardedSoftmax(scores);
  const values = fr.cast(repeatedHeads(node, v, q), 'float32');
  const y = fr.cast(fr.matMul(weights, values), q.dtype);
  const shown = [products, capped, scores, weights][node.int('qk_matmul_output_mode', 0)];
  return [
    node.rank(0) === 3 ? joinedHeads(node, y) : y,
    k,
    v,
    fr.cast(shown ?? node.fail('qk_matmul_output_mode must be 0 to 3'), q.dtype),
  ];
};

/** Pairs of a head's elements turned by the angles of their positions: x, cosines, sines, positions. */
const rotaryEmbedding: NodeImporter = (node) => {
  const x = inHeads(node, 0, 'num_heads');
  const size = x.shape.dim(3) ?? node.fail('the size of the heads is not known');
  const turned = node.int('rotary_embedding_dim', 0) || size;
  if (turned % 2 !== 0 || turned > size) node.fail(`rotary_embedding_dim ${turned} of ${size} elements`);
  const angles = (index: number): Tensor => {
    const table = node.input(index);
    return fr.expandDims(node.has(3) ? fr.gather(table, node.input(3)) : table, 1);
  };
  const [cosine, sine] = [angles(1), angles(2)];
  const interleaved = node.int('interleaved', 0) === 1;
  const part = (from: number, to: number, step: number): Tensor =>
    fr.stridedSlice(x, [0, 0, 0, from], [0, 0, 0, to], {
      strides: [1, 1, 1, step],
      beginMask: 7,
      endMask: 7,
    });
  const half = turned / 2;
  const [a, b] = interleaved ? [part(0, turned, 2), part(1, turned, 2)] : [part(0, half, 1), part(half, turned, 1)]; // prettier-ignore
  const real = fr.sub(fr.mul(cosine, a), fr.mul(sine, b));
  const imaginary = fr.add(fr.mul(sine, a), fr.mul(cosine, b));
  const front = interleaved
    ? reshaped(fr.stack([real, imaginary], { axis: -1 }), [sizeOf(x, 0), sizeOf(x, 1), sizeOf(x, 2), turned])
    : fr.concat([real, imaginary], -1);
  const y = turned === size ? front : fr.concat([front, part(turned, size, 1)], -1);
  return node.rank(0) === 3 ? joinedHeads(node, y) : y;
};

/** x / root of the mean square over the axes from `axis` on, in the precision of `stash_type`, times a scale. */
const rmsNormalization: NodeImporter = (node) => {
  const [x, rank] = [node.input(0), node.rank(0)];
  const [first = 0] = node.axes([node.int('axis', -1)], rank);
  const axis = Array.from({ length: rank - first }, (_, i) => first + i);
  const precise = fr.cast(x, onnxDType(node.int('stash_type', 1), node.label));
  const mean = fr.reduceMean(fr.square(precise), { axis, keepDims: true });
  const y = fr.mul(precise, fr.rsqrt(fr.add(mean, node.float('epsilon', 1e-5))));
  return fr.mul(fr.cast(y, x.dtype), node.input(1));
};

/** A cache with rows along one axis replaced, from a place of its own for each batch: cache, update, places. */
const tensorScatter: NodeImporter = (node) => {
  const [cache, update, rank] = [node.input(0), node.input(1), node.rank(0)];
  const [axis = 1] = node.axes([node.int('axis', -2)], rank);
  if (axis === 0) node.fail('the axis cannot be that of the batch');
  const rows = sizeTensor(sizeOf(update, axis));
  const [batch, places] = [sizeTensor(sizeOf(cache, 0)), sizeTensor(sizeOf(cache, axis))];
  const start = node.has(2) ? fr.cast(node.input(2), 'int32') : fr.fill(fr.reshape(batch, [1]), int(0));
  const at = fr.add(fr.expandDims(start, 1), fr.range(rows));
  const mode = node.text('mode', 'linear');
  if (mode !== 'linear' && mode !== 'circular') node.fail(`the mode "${mode}" is not known`);
  const row = mode === 'circular' ? fr.floorMod(at, places) : at;
  const batches = fr.broadcastTo(fr.expandDims(fr.range(batch), 1), fr.shape(row));
  // The axis goes behind the batch, where index vectors begin, and back.
  const moved = [0, axis, ...Array.from({ length: rank - 1 }, (_, i) => i + 1).filter((i) => i !== axis)];
  const back = moved.map((_, i) => moved.indexOf(i));
  const y = fr.tensorScatterUpdate(
    fr.transpose(cache, { perm: moved }),
    fr.stack([batches, row], { axis: -1 }),
    fr.transpose(update, { perm: moved }),
  );
  return fr.transpose(y, { perm: back });
};

export const ATTENTION_OPS: Readonly<Record<string, NodeImporter>> = {
  Attention: attention,
  RMSNormalization: rmsNormalization,
  RotaryEmbedding: rotaryEmbedding,
  TensorScatter: tensorScatter,
};
