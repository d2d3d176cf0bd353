/** The layers of Keras that layers models are made of, as they compute in inference. */
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor.js';
import { ATTENTION_LAYERS } from './attentionLayers.js';
import { CONV_LAYERS, POOLING_LAYERS } from './convLayers.js';
import { activated, finished, formatOf, numberOf, type Layer, type LayerCall } from './layerCall.js';
import { PREPARATION_LAYERS } from './preparationLayers.js';
import { RECURRENT_LAYERS } from './recurrentLayers.js';

const dense: Layer = (call) => {
  const kernel = call.weight('kernel');
  const { x } = call;
  return finished(call, x.shape.rank === 2 ? ops.matMul(x, kernel) : ops.tensordot(x, kernel, 1));
};

/** Statistics along `axis`, the last by default. */
const batchNormalization: Layer = (call) => {
  const { x, config } = call;
  const rank = x.shape.rank ?? call.fail('the rank of the input must be known');
  const given = Array.isArray(config.axis) ? (config.axis as unknown[])[0] : (config.axis ?? -1);
  const axis = typeof given === 'number' ? (given + rank) % rank : call.fail('axis must be a number');
  const shape = Array.from({ length: rank - axis }, (_, i) => (i === 0 ? -1 : 1));
  const vector = (name: string): Tensor =>
    shape.length === 1 ? call.weight(name) : ops.reshape(call.weight(name), shape);
  const root = ops.rsqrt(ops.add(vector('moving_variance'), numberOf(call, 'epsilon', 1e-3)));
  const scale = config.scale === false ? root : ops.mul(root, vector('gamma'));
  const shifted = ops.mul(ops.sub(x, vector('moving_mean')), scale);
  return config.center === false ? shifted : ops.add(shifted, vector('beta'));
};

const layerNormalization: Layer = (call) => {
  const { x, config } = call;
  const axis = Array.isArray(config.axis) ? (config.axis as number[]) : [numberOf(call, 'axis', -1)];
  const mean = ops.reduceMean(x, { axis, keepDims: true });
  const centred = ops.sub(x, mean);
  const variance = ops.reduceMean(ops.square(centred), { axis, keepDims: true });
  const normal = ops.mul(centred, ops.rsqrt(ops.add(variance, numberOf(call, 'epsilon', 1e-3))));
  const scaled = config.scale === false ? normal : ops.mul(normal, call.weight('gamma'));
  return config.center === false ? scaled : ops.add(scaled, call.weight('beta'));
};

/** Batch size times what is left, which may be unknown. */
function reshaped({ x }: LayerCall, target: readonly number[]): Tensor {
  const batch = x.shape.dims?.[0] ?? null;
  if (batch !== null) return ops.reshape(x, [batch, ...target]);
  if (!target.includes(-1)) return ops.reshape(x, [-1, ...target]);
  const sizes = (x.shape.dims ?? []).slice(1).reduce<number>((product, dim) => product * (dim ?? NaN), 1);
  const known = target.reduce((product, dim) => product * (dim === -1 ? 1 : dim), 1);
  return ops.reshape(x, [-1, ...target.map((dim) => (dim === -1 ? sizes / known : dim))]);
}

function fold(f: (a: Tensor, b: Tensor) => Tensor): Layer {
  return ({ inputs, x, masks }) => ({ outputs: [inputs.slice(1).reduce(f, x)], mask: allOf(masks) });
}

/** Where all masks that there are hold. */
function allOf(masks: readonly (Tensor | undefined)[]): Tensor | undefined {
  return masks.reduce((both, mask) => {
    if (both === undefined || mask === undefined) return both ?? mask;
    return ops.logicalAnd(both, mask);
  }, undefined);
}

/** Inputs side by side; a step counts where it does in all. */
const concatenate: Layer = (call) => ({
  outputs: [ops.concat([...call.inputs], numberOf(call, 'axis', -1))],
  mask: allOf(call.masks),
});

const average: Layer = ({ inputs, masks }) => ({
  outputs: [ops.div(ops.addN(inputs), inputs.length)],
  mask: allOf(masks),
});

/** Products along one axis of each of two inputs, for each element of the batch; lengths are divided out if asked for. */
const dot: Layer = (call) => {
  const [left, right] = call.inputs;
  if (left === undefined || right === undefined) return call.fail('takes two inputs');
  const given = call.config.axes;
  const axes = Array.isArray(given) ? (given as number[]) : [given, given];
  const rows = [left, right].map((x, i) => rowsOf(call, x, axes[i]));
  const [a = left, b = right] = rows;
  const product = ops.matMul(a, b, { transposeB: true });
  const dropped = [
    ...(left.shape.rank === 2 && right.shape.rank !== 2 ? [1] : []),
    ...(right.shape.rank === 2 ? [2] : []),
  ];
  return dropped.length === 0 ? product : ops.squeeze(product, { axis: dropped });
};

/** [batch, rows, elements of the axis] */
function rowsOf({ config, fail }: LayerCall, x: Tensor, axis: unknown): Tensor {
  const { rank } = x.shape;
  if (typeof axis !== 'number' || (rank !== 2 && rank !== 3))
    return fail('takes tensors of rank 2 or 3 and their axes');
  const at = axis < 0 ? axis + rank : axis;
  const squares = ops.reduceSum(ops.square(x), { axis: [at], keepDims: true });
  const scaled = config.normalize === true ? ops.div(x, ops.sqrt(ops.maximum(squares, 1e-7))) : x;
  if (rank === 2) return ops.expandDims(scaled, 1);
  return at === 2 ? scaled : ops.transpose(scaled, { perm: [0, 2, 1] });
}

/** Steps of which all elements are the mask's value do not count, and become zeros. */
const masking: Layer = (call) => {
  const counts = ops.reduceAny(ops.notEqual(call.x, numberOf(call, 'mask_value', 0)), {
    axis: [-1],
    keepDims: true,
  });
  return {
    outputs: [ops.mul(call.x, ops.cast(counts, call.x.dtype))],
    mask: ops.squeeze(counts, { axis: [-1] }),
  };
};

const embedding: Layer = (call) => {
  const words = ops.cast(call.x, 'int32');
  const rows = ops.gather(call.weight('embeddings'), words);
  return { outputs: [rows], mask: call.config.mask_zero === true ? ops.notEqual(words, 0) : undefined };
};

/** Paddings or croppings of height and width: a number, two, or two pairs. */
function borders(call: LayerCall, name: string): [[number, number], [number, number]] {
  const value = call.config[name] ?? 1;
  const list = Array.isArray(value) ? (value as unknown[]) : [value, value];
  const [y, x] = list.map((item) => (Array.isArray(item) ? (item as number[]) : [item, item]));
  const [top, bottom] = y ?? [];
  const [left, right] = x ?? [];
  const numbers = [top, bottom, left, right].map((item) =>
    typeof item === 'number' ? item : call.fail(`${name} must be numbers`),
  );
  return [
    [numbers[0] ?? 0, numbers[1] ?? 0],
    [numbers[2] ?? 0, numbers[3] ?? 0],
  ];
}

const zeroPadding2d: Layer = (call) => {
  const around = borders(call, 'padding');
  const none: [number, number] = [0, 0];
  const paddings = formatOf(call) === 'NCHW' ? [none, none, ...around] : [none, ...around, none];
  return ops.pad(call.x, ops.constant(paddings, { dtype: 'int32' }));
};

const cropping2d: Layer = (call) => {
  const [[top, bottom], [left, right]] = borders(call, 'cropping');
  const first = formatOf(call) === 'NCHW';
  // An end of 0 from the back is the end of the image.
  const edges: [number, number, number, number] = first ? [0, 0, top, left] : [0, top, left, 0];
  const ends: [number, number, number, number] = first ? [0, 0, -bottom, -right] : [0, -bottom, -right, 0];
  const endMask = ends.reduce((mask, end, i) => (end === 0 ? mask | (1 << i) : mask), 0);
  return ops.stridedSlice(call.x, edges, ends, { endMask });
};

const pass: Layer = ({ x }) => x;

/** Layers through which a mask goes on unchanged; recurrent, merging and masking layers give masks of their own. */
export const PASS_MASKS: ReadonlySet<string> = new Set([
  'Activation', 'ActivityRegularization', 'AlphaDropout', 'BatchNormalization', 'BatchNormalizationV1', 'Dense', 'Dropout', 'ELU',
  'GaussianDropout', 'GaussianNoise', 'InputLayer', 'LayerNormalization', 'LeakyReLU', 'PReLU', 'PositionEmbedding', 'ReLU', 'Softmax', 'SpatialDropout1D',
  'SpatialDropout2D', 'ThresholdedReLU', 'TimeDistributed',
]); // prettier-ignore

export const LAYERS: Readonly<Record<string, Layer>> = {
  ...ATTENTION_LAYERS,
  ...CONV_LAYERS,
  ...POOLING_LAYERS,
  ...PREPARATION_LAYERS,
  ...RECURRENT_LAYERS,
  InputLayer: pass,
  Dropout: pass,
  SpatialDropout1D: pass,
  SpatialDropout2D: pass,
  GaussianNoise: pass,
  GaussianDropout: pass,
  AlphaDropout: pass,
  RandomHeight: pass,
  RandomWidth: pass,
  ActivityRegularization: pass,
  Dense: dense,
  BatchNormalization: batchNormalization,
  BatchNormalizationV1: batchNormalization,
  LayerNormalization: layerNormalization,
  Activation: (call) => activated(call, call.x),
  ReLU: (call) => {
    const most = call.config.max_value;
    const positive = ops.relu(call.x);
    return typeof most === 'number' ? ops.minimum(positive, most) : positive;
  },
  LeakyReLU: (call) => ops.leakyRelu(call.x, { alpha: numberOf(call, 'alpha', 0.3) }),
  PReLU: (call) => ops.prelu(call.x, call.weight('alpha')),
  ELU: (call) => {
    const alpha = numberOf(call, 'alpha', 1);
    return ops.where(ops.greater(call.x, 0), call.x, ops.mul(alpha, ops.expm1(call.x)));
  },
  ThresholdedReLU: (call) =>
    ops.mul(call.x, ops.cast(ops.greater(call.x, numberOf(call, 'theta', 1)), call.x.dtype)),
  Softmax: (call) => ops.softmax(call.x, { axis: numberOf(call, 'axis', -1) }),
  Flatten: (call) => reshaped(call, [-1]),
  Reshape: (call) => {
    const target = call.config.target_shape;
    if (!Array.isArray(target)) return call.fail('target_shape must be a list');
    return reshaped(call, target as number[]);
  },
  Permute: (call) => {
    const dims = call.config.dims;
    if (!Array.isArray(dims)) return call.fail('dims must be a list');
    return ops.transpose(call.x, { perm: [0, ...(dims as number[])] });
  },
  RepeatVector: (call) => ops.tile(ops.expandDims(call.x, 1), [1, numberOf(call, 'n'), 1]),
  Embedding: embedding,
  Rescaling: (call) => ops.add(ops.mul(call.x, numberOf(call, 'scale')), numberOf(call, 'offset', 0)),
  Add: fold((a, b) => ops.add(a, b)),
  Multiply: fold((a, b) => ops.mul(a, b)),
  Subtract: fold((a, b) => ops.sub(a, b)),
  Maximum: fold((a, b) => ops.maximum(a, b)),
  Minimum: fold((a, b) => ops.minimum(a, b)),
  Average: average,
  Concatenate: concatenate,
  Dot: dot,
  Masking: masking,
  ZeroPadding2D: zeroPadding2d,
  Cropping2D: cropping2d,
};
