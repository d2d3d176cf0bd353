/** CenterCropPad and Col2Im of ONNX: the middles of tensors, and images put together from their windows. */
import * as fr from '@forerun/graph';
import { TensorValue, type Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';

/** The middle of the axes that are longer than asked for; zeros around those that are shorter. */
const centerCropPad: NodeImporter = (node) => {
  const rank = node.rank(0);
  const axes = node.axes(node.ints('axes') ?? Array.from({ length: rank }, (_, i) => i), rank);
  const wanted = node.known(1) ?? node.fail('the shape is missing');
  const begin = new Array<number>(rank).fill(0);
  const size = new Array<number>(rank).fill(-1);
  const pads = Array.from({ length: rank }, (): [number, number] => [0, 0]);
  axes.forEach((axis, i) => {
    const target = wanted[i] ?? node.fail(`there are ${wanted.length} sizes for ${axes.length} axes`);
    const given = node.input(0).shape.dim(axis) ?? node.fail(`the size of axis ${axis} is not known`);
    const before = Math.floor(Math.abs(given - target) / 2);
    if (given >= target) [begin[axis], size[axis]] = [before, target];
    else pads[axis] = [before, target - given - before];
  });
  const cut = fr.slice(node.input(0), begin, size);
  return pads.flat().every((pad) => pad === 0) ? cut : fr.pad(cut, pads);
};

/** The most places in windows that are computed when a model is imported. */
const MAX_PLACES = 2 ** 22;

const product = (list: readonly number[]): number => list.reduce((all, size) => all * size, 1);

/** Digits of a number, the last of `sizes` fastest. */
function digits(flat: number, sizes: readonly number[]): number[] {
  const places = sizes.map(() => 0);
  for (let i = sizes.length - 1, rest = flat; i >= 0; i--) {
    places[i] = rest % (sizes[i] ?? 1);
    rest = Math.floor(rest / (sizes[i] ?? 1));
  }
  return places;
}

/** Windows of an image, [batch, channels * elements of a window, windows], added where they were: [batch, channels, …image]. */
const col2Im: NodeImporter = (node) => {
  const [image, block] = [node.known(1), node.known(2)];
  if (image?.length !== block?.length || image === undefined || block === undefined)
    return node.fail('the shapes of the image and of the windows must have as many sizes as each other');
  const ones = image.map(() => 1);
  const [strides, dilations] = [node.ints('strides') ?? ones, node.ints('dilations') ?? ones];
  const pads = node.ints('pads') ?? [...ones, ...ones].map(() => 0);
  const counts = image.map((size, i) => {
    const reach = ((block[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    const whole = size + (pads[i] ?? 0) + (pads[i + image.length] ?? 0);
    return Math.floor((whole - reach) / (strides[i] ?? 1)) + 1;
  });
  const [elements, windows] = [product(block), product(counts)];
  if (!(elements * windows <= MAX_PLACES && counts.every((count) => count >= 1))) return node.fail(`${windows} windows of ${elements} elements`);
  const places = Int32Array.from({ length: elements * windows }, (_, flat) => {
    const [tap, window] = [digits(Math.floor(flat / windows), block), digits(flat % windows, counts)];
    const at = image.map((_, i) => (window[i] ?? 0) * (strides[i] ?? 1) + (tap[i] ?? 0) * (dilations[i] ?? 1) - (pads[i] ?? 0));
    const inside = at.every((place, i) => place >= 0 && place < (image[i] ?? 0));
    return inside ? at.reduce((index, place, i) => index * (image[i] ?? 1) + place, 0) : -1;
  });
  return added(node, new TensorValue('int32', [places.length], places), elements, image);
}; // prettier-ignore

/** Sums of the elements of all windows by their places in the image; -1 is none. */
function added(node: ImportNode, places: TensorValue, elements: number, image: readonly number[]): Tensor {
  const [batch, columns] = [node.input(0).shape.dim(0), node.input(0).shape.dim(1)];
  if (columns === null || columns % elements !== 0)
    return node.fail(`${String(columns)} rows for windows of ${elements} elements`);
  const channels = columns / elements;
  const apart = fr.reshape(node.input(0), [batch ?? -1, channels, places.data.length]);
  const sums = fr.unsortedSegmentSum(
    fr.transpose(apart, { perm: [2, 0, 1] }),
    node.constant(places, 'places'),
    product(image),
  );
  return fr.reshape(fr.transpose(sums, { perm: [1, 2, 0] }), [batch ?? -1, channels, ...image]);
}

/** The elements or slices where the condition holds, which may be shorter than the axis. */
const compress: NodeImporter = (node) => {
  const byAxis = node.hasAttribute('axis');
  const x = byAxis ? node.input(0) : fr.reshape(node.input(0), [-1]);
  const [axis = 0] = byAxis ? node.axes([node.int('axis', 0)], node.rank(0)) : [];
  return fr.gather(x, fr.squeeze(fr.where(node.input(1)), { axis: [1] }), { axis });
};

export const PATCH_OPS: Readonly<Record<string, NodeImporter>> = {
  CenterCropPad: centerCropPad,
  Col2Im: col2Im,
  Compress: compress,
};
