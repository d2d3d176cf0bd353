/** GridSample, AffineGrid and DeformConv of ONNX: images at places that tensors give. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import {
  channelsLast,
  channelsSecond,
  cubicTaps,
  held,
  imageNumbers,
  linearTaps,
  sampled,
  sizeOfAxis,
  zeroOutside,
  type Tap,
} from './sampling.js';
import { perChannel, windowOf } from './windows.js';

/** Where the image ends: at the middles of its outermost elements, or at their edges. */
interface Edges {
  readonly low: number;
  readonly high: Tensor;
}

function edges(size: Tensor, aligned: boolean): Edges {
  return aligned ? { low: 0, high: fr.sub(size, 1) } : { low: -0.5, high: fr.sub(size, 0.5) };
}

/** Places outside mirrored at the edges, as often as need be. */
function reflected(at: Tensor, { low, high }: Edges): Tensor {
  const range = fr.sub(high, low);
  const around = fr.floorMod(fr.sub(at, low), fr.mul(range, 2));
  return fr.add(fr.sub(range, fr.abs(fr.sub(around, range))), low);
}

const TAPS: Readonly<Record<string, (at: Tensor) => Tap[]>> = {
  nearest: (at) => [{ place: fr.round(at), weight: fr.onesLike(at) }],
  linear: linearTaps,
  bilinear: linearTaps,
  cubic: cubicTaps,
  bicubic: cubicTaps,
};

/** What lies around places in [-1, 1] along one axis. */
function gridTaps(node: ImportNode, grid: Tensor, size: Tensor): Tap[] {
  const aligned = node.int('align_corners', 0) === 1;
  const mode = node.text('mode', 'linear');
  const taps = Object.hasOwn(TAPS, mode) ? TAPS[mode] : undefined;
  if (taps === undefined) return node.fail(`the mode "${mode}" is not known`);
  const from = fr.mul(fr.add(grid, 1), 0.5);
  const at = aligned ? fr.mul(from, fr.sub(size, 1)) : fr.sub(fr.mul(from, size), 0.5);
  const most = fr.sub(size, 1);
  const ends = edges(size, aligned);
  switch (node.text('padding_mode', 'zeros')) {
    case 'zeros':
      return taps(at).map((tap) => zeroOutside(tap, size));
    case 'border':
      return taps(at).map(({ place, weight }) => ({ place: held(place, most), weight }));
    case 'reflection':
      return taps(at).map(({ place, weight }) => ({
        place: held(fr.round(reflected(place, ends)), most),
        weight,
      }));
    default:
      return node.fail(`the padding mode "${node.text('padding_mode', '')}" is not known`);
  }
}

/** Elements of images or volumes at places of a grid, whose last axis has x first. */
const gridSample: NodeImporter = (node) => {
  const rank = node.rank(0);
  const spatial = rank - 2;
  if (node.rank(1) !== rank || (spatial !== 2 && spatial !== 3))
    node.fail(`images of rank ${rank} with a grid of rank ${node.rank(1)}`);
  const x = channelsLast(node.input(0));
  const grid = [...fr.unstack(node.input(1), { num: spatial, axis: -1 })].reverse();
  const taps = grid.map((own, i) => gridTaps(node, own, sizeOfAxis(x, i + 1)));
  return channelsSecond(sampled(x, imageNumbers(x, spatial + 1), taps));
};

/** Places of all elements of an image in [-1, 1], moved by a matrix for each image. */
const affineGrid: NodeImporter = (node) => {
  const [theta, aligned] = [node.input(0), node.int('align_corners', 0) === 1];
  const spatial = theta.shape.dim(1);
  if (spatial !== 2 && spatial !== 3) return node.fail(`matrices of shape ${theta.shape.toString()}`);
  const size = fr.unstack(fr.cast(node.input(1), 'int32'), { num: spatial + 2 }).slice(2);
  // x is the last axis.
  const axes = size.map((count, i) => {
    const at = fr.cast(fr.range(count), 'float32');
    const all = fr.cast(count, 'float32');
    const places = aligned
      ? fr.sub(fr.div(fr.mul(at, 2), fr.maximum(fr.sub(all, 1), 1)), 1)
      : fr.sub(fr.div(fr.add(fr.mul(at, 2), 1), all), 1);
    return fr.reshape(places, size.map((_, k) => (k === i ? -1 : 1))); // prettier-ignore
  });
  const columns = fr.unstack(theta, { num: spatial + 1, axis: 2 });
  const rows = Array.from({ length: spatial }, (_, row) => {
    const factors = columns.map((column) => fr.reshape(fr.gather(column, row, { axis: 1 }), [-1, ...size.map(() => 1)])); // prettier-ignore
    const moved = factors.map((factor, k) => {
      const place = axes[spatial - 1 - k];
      return place === undefined ? factor : fr.mul(factor, place);
    });
    return moved.reduce((sum, part) => fr.add(sum, part));
  });
  return fr.stack(rows, { axis: -1 });
};

/** Kernels with more taps than this would make graphs that nobody wants. */
const MAX_TAPS = 1024;

interface Offsets {
  /** [images, taps, rows, columns] each. */
  readonly y: Tensor;
  readonly x: Tensor;
  readonly mask: Tensor | undefined;
}

/** A convolution whose kernel takes each element of an image beside its place, by an offset of its own. */
const deformConv: NodeImporter = (node) => {
  const [out = 0, own = 0, height = 0, width = 0] = node.input(1).shape.toStatic();
  if (node.rank(0) !== 4) node.fail('only convolutions of images are supported');
  const { strides, dilations, pads } = windowOf(node, [height, width]);
  const taps = height * width;
  if (taps > MAX_TAPS) node.fail(`a kernel of ${taps} taps is not supported`);
  const [rows, columns] = [node.input(2).shape.dim(2), node.input(2).shape.dim(3)];
  if (rows === null || columns === null) return node.fail('the sizes of the offsets must be known');
  const start = (i: number, size: number, position: (tap: number) => number, axis: number): Tensor => {
    const places = fr.add(fr.mul(fr.cast(fr.range(size), 'float32'), strides[i] ?? 1), -(pads[i]?.[0] ?? 0));
    const inKernel = fr.constant(Array.from({ length: taps }, (_, tap) => position(tap) * (dilations[i] ?? 1)));
    return fr.add(fr.reshape(places, axis === 2 ? [1, 1, -1, 1] : [1, 1, 1, -1]), fr.reshape(inKernel, [1, -1, 1, 1]));
  }; // prettier-ignore
  const y = start(0, rows, (tap) => Math.floor(tap / width), 2);
  const x = start(1, columns, (tap) => tap % width, 3);
  const groups = node.int('offset_group', 1);
  const images = fr.split(node.input(0), groups, { axis: 1 });
  const parts = offsetsOf(node, groups, taps).map((offsets, g) =>
    deformed(images[g] ?? node.input(0), { ...offsets, y: fr.add(y, offsets.y), x: fr.add(x, offsets.x) }),
  );
  const cut = parts.length === 1 && parts[0] !== undefined ? parts[0] : fr.concat(parts, -1);
  const weights = fr.reshape(node.input(1), [out, own, taps]);
  const group = node.int('group', 1);
  const filters = fr.split(weights, group, { axis: 0 });
  const results = fr
    .split(cut, group, { axis: -1 })
    .map((part, i) => fr.einsum('nkhwc,ock->nohw', part, filters[i] ?? weights));
  const sums = results.length === 1 && results[0] !== undefined ? results[0] : fr.concat(results, 1);
  return node.has(3) ? fr.add(sums, perChannel(node.input(3), 4)) : sums;
};

/** Offsets and masks of each group of channels. */
function offsetsOf(node: ImportNode, groups: number, taps: number): Offsets[] {
  const given = fr.split(node.input(2), groups, { axis: 1 });
  const masks = node.has(4) ? fr.split(node.input(4), groups, { axis: 1 }) : [];
  return given.map((offsets, g) => {
    // y and x of the first tap, then of the next.
    const of = (part: number): Tensor =>
      fr.gather(offsets, fr.range(part, 2 * taps, { delta: 2 }), { axis: 1 });
    return { y: of(0), x: of(1), mask: masks[g] };
  });
}

/** What each place of a kernel takes of a part of the channels: [images, taps, rows, columns, channels]. */
function deformed(image: Tensor, { y, x, mask }: Offsets): Tensor {
  const last = channelsLast(image);
  const taps = [y, x].map((at, i) => linearTaps(at).map((tap) => zeroOutside(tap, sizeOfAxis(last, i + 1))));
  const values = sampled(last, imageNumbers(last, 4), taps);
  return mask === undefined ? values : fr.mul(values, fr.expandDims(mask, -1));
}

export const SAMPLE_OPS: Readonly<Record<string, NodeImporter>> = {
  AffineGrid: affineGrid,
  DeformConv: deformConv,
  GridSample: gridSample,
};
