/** Pools of ONNX over windows and over all there is, of sequences, images and volumes. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { padded, raised, windowOf, type Pads, type Window } from './windows.js';

/** The lowest finite float32, which no window's maximum is unless all of it is padding. */
const LOWEST = -3.4028234663852886e38;

function pooled(node: ImportNode, kind: 'max' | 'avg'): Tensor {
  const kernel = node.ints('kernel_shape') ?? node.fail('kernel_shape is missing');
  const window = windowOf(node, kernel);
  if (window.dilations.some((d) => d !== 1)) node.fail('dilated pooling is not supported');
  if (node.def.output.length > 1 && node.def.output[1] !== '') node.fail('Indices are not supported');
  const pads = node.int('ceil_mode', 0) === 1 ? withCeil(node, window) : window.pads;
  const x = node.input(0);
  if (window.same || pads.flat().every((pad) => pad === 0)) return slide(x, kind, window);
  if (kind === 'max') return slide(padded(x, pads, LOWEST), kind, window);
  const mean = slide(padded(x, pads, 0), kind, window);
  const counted = node.int('count_include_pad', 0) === 1;
  if (counted && pads === window.pads) return mean;
  // The mean of ones tells which part of each window counts; what is padded for ceil_mode never does.
  const inside = counted ? padded(fr.onesLike(x), window.pads, 1) : padded(fr.onesLike(x), window.pads, 0);
  const behind = pads.map(([, after], i): [number, number] => [0, after - (window.pads[i]?.[1] ?? 0)]);
  return fr.div(mean, slide(padded(inside, behind, 0), kind, window));
}

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
  const mean = volumes ? fr.avgPool3d : fr.avgPool2d;
  const y = kind === 'max' ? maximum(last, options) : mean(last, options);
  return fr.transpose(y, { perm: [0, rank + 1, ...axes.map((axis) => axis - 1)] });
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

/** A reduction over all spatial axes, which stay as 1. */
function global(reduce: typeof fr.reduceMean): NodeImporter {
  return (node) =>
    reduce(node.input(0), {
      axis: Array.from({ length: node.rank(0) - 2 }, (_, i) => i + 2),
      keepDims: true,
    });
}

export const POOL_OPS: Readonly<Record<string, NodeImporter>> = {
  MaxPool: (node) => pooled(node, 'max'),
  AveragePool: (node) => pooled(node, 'avg'),
  GlobalAveragePool: global(fr.reduceMean),
  GlobalMaxPool: global(fr.reduceMax),
};
