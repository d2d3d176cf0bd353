/** Pools of ONNX over windows and over all there is, of sequences, images and volumes. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { isWritten, largestWithIndices, meanOfTaps } from './poolTaps.js';
import { extent, padded, raised, windowOf, type Pads, type Window } from './windows.js';

/** The lowest finite float32, which no window's maximum is unless all of it is padding. */
const LOWEST = -3.4028234663852886e38;

function kernelOf(node: ImportNode): number[] {
  return node.ints('kernel_shape') ?? node.fail('kernel_shape is missing');
}

const isDilated = ({ dilations }: Window): boolean => dilations.some((d) => d !== 1);

/** Bytes are compared as float32, which holds them exactly. */
const maxPool: NodeImporter = (node) => {
  const { dtype } = node.input(0);
  if (dtype !== 'uint8' && dtype !== 'int8') return maxPoolOf(node);
  const [first, ...rest] = [node.input(0), ...node.inputs.slice(1)];
  const [values, ...places] = [maxPoolOf(node.withInputs([fr.cast(first, 'float32'), ...rest]))].flat();
  return [fr.cast(values ?? first, dtype), ...places];
};

function maxPoolOf(node: ImportNode): Tensor | readonly Tensor[] {
  const window = windowOf(node, kernelOf(node));
  const wantsIndices = isWritten(node, 1);
  if (!wantsIndices && !isDilated(window) && window.same) return slide(node.input(0), 'max', window);
  const pads = paddingOf(node, window);
  if (wantsIndices || isDilated(window)) return largestWithIndices(node, window, pads);
  return slide(padded(node.input(0), pads, LOWEST), 'max', window);
}

const averagePool: NodeImporter = (node) => mean(node, node.input(0), windowOf(node, kernelOf(node)));

/** The mean of each window of `x`. */
function mean(node: ImportNode, x: Tensor, window: Window): Tensor {
  const counted = node.int('count_include_pad', 0) === 1;
  if (isDilated(window)) {
    const pads = paddingOf(node, window);
    return meanOfTaps(x, window, pads, counted ? (window.same ? pads : window.pads) : none(window));
  }
  const pads = node.int('ceil_mode', 0) === 1 ? withCeil(node, window) : window.pads;
  if (window.same || pads.flat().every((pad) => pad === 0)) return slide(x, 'avg', window);
  const sums = slide(padded(x, pads, 0), 'avg', window);
  if (counted && pads === window.pads) return sums;
  // The mean of ones tells which part of each window counts; what is padded for ceil_mode never does.
  const inside = counted ? padded(fr.onesLike(x), window.pads, 1) : padded(fr.onesLike(x), window.pads, 0);
  const behind = pads.map(([, after], i): [number, number] => [0, after - (window.pads[i]?.[1] ?? 0)]);
  return fr.div(sums, slide(padded(inside, behind, 0), 'avg', window));
}

/** (sum |x|^p)^(1/p) of each window; padding adds nothing. */
const lpPool: NodeImporter = (node) => {
  const p = node.int('p', 2);
  const window = windowOf(node, kernelOf(node));
  const powers = fr.pow(fr.abs(node.input(0)), p);
  const pads = paddingOf(node, window);
  const count = window.kernel.reduce((product, size) => product * size, 1);
  const plain = { ...window, same: false };
  const whole = padded(powers, pads, 0);
  const means = isDilated(window)
    ? meanOfTaps(whole, window, none(window), none(window))
    : slide(whole, 'avg', plain);
  return fr.pow(fr.mul(means, count), 1 / p);
};

/** The pool itself, with the channels last, as all kernels take them. */
function slide(x: Tensor, kind: 'max' | 'avg', window: Window): Tensor {
  const rank = window.kernel.length;
  if (rank === 1) return fr.squeeze(slide(fr.expandDims(x, 2), kind, raised(window)), { axis: [2] });
  const axes = Array.from({ length: rank }, (_, i) => i + 2);
  const last = fr.transpose(x, { perm: [0, ...axes, 1] });
  const options = {
    ksize: window.kernel,
    strides: window.strides,
    padding: window.same ? ('SAME' as const) : ('VALID' as const),
  };
  const volumes = rank === 3;
  const maximum = volumes ? fr.maxPool3d : fr.maxPool2d;
  const average = volumes ? fr.avgPool3d : fr.avgPool2d;
  const y = kind === 'max' ? maximum(last, options) : average(last, options);
  return fr.transpose(y, { perm: [0, rank + 1, ...axes.map((axis) => axis - 1)] });
}

/** No pads. */
function none({ kernel }: Window): Pads {
  return kernel.map(() => [0, 0]);
}

/** Pads that the kernel needs, those of `SAME` and of ceil_mode among them. */
function paddingOf(node: ImportNode, window: Window): Pads {
  if (window.same) return samePads(node, window);
  return node.int('ceil_mode', 0) === 1 ? withCeil(node, window) : window.pads;
}

/** As many pads as `SAME` has, the odd one behind. */
function samePads(node: ImportNode, { kernel, strides, dilations }: Window): Pads {
  return kernel.map((_, i) => {
    const size = node.input(0).shape.dim(i + 2) ?? node.fail('auto_pad needs a known size');
    const stride = strides[i] ?? 1;
    const total = Math.max(
      0,
      (Math.ceil(size / stride) - 1) * stride + extent(kernel[i], dilations[i]) - size,
    );
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** More pads behind, so that the last window, which is cut off, counts. */
function withCeil(node: ImportNode, { kernel, strides, dilations, pads }: Window): Pads {
  const sizes = node.input(0).shape.dims?.slice(2) ?? node.fail('ceil_mode needs a known size');
  return pads.map(([before, after], i): [number, number] => {
    const size = (sizes[i] ?? node.fail('ceil_mode needs a known size')) + before + after;
    const [k, s] = [extent(kernel[i], dilations[i]), strides[i] ?? 1];
    let windows = Math.ceil((size - k) / s) + 1;
    if ((windows - 1) * s >= (sizes[i] ?? 0) + before) windows--;
    return [before, after + Math.max(0, (windows - 1) * s + k - size)];
  });
}

/** Each element back at the place that it was the largest of; zeros elsewhere. */
const maxUnpool: NodeImporter = (node) => {
  const x = node.input(0);
  const { kernel, strides, pads } = windowOf(node, kernelOf(node));
  const [batch, channels, ...sizes] = x.shape.dims ?? node.fail('the shape of input 0 is not known');
  const wanted = node.known(2);
  const spatial = sizes.map((size, i) => {
    const known = size ?? node.fail('the sizes of the image are not known');
    const [before, after] = pads[i] ?? [0, 0];
    return (known - 1) * (strides[i] ?? 1) + (kernel[i] ?? 1) - before - after;
  });
  if (wanted === undefined && (batch === null || channels === null))
    return node.fail('the numbers of images and channels must be known');
  const shape = wanted ?? [batch ?? 0, channels ?? 0, ...spatial];
  const size = shape.reduce((product, dim) => product * dim, 1);
  const places = fr.reshape(fr.cast(node.input(1), 'int32'), [-1, 1]);
  const flat = fr.tensorScatterUpdate(fr.zeros([size], { dtype: x.dtype }), places, fr.reshape(x, [-1]));
  return fr.reshape(flat, shape);
};

/** A reduction over all spatial axes, which stay as 1. */
function global(reduce: (x: Tensor, options: { axis: number[]; keepDims: boolean }) => Tensor): NodeImporter {
  return (node) =>
    reduce(node.input(0), {
      axis: Array.from({ length: node.rank(0) - 2 }, (_, i) => i + 2),
      keepDims: true,
    });
}

export const POOL_OPS: Readonly<Record<string, NodeImporter>> = {
  AveragePool: averagePool,
  GlobalAveragePool: global(fr.reduceMean),
  GlobalLpPool: (node) => {
    const p = node.int('p', 2);
    return global((x, options) => fr.pow(fr.reduceSum(fr.pow(fr.abs(x), p), options), 1 / p))(node);
  },
  GlobalMaxPool: global(fr.reduceMax),
  LpPool: lpPool,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
};
