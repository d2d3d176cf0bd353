/** Convolutions of ONNX and transposed ones, of sequences, images and volumes, in groups too. */
import * as fr from '@forerun/graph';
import type { Tensor, TensorLike } from '@forerun/graph';
import { permuteValue } from '../permute.js';
import type { ImportNode, NodeImporter } from './importNode.js';
import { extent, padded, perChannel, raised, windowOf, type Window } from './windows.js';

/** The filter with axes in another order: on the host where the file holds it. */
function reordered(node: ImportNode, index: number, perm: readonly number[]): Tensor {
  const value = node.value(index);
  if (value !== undefined) return node.constant(permuteValue(value, perm), 'filter');
  return fr.transpose(node.input(index), { perm: [...perm] });
}

/** Spatial axes first, then the second axis and the first: [out, in, …] to TensorFlow's […, in, out]. */
function spatialFirst(node: ImportNode, index: number): Tensor {
  const rank = node.rank(index);
  return reordered(node, index, [...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1, 0]);
}

function withBias(node: ImportNode, y: Tensor): Tensor {
  return node.has(2) ? fr.add(y, perChannel(node.input(2), y.shape.rank ?? node.fail('unknown rank'))) : y;
}

const conv: NodeImporter = (node) => withBias(node, convolved(node, node.input(0), spatialFirst(node, 1)));

/** The convolution of `x` with a filter [..., in, out] by the node's strides, pads and groups, without bias. */
export function convolved(node: ImportNode, x: Tensor, filter: Tensor): Tensor {
  const window = windowOf(node, filter.shape.toStatic().slice(0, -2));
  if (window.kernel.length > 1) return convolution(node, x, filter, window);
  const y = convolution(node, fr.expandDims(x, 2), fr.expandDims(filter, 0), raised(window));
  return fr.squeeze(y, { axis: [2] });
}

/** Of images or volumes, with a filter [..., in, out]. */
function convolution(node: ImportNode, input: Tensor, filter: Tensor, window: Window): Tensor {
  const group = node.int('group', 1);
  const x = window.same ? input : padded(input, window.pads, 0);
  const { strides, dilations } = window;
  const options = { strides, dilations, padding: window.same ? ('SAME' as const) : ('VALID' as const) };
  const volumes = strides.length === 3;
  const plain = (part: Tensor, weights: Tensor): Tensor =>
    volumes
      ? fr.conv3d(part, weights, { ...options, dataFormat: 'NCDHW' })
      : fr.conv2d(part, weights, { ...options, dataFormat: 'NCHW' });
  if (group === 1) return plain(x, filter);
  const channels = input.shape.dim(1) ?? node.fail('the number of channels is not known');
  const [height = 0, width = 0, , out = 0] = filter.shape.toStatic();
  if (!volumes && group === channels) {
    const apart = fr.reshape(filter, [height, width, channels, out / channels]);
    return fr.depthwiseConv2d(x, apart, { ...options, dataFormat: 'NCHW' });
  }
  const filters = fr.split(filter, group, { axis: strides.length + 1 });
  const parts = fr.split(x, group, { axis: 1 }).map((part, i) => plain(part, filters[i] ?? part));
  return fr.concat(parts, 1);
}

const convTranspose: NodeImporter = (node) => {
  const sizes = node.input(1).shape.toStatic();
  const window = windowOf(node, sizes.slice(2));
  const filter = spatialFirst(node, 1);
  const transposed = transposedWindow(node, window);
  if (sizes.length > 3) return withBias(node, transposedConvolution(node, node.input(0), filter, transposed));
  const y = transposedConvolution(node, fr.expandDims(node.input(0), 2), fr.expandDims(filter, 0), {
    ...raised(transposed),
    full: [1, ...transposed.full],
  });
  return withBias(node, fr.squeeze(y, { axis: [2] }));
};

/** A size: known, or an int32 scalar that a run computes. */
type Size = number | Tensor;

/** A window with the sizes of the result before it is cropped by the pads. */
interface TransposedWindow extends Window {
  readonly full: readonly Size[];
}

const scalar = (size: Size): Tensor =>
  typeof size === 'number' ? fr.constant(size, { dtype: 'int32' }) : size;

/** Sizes as the shape argument of an op. */
function shapeOf(sizes: readonly Size[]): TensorLike {
  const known = sizes.filter((size) => typeof size === 'number');
  return known.length === sizes.length ? known : fr.stack(sizes.map(scalar));
}

function transposedWindow(node: ImportNode, window: Window): TransposedWindow {
  const { kernel, strides, dilations } = window;
  const wanted = node.ints('output_shape')?.slice(-kernel.length);
  const extra = node.ints('output_padding') ?? [];
  const more = kernel.map((k, i) => extent(k, dilations[i]) + (extra[i] ?? 0) - (strides[i] ?? 1));
  const dims = kernel.map((_, i) => node.input(0).shape.dim(i + 2));
  if (dims.includes(null)) return openWindow(node, window, more);
  const input = dims.map((dim) => dim ?? 0);
  const full = input.map((size, i) => size * (strides[i] ?? 1) + (more[i] ?? 0));
  const auto = node.text('auto_pad', 'NOTSET');
  const lower = auto !== 'SAME_UPPER';
  const target = auto.startsWith('SAME') ? input.map((size, i) => size * (strides[i] ?? 1)) : wanted;
  if (target === undefined) return { ...window, full };
  const pads = full.map((size, i): [number, number] => {
    const total = Math.max(0, size - (target[i] ?? size));
    return lower
      ? [Math.ceil(total / 2), Math.floor(total / 2)]
      : [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return { ...window, pads, full: full.map((size, i) => Math.max(size, target[i] ?? size)) };
}

/** Where sizes of the images are known only in a run. */
function openWindow(node: ImportNode, window: Window, more: readonly number[]): TransposedWindow {
  if (node.text('auto_pad', 'NOTSET').startsWith('SAME') || node.ints('output_shape') !== undefined)
    node.fail('the size of the images must be known for this padding (options `dims`, `shapes`)');
  const sizes = fr.shape(node.input(0));
  const full = more.map((rest, i) => {
    const size = fr.gather(sizes, scalar(i + 2));
    return fr.add(fr.mul(size, scalar(window.strides[i] ?? 1)), scalar(rest));
  });
  return { ...window, full };
}

function transposedConvolution(
  node: ImportNode,
  x: Tensor,
  filter: Tensor,
  { full, strides, dilations, pads }: TransposedWindow,
): Tensor {
  const volumes = strides.length === 3;
  const batch = x.shape.dim(0);
  const images = batch ?? fr.gather(fr.shape(x), scalar(0));
  const plain = (part: Tensor, weights: Tensor): Tensor => {
    const channels = weights.shape.dim(-2) ?? node.fail('the number of channels is not known');
    const to = shapeOf([images, channels, ...full]);
    const options = { strides, dilations, padding: 'VALID' as const };
    return volumes
      ? fr.conv3dBackpropInput(to, weights, part, { ...options, dataFormat: 'NCDHW' })
      : fr.conv2dBackpropInput(to, weights, part, { ...options, dataFormat: 'NCHW' });
  };
  const group = node.int('group', 1);
  const filters = group === 1 ? [filter] : fr.split(filter, group, { axis: strides.length + 1 });
  const parts = group === 1 ? [x] : fr.split(x, group, { axis: 1 });
  const results = parts.map((part, i) => plain(part, filters[i] ?? filter));
  const [only] = results;
  const y = only !== undefined && results.length === 1 ? only : fr.concat(results, 1);
  const crop = full.map((dim, i) => {
    const off = (pads[i]?.[0] ?? 0) + (pads[i]?.[1] ?? 0);
    return typeof dim === 'number' ? dim - off : fr.sub(dim, scalar(off));
  });
  return fr.slice(y, [0, 0, ...pads.map(([before]) => before)], shapeOf([-1, -1, ...crop]));
}

export const CONV_OPS: Readonly<Record<string, NodeImporter>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
};
