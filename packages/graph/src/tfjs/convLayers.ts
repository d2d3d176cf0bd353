/** Convolutions and pools of layers models, of sequences, images and volumes. */
import * as ops from '../ops/index.js';
import type { Tensor, TensorLike } from '../tensor.js';
import {
  finished,
  formatOf,
  isChannelsFirst,
  paddingOf,
  perAxis,
  type Layer,
  type LayerCall,
} from './layerCall.js';

interface Windows {
  readonly strides: number[];
  readonly dilations: number[];
  readonly padding: 'SAME' | 'VALID';
}

function windowsOf(call: LayerCall, rank: number): Windows {
  const [strides, dilations] = [perAxis(call, 'strides', rank), perAxis(call, 'dilation_rate', rank)];
  return { strides, dilations, padding: paddingOf(call) };
}

const conv2d: Layer = (call) => {
  const dataFormat = formatOf(call);
  const y = ops.conv2d(call.x, call.weight('kernel'), { ...windowsOf(call, 2), dataFormat });
  return finished(call, y, dataFormat);
};

/** As a convolution of images of one row. `causal` pads before the sequence only. */
const conv1d: Layer = (call) => {
  if (isChannelsFirst(call)) return call.fail('channels first are not known here');
  const causal = call.config.padding === 'causal';
  const kernel = call.weight('kernel');
  const windows = windowsOf(causal ? { ...call, config: { ...call.config, padding: 'valid' } } : call, 1);
  const before = ((kernel.shape.dim(0) ?? 1) - 1) * (windows.dilations[0] ?? 1);
  const x = causal ? ops.pad(call.x, [[0, 0], [before, 0], [0, 0]]) : call.x; // prettier-ignore
  const y = ops.conv2d(ops.expandDims(x, 1), ops.expandDims(kernel, 0), {
    strides: [1, ...windows.strides],
    dilations: [1, ...windows.dilations],
    padding: windows.padding,
  });
  return finished(call, ops.squeeze(y, { axis: [1] }));
};

const conv3d: Layer = (call) => {
  const first = isChannelsFirst(call);
  const x = first ? ops.transpose(call.x, { perm: [0, 2, 3, 4, 1] }) : call.x;
  const y = finished(call, ops.conv3d(x, call.weight('kernel'), windowsOf(call, 3)));
  return first ? ops.transpose(y, { perm: [0, 4, 1, 2, 3] }) : y;
};

/** The sizes of a transposed convolution's result: as many as a convolution with this window would take. */
function grown(call: LayerCall, kernel: Tensor, rank: number): TensorLike {
  const { strides, padding } = windowsOf(call, rank);
  const first = isChannelsFirst(call);
  const dims = call.x.shape.dims ?? [];
  const sizes = strides.map((stride, i) => {
    const size = dims[i + (first ? 2 : 1)] ?? call.fail('the size of the input must be known');
    const extra = padding === 'SAME' ? 0 : Math.max((kernel.shape.dim(i) ?? 1) - stride, 0);
    return size * stride + extra;
  });
  const channels = kernel.shape.dim(rank) ?? 0;
  const rest = first ? [channels, ...sizes] : [...sizes, channels];
  const [batch] = dims;
  if (typeof batch === 'number') return [batch, ...rest];
  const rows = ops.slice(ops.shape(call.x), [0], [1]);
  return ops.concat([rows, ops.constant(rest, { dtype: 'int32' })], 0);
}

const conv2dTranspose: Layer = (call) => {
  const dataFormat = formatOf(call);
  const kernel = call.weight('kernel');
  const { strides, padding } = windowsOf(call, 2);
  const y = ops.conv2dTranspose(call.x, kernel, grown(call, kernel, 2), { strides, padding, dataFormat });
  return finished(call, y, dataFormat);
};

const conv3dTranspose: Layer = (call) => {
  if (isChannelsFirst(call)) return call.fail('channels first are not known here');
  const kernel = call.weight('kernel');
  const { strides, padding } = windowsOf(call, 3);
  return finished(call, ops.conv3dTranspose(call.x, kernel, grown(call, kernel, 3), { strides, padding }));
};

const depthwiseConv2d: Layer = (call) => {
  const dataFormat = formatOf(call);
  const kernel = call.weight('depthwise_kernel');
  const y = ops.depthwiseConv2dNative(call.x, kernel, { ...windowsOf(call, 2), dataFormat });
  return finished(call, y, dataFormat);
};

const separableConv2d: Layer = (call) => {
  const dataFormat = formatOf(call);
  const [depthwise, pointwise] = [call.weight('depthwise_kernel'), call.weight('pointwise_kernel')];
  const channels = ops.depthwiseConv2dNative(call.x, depthwise, { ...windowsOf(call, 2), dataFormat });
  return finished(call, ops.conv2d(channels, pointwise, { padding: 'VALID', dataFormat }), dataFormat);
};

/** A pool of `rank` spatial axes; by default its windows lie side by side. */
function pooling(kind: 'max' | 'avg', rank: 1 | 2 | 3): Layer {
  const pool = kind === 'max' ? ops.maxPool : ops.avgPool;
  return (call) => {
    const ksize = perAxis(call, 'pool_size', rank, 2);
    const isGiven = call.config.strides !== null && call.config.strides !== undefined;
    const strides = isGiven ? perAxis(call, 'strides', rank) : ksize;
    const dataFormat = (isChannelsFirst(call) ? (['NCW', 'NCHW', 'NCDHW'] as const) : (['NWC', 'NHWC', 'NDHWC'] as const))[rank - 1]; // prettier-ignore
    return pool(call.x, { ksize, strides, padding: paddingOf(call), dataFormat });
  };
}

function globalPooling(reduce: (x: Tensor, options: { axis: number[]; keepDims: boolean }) => Tensor): Layer {
  return (call) => {
    const rank = call.x.shape.rank ?? call.fail('the rank of the input must be known');
    const first = isChannelsFirst(call) ? 2 : 1;
    const axis = Array.from({ length: rank - 2 }, (_, i) => i + first);
    return reduce(call.x, { axis, keepDims: call.config.keepdims === true });
  };
}

export const CONV_LAYERS: Readonly<Record<string, Layer>> = {
  Conv1D: conv1d,
  Conv2D: conv2d,
  Conv2DTranspose: conv2dTranspose,
  Conv3D: conv3d,
  Conv3DTranspose: conv3dTranspose,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
};

export const POOLING_LAYERS: Readonly<Record<string, Layer>> = {
  AveragePooling1D: pooling('avg', 1),
  AveragePooling2D: pooling('avg', 2),
  AveragePooling3D: pooling('avg', 3),
  GlobalAveragePooling1D: globalPooling(ops.reduceMean),
  GlobalAveragePooling2D: globalPooling(ops.reduceMean),
  GlobalAveragePooling3D: globalPooling(ops.reduceMean),
  GlobalMaxPooling1D: globalPooling(ops.reduceMax),
  GlobalMaxPooling2D: globalPooling(ops.reduceMax),
  GlobalMaxPooling3D: globalPooling(ops.reduceMax),
  MaxPooling1D: pooling('max', 1),
  MaxPooling2D: pooling('max', 2),
  MaxPooling3D: pooling('max', 3),
};
