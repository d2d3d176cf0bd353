/** Pools of ONNX over regions of images: RoiAlign, MaxRoiPool. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import {
  channelsLast,
  channelsSecond,
  combinations,
  elementsAt,
  held,
  sizeOfAxis,
  type Tap,
} from './sampling.js';

/** The lowest finite float32. */
const LOWEST = -3.4028234663852886e38;

/** Samples along one axis of all regions, [regions, results * samples]. */
interface Samples {
  readonly taps: readonly Tap[];
  /** Whether a sample is one of its region's. */
  readonly counts: Tensor;
  /** How many samples there are for each result of each region, [regions]; and at most. */
  readonly own: Tensor;
  readonly most: Tensor;
}

/** Where a region is sampled along one axis, of which `start` and `end` are [regions]. */
function samples(node: ImportNode, start: Tensor, end: Tensor, results: number, size: Tensor): Samples {
  const mode = node.text('coordinate_transformation_mode', node.opset < 16 ? 'output_half_pixel' : 'half_pixel');
  const half = mode === 'half_pixel';
  const scale = node.float('spatial_scale', 1);
  const first = fr.sub(fr.mul(start, scale), half ? 0.5 : 0);
  const extent = fr.sub(fr.sub(fr.mul(end, scale), half ? 0.5 : 0), first);
  const bin = fr.div(half ? extent : fr.maximum(extent, 1), results);
  const ratio = node.int('sampling_ratio', 0);
  const own = ratio > 0 ? fr.mul(fr.onesLike(bin), ratio) : fr.ceil(bin);
  const most = ratio > 0 ? fr.constant(ratio, { dtype: 'int32' }) : fr.maximum(fr.cast(fr.reduceMax(own), 'int32'), fr.constant(1, { dtype: 'int32' }));
  const column = (x: Tensor): Tensor => fr.reshape(x, [-1, 1, 1]);
  const sample = fr.cast(fr.range(most), 'float32');
  const within = fr.div(fr.mul(fr.add(sample, 0.5), column(bin)), fr.maximum(column(own), 1));
  const result = fr.reshape(fr.cast(fr.range(results), 'float32'), [1, -1, 1]);
  const at = fr.add(fr.add(column(first), fr.mul(result, column(bin))), within);
  const flat = (x: Tensor): Tensor => fr.reshape(x, fr.stack([fr.constant(-1, { dtype: 'int32' }), fr.mul(most, fr.constant(results, { dtype: 'int32' }))]));
  const counts = flat(fr.logicalAnd(fr.less(sample, column(own)), fr.onesLike(at, { dtype: 'bool' })));
  return { taps: pairOf(flat(at), size), counts, own, most };
} // prettier-ignore

/** The elements around a place; beyond one element from the image nothing is there. */
function pairOf(at: Tensor, size: Tensor): Tap[] {
  const most = fr.sub(size, 1);
  const inside = fr.logicalAnd(fr.greaterEqual(at, -1), fr.lessEqual(at, size));
  const near = held(at, most);
  const low = fr.floor(near);
  const fraction = fr.sub(near, low);
  const seen = (weight: Tensor): Tensor => fr.whereV2(inside, weight, fr.zerosLike(weight));
  return [
    { place: low, weight: seen(fr.sub(1, fraction)) },
    { place: held(fr.add(low, 1), most), weight: seen(fraction) },
  ];
}

/** Means or maxima of samples of regions [regions, 4] (x1, y1, x2, y2), each of the image that the third input says. */
const roiAlign: NodeImporter = (node) => {
  const x = channelsLast(node.input(0));
  const [left, top, right, bottom] = fr.unstack(node.input(1), { num: 4, axis: 1 }) as [Tensor, Tensor, Tensor, Tensor];
  const [height, width] = [node.int('output_height', 1), node.int('output_width', 1)];
  const rows = samples(node, top, bottom, height, sizeOfAxis(x, 1));
  const columns = samples(node, left, right, width, sizeOfAxis(x, 2));
  const image = fr.reshape(fr.cast(node.input(2), 'int32'), [-1, 1, 1]);
  const vertical = rows.taps.map(({ place, weight }) => ({ place: fr.expandDims(place, 2), weight: fr.expandDims(weight, 2) }));
  const horizontal = columns.taps.map(({ place, weight }) => ({ place: fr.expandDims(place, 1), weight: fr.expandDims(weight, 1) }));
  const corners = combinations([vertical, horizontal]).map((chosen) => {
    const [a, b] = chosen as [Tap, Tap];
    return fr.mul(elementsAt(x, image, [a.place, b.place]), fr.expandDims(fr.mul(a.weight, b.weight), -1));
  });
  const counts = fr.expandDims(fr.logicalAnd(fr.expandDims(rows.counts, 2), fr.expandDims(columns.counts, 1)), -1);
  const mode = node.text('mode', 'avg');
  if (mode !== 'avg' && mode !== 'max') return node.fail(`the mode "${mode}" is not known`);
  const value = mode === 'avg' ? fr.addN(corners) : corners.reduce((most, corner) => fr.maximum(most, corner));
  const own = fr.whereV2(counts, value, fr.constant(mode === 'avg' ? 0 : LOWEST));
  const int = (size: number): Tensor => fr.constant(size, { dtype: 'int32' });
  const channels = x.shape.dim(3) ?? node.fail('the number of channels is not known');
  const apart = fr.reshape(own, fr.stack([int(-1), int(height), rows.most, int(width), columns.most, int(channels)]));
  if (mode === 'max') return channelsSecond(fr.reduceMax(apart, { axis: [2, 4] }));
  const number = fr.maximum(fr.mul(rows.own, columns.own), 1);
  return channelsSecond(fr.div(fr.reduceSum(apart, { axis: [2, 4] }), fr.reshape(number, [-1, 1, 1, 1])));
}; // prettier-ignore

/** Which elements of an axis each result of each region is the maximum of, [regions, results, size]. */
function members(start: Tensor, end: Tensor, results: number, size: Tensor): Tensor {
  const column = (x: Tensor): Tensor => fr.reshape(x, [-1, 1, 1]);
  const bin = fr.div(fr.maximum(fr.add(fr.sub(end, start), 1), 1), results);
  const result = fr.reshape(fr.cast(fr.range(results), 'float32'), [1, -1, 1]);
  const low = fr.add(fr.floor(fr.mul(result, column(bin))), column(start));
  const high = fr.add(fr.ceil(fr.mul(fr.add(result, 1), column(bin))), column(start));
  const place = fr.cast(fr.range(fr.cast(size, 'int32')), 'float32');
  return fr.logicalAnd(fr.greaterEqual(place, low), fr.less(place, high));
}

/** Maxima over regions [regions, 5]: the image, then x1, y1, x2, y2 of whole elements. */
const maxRoiPool: NodeImporter = (node) => {
  const [height = 1, width = 1] = node.ints('pooled_shape') ?? node.fail('pooled_shape is missing');
  const [image, ...corners] = fr.unstack(node.input(1), { num: 5, axis: 1 });
  const scale = node.float('spatial_scale', 1);
  const whole = corners.map((x) => fr.floor(fr.add(fr.mul(x, scale), 0.5)));
  const [left, top, right, bottom] = whole as [Tensor, Tensor, Tensor, Tensor];
  const x = fr.gather(node.input(0), fr.cast(image ?? left, 'int32'));
  const rows = members(top, bottom, height, sizeOfAxis(x, 2));
  const columns = members(left, right, width, sizeOfAxis(x, 3));
  const maxima = (values: Tensor, kept: Tensor, axis: number): Tensor =>
    fr.reduceMax(fr.whereV2(kept, values, fr.constant(LOWEST)), { axis: [axis] });
  const high = maxima(fr.expandDims(x, 2), fr.expandDims(fr.expandDims(rows, 1), -1), 3);
  const most = maxima(fr.expandDims(high, 3), fr.expandDims(fr.expandDims(columns, 1), 1), 4);
  return fr.whereV2(fr.greater(most, LOWEST), most, fr.zerosLike(most));
};

export const REGION_OPS: Readonly<Record<string, NodeImporter>> = {
  MaxRoiPool: maxRoiPool,
  RoiAlign: roiAlign,
};
