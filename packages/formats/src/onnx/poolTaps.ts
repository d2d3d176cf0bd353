/**
 * Pools whose windows have holes or whose places are asked for, tap by tap: what all windows have at one position of the kernel is
 * one strided slice of the image.
 */
import * as fr from '@forerun/graph';
import { TensorValue, type Tensor } from '@forerun/graph';
import type { ImportNode } from './importNode.js';
import { extent, padded, type Pads, type Window } from './windows.js';

const LOWEST = -3.4028234663852886e38;
/** Kernels with more taps than this would make graphs that nobody wants. */
const MAX_TAPS = 1024;

export function isWritten({ def }: ImportNode, output: number): boolean {
  return (def.output[output] ?? '') !== '';
}

/** Positions in the kernel, the last axis fastest. */
function tapsOf({ kernel }: Window): number[][] {
  const count = kernel.reduce((product, size) => product * size, 1);
  if (count > MAX_TAPS)
    throw new fr.UnimplementedError(`a kernel of ${count} taps with dilations or indices is not supported`);
  return kernel.reduce<number[][]>((taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, i) => [...tap, i])), [[]]); // prettier-ignore
}

/** How many windows there are along each axis of an image of these padded sizes. */
function windowCounts({ kernel, strides, dilations }: Window, sizes: readonly number[]): number[] {
  return sizes.map((size, i) => Math.floor((size - extent(kernel[i], dilations[i])) / (strides[i] ?? 1)) + 1);
}

/** What every window has at `tap`, of an image that is padded already. */
function sliceAt(x: Tensor, tap: readonly number[], window: Window, counts: readonly number[]): Tensor {
  const { strides, dilations } = window;
  const begin = tap.map((t, i) => t * (dilations[i] ?? 1));
  const end = begin.map((start, i) => start + ((counts[i] ?? 1) - 1) * (strides[i] ?? 1) + 1);
  return fr.stridedSlice(x, [0, 0, ...begin], [0, 0, ...end], {
    strides: [1, 1, ...strides],
    beginMask: 3,
    endMask: 3,
  });
}

function spatialSizes(x: Tensor): number[] {
  return [...x.shape.slice(2).toStatic()];
}

/** The largest element of each window, and its place in the whole input, the first of equal ones. */
export function largestWithIndices(node: ImportNode, window: Window, pads: Pads): Tensor[] {
  // In column order the first spatial axis is the fastest.
  const turned = node.int('storage_order', 0) !== 0;
  const input = node.input(0);
  const x = padded(input, pads, LOWEST);
  const counts = windowCounts(window, spatialSizes(x));
  const sizes = spatialSizes(input);
  const wanted = isWritten(node, 1);
  let best: Tensor | undefined;
  let place: Tensor | undefined;
  for (const tap of tapsOf(window)) {
    const value = sliceAt(x, tap, window, counts);
    const at = wanted ? placesOf(tap, window, pads, counts, strideOf(sizes, turned)) : undefined;
    if (at !== undefined && place !== undefined && best !== undefined) {
      place = fr.whereV2(fr.greater(value, best), at, place);
    } else place = at;
    best = best === undefined ? value : fr.maximum(best, value);
  }
  if (best === undefined) return node.fail('the kernel is empty');
  return place === undefined ? [best] : [best, fr.cast(fr.add(place, planeStarts(input, sizes)), 'int64')];
}

/** How far apart neighbours along each axis are in a plane. */
function strideOf(sizes: readonly number[], turned: boolean): number[] {
  return sizes.map((_, i) =>
    (turned ? sizes.slice(0, i) : sizes.slice(i + 1)).reduce((all, size) => all * size, 1),
  );
}

/** Where in its plane each window has its tap, [1, 1, ...counts]; outside of it where the tap lies in the padding. */
function placesOf(
  tap: readonly number[],
  { strides, dilations }: Window,
  pads: Pads,
  counts: readonly number[],
  apart: readonly number[],
): Tensor {
  const total = counts.reduce((product, count) => product * count, 1);
  const places = Int32Array.from({ length: total }, (_, flat) => {
    let [rest, place] = [flat, 0];
    for (let i = counts.length - 1; i >= 0; i--) {
      const count = counts[i] ?? 1;
      const at =
        (rest % count) * (strides[i] ?? 1) + (tap[i] ?? 0) * (dilations[i] ?? 1) - (pads[i]?.[0] ?? 0);
      place += at * (apart[i] ?? 1);
      rest = Math.floor(rest / count);
    }
    return place;
  });
  return fr.constant(new TensorValue('int32', [1, 1, ...counts], places), { name: 'places' });
}

/** Where each plane begins, [images, channels, 1, ...]. */
function planeStarts(x: Tensor, sizes: readonly number[]): Tensor {
  const plane = sizes.reduce((product, size) => product * size, 1);
  const ones = sizes.map(() => 1);
  const [images, channels] = x.shape.dims ?? [];
  const front = fr.slice(fr.shape(x), [0], [2]);
  const starts = fr.mul(fr.range(fr.reduceProd(front)), fr.constant(plane, { dtype: 'int32' }));
  const shape =
    typeof images === 'number' || typeof channels === 'number'
      ? [images ?? -1, channels ?? -1, ...ones]
      : fr.concat([front, fr.constant(ones, { dtype: 'int32' })], 0);
  return fr.reshape(starts, shape);
}

/** The mean of each window: of what lies in the image and in the part of the pads that counts. */
export function meanOfTaps(input: Tensor, window: Window, pads: Pads, counted: Pads): Tensor {
  const x = padded(input, pads, 0);
  const counts = windowCounts(window, spatialSizes(x));
  const taps = tapsOf(window);
  const sum = taps.map((tap) => sliceAt(x, tap, window, counts)).reduce((total, part) => fr.add(total, part));
  const sizes = spatialSizes(input);
  const { strides, dilations } = window;
  const total = counts.reduce((product, count) => product * count, 1);
  const inside = Float32Array.from({ length: total }, (_, flat) => {
    let [rest, product] = [flat, 1];
    for (let i = counts.length - 1; i >= 0; i--) {
      const start = (rest % (counts[i] ?? 1)) * (strides[i] ?? 1) - (pads[i]?.[0] ?? 0);
      const all = Array.from({ length: window.kernel[i] ?? 1 }, (_, t) => start + t * (dilations[i] ?? 1));
      const [before, after] = counted[i] ?? [0, 0];
      product *= all.filter((at) => at >= -before && at < (sizes[i] ?? 0) + after).length;
      rest = Math.floor(rest / (counts[i] ?? 1));
    }
    return product;
  });
  return fr.div(sum, fr.constant(new TensorValue('float32', [1, 1, ...counts], inside), { name: 'inside' }));
}
