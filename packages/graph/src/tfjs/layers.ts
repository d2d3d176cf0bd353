/** The layers of Keras that layers models are made of, as they compute in inference. */
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor.js';

export type LayerConfig = Readonly<Record<string, unknown>>;

/** One call of a layer. */
export interface LayerCall {
  readonly x: Tensor;
  readonly inputs: readonly Tensor[];
  readonly config: LayerConfig;
  /** A weight by its name in the layer. */
  weight(name: string): Tensor;
  fail(rule: string): never;
}

type Layer = (call: LayerCall) => Tensor;

function numberOf({ config, fail }: LayerCall, name: string, fallback?: number): number {
  const value = config[name] ?? fallback;
  return typeof value === 'number' ? value : fail(`${name} must be a number, got ${JSON.stringify(value)}`);
}

/** Numbers for two axes; one number stands for both. */
function pairOf({ config, fail }: LayerCall, name: string, fallback: number): [number, number] {
  const value = config[name] ?? fallback;
  if (typeof value === 'number') return [value, value];
  const [a, b = a] = Array.isArray(value) ? (value as unknown[]) : [];
  return typeof a === 'number' && typeof b === 'number' ? [a, b] : fail(`${name} must be one or two numbers`);
}

function formatOf({ config }: LayerCall): 'NHWC' | 'NCHW' {
  return config.data_format === 'channels_first' || config.data_format === 'channelsFirst' ? 'NCHW' : 'NHWC';
}

function paddingOf({ config, fail }: LayerCall): 'SAME' | 'VALID' {
  const padding = typeof config.padding === 'string' ? config.padding.toUpperCase() : 'VALID';
  return padding === 'SAME' || padding === 'VALID' ? padding : fail(`padding ${padding} is not known`);
}

const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  linear: (x) => x,
  relu: (x) => ops.relu(x),
  relu6: (x) => ops.relu6(x),
  elu: (x) => ops.elu(x),
  selu: (x) => ops.selu(x),
  sigmoid: (x) => ops.sigmoid(x),
  hardSigmoid: (x) => ops.clipByValue(ops.add(ops.mul(x, 0.2), 0.5), 0, 1),
  hard_sigmoid: (x) => ops.clipByValue(ops.add(ops.mul(x, 0.2), 0.5), 0, 1),
  softmax: (x) => ops.softmax(x),
  logSoftmax: (x) => ops.logSoftmax(x),
  softplus: (x) => ops.softplus(x),
  softsign: (x) => ops.softsign(x),
  tanh: (x) => ops.tanh(x),
  swish: (x) => ops.mul(x, ops.sigmoid(x)),
  silu: (x) => ops.mul(x, ops.sigmoid(x)),
  mish: (x) => ops.mul(x, ops.tanh(ops.softplus(x))),
  gelu: (x) => ops.gelu(x),
};

/** Bias and activation after a product. */
function finished(call: LayerCall, product: Tensor, dataFormat: 'NHWC' | 'NCHW' = 'NHWC'): Tensor {
  const { config } = call;
  const biased =
    config.use_bias === false ? product : ops.biasAdd(product, call.weight('bias'), { dataFormat });
  return activated(call, biased);
}

function activated({ config, fail }: LayerCall, x: Tensor): Tensor {
  const name = config.activation ?? 'linear';
  const activation =
    typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  return activation === undefined
    ? fail(`the activation ${JSON.stringify(name)} is not known`)
    : activation(x);
}

const dense: Layer = (call) => {
  const kernel = call.weight('kernel');
  const { x } = call;
  return finished(call, x.shape.rank === 2 ? ops.matMul(x, kernel) : ops.tensordot(x, kernel, 1));
};

const conv2d: Layer = (call) => {
  const dataFormat = formatOf(call);
  const windows = {
    strides: pairOf(call, 'strides', 1),
    dilations: pairOf(call, 'dilation_rate', 1),
    padding: paddingOf(call),
  };
  return finished(call, ops.conv2d(call.x, call.weight('kernel'), { ...windows, dataFormat }), dataFormat);
};

const depthwiseConv2d: Layer = (call) => {
  const dataFormat = formatOf(call);
  const windows = {
    strides: pairOf(call, 'strides', 1),
    dilations: pairOf(call, 'dilation_rate', 1),
    padding: paddingOf(call),
  };
  const kernel = call.weight('depthwise_kernel');
  return finished(call, ops.depthwiseConv2dNative(call.x, kernel, { ...windows, dataFormat }), dataFormat);
};

const separableConv2d: Layer = (call) => {
  const dataFormat = formatOf(call);
  const [depthwise, pointwise] = [call.weight('depthwise_kernel'), call.weight('pointwise_kernel')];
  const windows = {
    strides: pairOf(call, 'strides', 1),
    dilations: pairOf(call, 'dilation_rate', 1),
    padding: paddingOf(call),
  };
  const channels = ops.depthwiseConv2dNative(call.x, depthwise, { ...windows, dataFormat });
  return finished(call, ops.conv2d(channels, pointwise, { padding: 'VALID', dataFormat }), dataFormat);
};

function pooling(pool: typeof ops.avgPool2d): Layer {
  return (call) => {
    const ksize = pairOf(call, 'pool_size', 2);
    const strides = call.config.strides == null ? ksize : pairOf(call, 'strides', 2); // eslint-disable-line eqeqeq -- null and undefined
    return pool(call.x, { ksize, strides, padding: paddingOf(call), dataFormat: formatOf(call) });
  };
}

function globalPooling(reduce: (x: Tensor, options: { axis: number[]; keepDims: boolean }) => Tensor): Layer {
  return (call) =>
    reduce(call.x, {
      axis: formatOf(call) === 'NCHW' ? [2, 3] : [1, 2],
      keepDims: call.config.keepdims === true,
    });
}

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
  return ({ inputs, x }) => inputs.slice(1).reduce(f, x);
}

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
  const dims = call.x.shape.dims ?? call.fail('the size of the image must be known');
  const [height, width] = first ? [dims[2], dims[3]] : [dims[1], dims[2]];
  if (typeof height !== 'number' || typeof width !== 'number')
    return call.fail('the size of the image must be known');
  const [h, w] = [height - top - bottom, width - left - right];
  return first
    ? ops.slice(call.x, [0, 0, top, left], [-1, -1, h, w])
    : ops.slice(call.x, [0, top, left, 0], [-1, h, w, -1]);
};

const upSampling2d: Layer = (call) => {
  const [fy, fx] = pairOf(call, 'size', 2);
  const dims = call.x.shape.dims ?? [];
  const [, height, width] = dims;
  if (formatOf(call) === 'NCHW') return call.fail('channels first are not known here');
  if (typeof height !== 'number' || typeof width !== 'number')
    return call.fail('the size of the image must be known');
  const size = ops.constant([height * fy, width * fx], { dtype: 'int32' });
  if (call.config.interpolation !== 'bilinear') return ops.resizeNearestNeighbor(call.x, size);
  return ops.resizeBilinear(call.x, size, { halfPixelCenters: false });
};

const pass: Layer = ({ x }) => x;

export const LAYERS: Readonly<Record<string, Layer>> = {
  InputLayer: pass,
  Dropout: pass,
  SpatialDropout1D: pass,
  SpatialDropout2D: pass,
  GaussianNoise: pass,
  GaussianDropout: pass,
  AlphaDropout: pass,
  ActivityRegularization: pass,
  Dense: dense,
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  MaxPooling2D: pooling(ops.maxPool2d),
  AveragePooling2D: pooling(ops.avgPool2d),
  GlobalAveragePooling2D: globalPooling(ops.reduceMean),
  GlobalMaxPooling2D: globalPooling(ops.reduceMax),
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
  Embedding: (call) => ops.gather(call.weight('embeddings'), ops.cast(call.x, 'int32')),
  Rescaling: (call) => ops.add(ops.mul(call.x, numberOf(call, 'scale')), numberOf(call, 'offset', 0)),
  Add: fold((a, b) => ops.add(a, b)),
  Multiply: fold((a, b) => ops.mul(a, b)),
  Subtract: fold((a, b) => ops.sub(a, b)),
  Maximum: fold((a, b) => ops.maximum(a, b)),
  Minimum: fold((a, b) => ops.minimum(a, b)),
  Average: (call) => ops.div(fold((a, b) => ops.add(a, b))(call), call.inputs.length),
  Concatenate: (call) => ops.concat([...call.inputs], numberOf(call, 'axis', -1)),
  ZeroPadding2D: zeroPadding2d,
  Cropping2D: cropping2d,
  UpSampling2D: upSampling2d,
};
