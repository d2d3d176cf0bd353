/** Convolutions, pooling and normalization of ONNX, whose images are [batch, channels, height, width]. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import { permuteValue } from '../permute.js';
import type { ImportNode, NodeImporter } from './importNode.js';

/** Pads before and after each spatial axis. */
type Pads = readonly (readonly [number, number])[];

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: Pads;
  /** `SAME` pads as TensorFlow does. */
  readonly same: boolean;
}

function windowOf(node: ImportNode, kernel: readonly number[]): Window {
  const rank = kernel.length;
  const ones = new Array<number>(rank).fill(1);
  const auto = node.text('auto_pad', 'NOTSET');
  if (auto === 'SAME_LOWER') node.fail('auto_pad SAME_LOWER is not supported');
  const list = auto === 'VALID' ? undefined : node.ints('pads');
  const pads = ones.map((_, i): [number, number] => [list?.[i] ?? 0, list?.[i + rank] ?? 0]);
  if (pads.flat().some((pad) => pad < 0)) node.fail('negative pads are not supported');
  return {
    kernel,
    strides: node.ints('strides') ?? ones,
    dilations: node.ints('dilations') ?? ones,
    pads,
    same: auto === 'SAME_UPPER',
  };
}

/** Pads the spatial axes; nothing where there is nothing to pad. */
function padded(x: Tensor, pads: Pads, value: number): Tensor {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return x;
  return fr.pad(x, [[0, 0], [0, 0], ...pads.map(([before, after]) => [before, after])], {
    constantValues: value,
  });
}

/** The filter with axes in another order: on the host where the file holds it. */
function reordered(node: ImportNode, index: number, perm: readonly number[]): Tensor {
  const value = node.value(index);
  if (value !== undefined) return node.constant(permuteValue(value, perm), 'filter');
  return fr.transpose(node.input(index), { perm: [...perm] });
}

const conv: NodeImporter = (node) => {
  const filter = node.input(1).shape.toStatic();
  const window = windowOf(node, filter.slice(2));
  if (filter.length === 3) return withBias(node, conv1d(node, window));
  if (filter.length !== 4) node.fail(`convolutions of ${filter.length - 2} dimensions are not supported`);
  const group = node.int('group', 1);
  const channels = node.input(0).shape.dim(1) ?? node.fail('the number of channels is not known');
  const x = window.same ? node.input(0) : padded(node.input(0), window.pads, 0);
  const options = {
    strides: [window.strides[0] ?? 1, window.strides[1] ?? 1] as const,
    dilations: [window.dilations[0] ?? 1, window.dilations[1] ?? 1] as const,
    padding: window.same ? ('SAME' as const) : ('VALID' as const),
    dataFormat: 'NCHW' as const,
  };
  if (group === 1) return withBias(node, fr.conv2d(x, reordered(node, 1, [2, 3, 1, 0]), options));
  if (group === channels && filter[1] === 1) {
    // [channels * multiplier, 1, h, w] to [h, w, channels, multiplier]
    const [out = 0, , height = 0, width = 0] = filter;
    const moved = fr.reshape(reordered(node, 1, [2, 3, 0, 1]), [height, width, channels, out / channels]);
    return withBias(node, fr.depthwiseConv2d(x, moved, options));
  }
  const filters = fr.split(reordered(node, 1, [2, 3, 1, 0]), group, { axis: 3 });
  const parts = fr
    .split(x, group, { axis: 1 })
    .map((part, i) => fr.conv2d(part, filters[i] ?? part, options));
  return withBias(node, fr.concat(parts, 1));
};

/** As a convolution of images of height 1. */
function conv1d(node: ImportNode, window: Window): Tensor {
  if (node.int('group', 1) !== 1) node.fail('grouped convolutions of one dimension are not supported');
  const x = fr.expandDims(window.same ? node.input(0) : padded(node.input(0), window.pads, 0), 2);
  const filter = fr.expandDims(reordered(node, 1, [2, 1, 0]), 0);
  const options = {
    strides: [1, window.strides[0] ?? 1] as const,
    dilations: [1, window.dilations[0] ?? 1] as const,
    padding: window.same ? ('SAME' as const) : ('VALID' as const),
    dataFormat: 'NCHW' as const,
  };
  return fr.squeeze(fr.conv2d(x, filter, options), { axis: [2] });
}

function withBias(node: ImportNode, y: Tensor): Tensor {
  return node.has(2) ? fr.add(y, perChannel(node.input(2), y.shape.rank ?? node.fail('unknown rank'))) : y;
}

/** [channels] as [channels, 1, …], which broadcasts against [batch, channels, …]. */
function perChannel(x: Tensor, rank: number): Tensor {
  return fr.reshape(x, [-1, ...new Array<number>(rank - 2).fill(1)]);
}

const convTranspose: NodeImporter = (node) => {
  const filter = node.input(1).shape.toStatic();
  const window = windowOf(node, filter.slice(2));
  const isPlain =
    node.int('group', 1) === 1 && filter.length === 4 && !window.same && !node.hasAttribute('output_shape');
  if (!isPlain || window.dilations.some((d) => d !== 1))
    node.fail('only plain transposed convolutions of images are supported');
  const [, , height, width] = node.input(0).shape.toStatic();
  const extra = node.ints('output_padding') ?? [0, 0];
  const size = (dim: number | undefined, i: number): number =>
    ((dim ?? 0) - 1) * (window.strides[i] ?? 1) + (window.kernel[i] ?? 1) + (extra[i] ?? 0);
  const full = [size(height, 0), size(width, 1)];
  const [batch = 0] = node.input(0).shape.toStatic();
  const y = fr.conv2dBackpropInput(
    [batch, filter[1] ?? 0, ...full],
    reordered(node, 1, [2, 3, 1, 0]),
    node.input(0),
    {
      strides: [window.strides[0] ?? 1, window.strides[1] ?? 1],
      padding: 'VALID',
      dataFormat: 'NCHW',
    },
  );
  const [top, left] = window.pads;
  const crop = full.map((dim, i) => dim - (window.pads[i]?.[0] ?? 0) - (window.pads[i]?.[1] ?? 0));
  return withBias(node, fr.slice(y, [0, 0, top?.[0] ?? 0, left?.[0] ?? 0], [-1, -1, ...crop]));
};

/** Pools of images in NHWC, which all pooling kernels take. */
function pooled(node: ImportNode, kind: 'max' | 'avg'): Tensor {
  const kernel = node.ints('kernel_shape') ?? node.fail('kernel_shape is missing');
  const window = windowOf(node, kernel);
  if (kernel.length !== 2) node.fail(`pooling of ${kernel.length} dimensions is not supported`);
  if (window.dilations.some((d) => d !== 1)) node.fail('dilated pooling is not supported');
  const pads = node.int('ceil_mode', 0) === 1 ? withCeil(node, window) : window.pads;
  const options = {
    ksize: [kernel[0] ?? 1, kernel[1] ?? 1] as const,
    strides: [window.strides[0] ?? 1, window.strides[1] ?? 1] as const,
    padding: window.same ? ('SAME' as const) : ('VALID' as const),
  };
  const pool = (x: Tensor): Tensor => {
    const last = fr.transpose(x, { perm: [0, 2, 3, 1] });
    const y = kind === 'max' ? fr.maxPool2d(last, options) : fr.avgPool2d(last, options);
    return fr.transpose(y, { perm: [0, 3, 1, 2] });
  };
  const x = node.input(0);
  if (window.same || pads.flat().every((pad) => pad === 0)) return pool(x);
  if (kind === 'max') return pool(padded(x, pads, -3.4028234663852886e38));
  const mean = pool(padded(x, pads, 0));
  if (node.int('count_include_pad', 0) === 1 && pads === window.pads) return mean;
  // The mean of ones tells which part of each window lies inside.
  return fr.div(mean, pool(padded(fr.onesLike(x), pads, 0)));
}

/** More pads behind, so that the last window, which is cut off, counts. */
function withCeil(node: ImportNode, { kernel, strides, pads }: Window): Pads {
  const sizes = node.input(0).shape.dims?.slice(2) ?? node.fail('ceil_mode needs a known size');
  return pads.map(([before, after], i): [number, number] => {
    const size = (sizes[i] ?? node.fail('ceil_mode needs a known size')) + before + after;
    const [k = 1, s = 1] = [kernel[i], strides[i]];
    let windows = Math.ceil((size - k) / s) + 1;
    if ((windows - 1) * s >= (sizes[i] ?? 0) + before) windows--;
    return [before, after + Math.max(0, (windows - 1) * s + k - size)];
  });
}

const batchNormalization: NodeImporter = (node) => {
  if (node.int('training_mode', 0) !== 0) node.fail('training mode is not supported');
  const rank = node.rank(0);
  const factor = fr.div(node.input(1), fr.sqrt(fr.add(node.input(4), node.float('epsilon', 1e-5))));
  const shift = fr.sub(node.input(2), fr.mul(node.input(3), factor));
  return fr.add(fr.mul(node.input(0), perChannel(factor, rank)), perChannel(shift, rank));
};

function normalized(node: ImportNode, axes: readonly number[]): Tensor {
  const x = node.input(0);
  const mean = fr.reduceMean(x, { axis: [...axes], keepDims: true });
  const centred = fr.sub(x, mean);
  const variance = fr.reduceMean(fr.mul(centred, centred), { axis: [...axes], keepDims: true });
  return fr.mul(centred, fr.rsqrt(fr.add(variance, node.float('epsilon', 1e-5))));
}

const layerNormalization: NodeImporter = (node) => {
  const rank = node.rank(0);
  const [axis = rank - 1] = node.axes([node.int('axis', -1)], rank);
  const y = fr.mul(
    normalized(
      node,
      Array.from({ length: rank - axis }, (_, i) => axis + i),
    ),
    node.input(1),
  );
  return node.has(2) ? fr.add(y, node.input(2)) : y;
};

const instanceNormalization: NodeImporter = (node) => {
  const rank = node.rank(0);
  const y = normalized(
    node,
    Array.from({ length: rank - 2 }, (_, i) => i + 2),
  );
  return fr.add(fr.mul(y, perChannel(node.input(1), rank)), perChannel(node.input(2), rank));
};

/** Mean or maximum over all spatial axes, which stay as 1. */
function global(reduce: typeof fr.reduceMean): NodeImporter {
  return (node) =>
    reduce(node.input(0), {
      axis: Array.from({ length: node.rank(0) - 2 }, (_, i) => i + 2),
      keepDims: true,
    });
}

export const WINDOW_OPS: Readonly<Record<string, NodeImporter>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: (node) => pooled(node, 'max'),
  AveragePool: (node) => pooled(node, 'avg'),
  GlobalAveragePool: global(fr.reduceMean),
  GlobalMaxPool: global(fr.reduceMax),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
};
