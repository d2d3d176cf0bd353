/**
 * Resize and Upsample of ONNX, along any axes. Each result is a sum of elements along an axis whose places and weights are computed
 * here where sizes are known, and in the run where they are not; the plain cases of images become TensorFlow's ops.
 */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { coordinateMode, isOld, nearestMode, resizedAlongOpen, type OpenAxis } from './resizeOpen.js';

/** One axis: its size before and after, and the factor between. */
interface Axis {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Elements that make a result: place and weight of each for every position. */
interface Tap {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/** The places of all elements along an axis are computed when the model is read. */
const MAX_SIZE = 2 ** 20;

/** Axes whose sizes or factors are known only in a run. */
function openAxes(node: ImportNode): OpenAxis[] {
  const { axes, scales, sizes } = request(node);
  return axes.flatMap((axis, i): OpenAxis[] => {
    const scale = scales?.known?.[i];
    if (scale === 1) return [];
    const factor = scales?.tensor === undefined ? undefined : fr.gather(scales.tensor, int(i));
    const size = sizes === undefined ? undefined : fr.cast(fr.gather(sizes.tensor, int(i)), 'int32');
    const from = fr.gather(fr.shape(node.input(0)), int(axis));
    return [{ axis, from, size, scale: scale === undefined ? factor : fr.constant(scale) }];
  });
}

const int = (value: number): Tensor => fr.constant(value, { dtype: 'int32' });

interface Request {
  readonly axes: readonly number[];
  /** One number for each of the axes, computed or known. */
  readonly scales: { readonly known: readonly number[] | undefined; readonly tensor: Tensor } | undefined;
  readonly sizes: { readonly known: readonly number[] | undefined; readonly tensor: Tensor } | undefined;
}

/** What is asked for, in the form of the node's operator set. */
function request(node: ImportNode): Request {
  const rank = node.rank(0);
  const old = isOld(node);
  const axes = node.axes(node.ints('axes') ?? Array.from({ length: rank }, (_, i) => i), rank);
  if (node.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    node.fail('only the policy "stretch" is supported');
  const given = (i: number): Request['scales'] =>
    node.has(i) && node.input(i).shape.size !== 0
      ? { known: node.knownElements(i), tensor: node.input(i) }
      : undefined;
  const attribute = node.floats('scales');
  const fixed =
    attribute === undefined ? undefined : { known: attribute, tensor: fr.constant([...attribute]) };
  return { axes, scales: old ? (given(1) ?? fixed) : given(2), sizes: old ? undefined : given(3) };
}

/** The axes to resize, or `undefined` where sizes or factors are known only in a run. */
function resizedAxes(node: ImportNode): Axis[] | undefined {
  const { axes, scales, sizes } = request(node);
  const from = (axis: number): number | null => node.input(0).shape.dim(axis);
  const open =
    (sizes !== undefined && sizes.known === undefined) ||
    (scales !== undefined && scales.known === undefined) ||
    axes.some((axis, i) => scales?.known?.[i] !== 1 && from(axis) === null);
  if (open) return undefined;
  const found = axes.flatMap((axis, i): Axis[] => {
    const [scale, size, before] = [scales?.known?.[i], sizes?.known?.[i], from(axis)];
    if (scale === 1 || before === null || before === size) return [];
    const to = size ?? Math.floor(before * (scale ?? node.fail('there are neither scales nor sizes')));
    if (!(to >= 1 && to <= MAX_SIZE)) return node.fail(`the size ${to} of axis ${axis} is not supported`);
    return [{ axis, from: before, to, scale: scale ?? to / before }];
  });
  return found.sort((a, b) => a.axis - b.axis);
}

/** The place in the input of a position in the output. */
function coordinate(node: ImportNode, { from, to, scale }: Axis): (position: number) => number {
  const mode = coordinateMode(node);
  switch (mode) {
    case 'half_pixel':
      return (x) => (x + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return (x) => (to > 1 ? (x + 0.5) / scale - 0.5 : 0);
    case 'half_pixel_symmetric': {
      const offset = (from / 2) * (1 - to / (scale * from));
      return (x) => offset + (x + 0.5) / scale - 0.5;
    }
    case 'asymmetric':
      return (x) => x / scale;
    case 'align_corners':
      return (x) => (to > 1 ? (x * (from - 1)) / (to - 1) : 0);
    default:
      return node.fail(`the coordinate mode "${mode}" is not supported`);
  }
}

const ROUNDINGS: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Keys' cubic of parameter a at the distances of four neighbours. */
function cubicWeights(fraction: number, a: number): number[] {
  return [1 + fraction, fraction, 1 - fraction, 2 - fraction].map((d) =>
    d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a,
  );
}

function tapsOf(node: ImportNode, axis: Axis): Tap[] {
  const at = Array.from({ length: axis.to }, (_, i) => coordinate(node, axis)(i));
  const inside = (place: number): number => Math.min(Math.max(place, 0), axis.from - 1);
  const mode = node.text('mode', 'nearest');
  if (mode === 'nearest') {
    const name = nearestMode(node);
    const rounded = ROUNDINGS[name] ?? node.fail(`the mode "${name}" is not known`);
    return [{ places: at.map((x) => inside(rounded(x))), weights: at.map(() => 1) }];
  }
  if (mode === 'linear') {
    const clamped = at.map(inside);
    const low = clamped.map((x) => Math.floor(x));
    const rest = clamped.map((x, i) => x - (low[i] ?? 0));
    return [
      { places: low, weights: rest.map((part) => 1 - part) },
      { places: low.map((place) => inside(place + 1)), weights: rest },
    ];
  }
  if (mode !== 'cubic') node.fail(`the mode "${mode}" is not supported`);
  return cubicTaps(node, at, axis.from);
}

function cubicTaps(node: ImportNode, at: readonly number[], size: number): Tap[] {
  const outside = node.int('exclude_outside', 0) === 1;
  const all = at.map((x) => {
    const weights = cubicWeights(x - Math.floor(x), node.float('cubic_coeff_a', -0.75));
    const places = weights.map((_, k) => Math.floor(x) - 1 + k);
    if (!outside) return { places, weights };
    const kept = weights.map((weight, k) => ((places[k] ?? 0) < 0 || (places[k] ?? 0) >= size ? 0 : weight));
    const sum = kept.reduce((a, b) => a + b, 0);
    return { places, weights: kept.map((weight) => weight / sum) };
  });
  return [0, 1, 2, 3].map((k) => ({
    places: all.map(({ places }) => Math.min(Math.max(places[k] ?? 0, 0), size - 1)),
    weights: all.map(({ weights }) => weights[k] ?? 0),
  }));
}

function resizedAlong(node: ImportNode, x: Tensor, axis: Axis): Tensor {
  const rank = node.rank(0);
  const parts = tapsOf(node, axis).map(({ places, weights }) => {
    const rows = fr.gather(x, fr.constant(places, { dtype: 'int32' }), { axis: axis.axis });
    if (weights.every((weight) => weight === 1)) return rows;
    const shape = Array.from({ length: rank }, (_, i) => (i === axis.axis ? axis.to : 1));
    return fr.mul(rows, fr.reshape(fr.constant(weights), shape));
  });
  return parts.reduce((sum, part) => fr.add(sum, part));
}

const resize: NodeImporter = (node) => {
  if (node.int('antialias', 0) !== 0) node.fail('antialias is not supported');
  const axes = resizedAxes(node);
  if (axes === undefined)
    return openAxes(node).reduce((x, axis) => resizedAlongOpen(node, x, axis), node.input(0));
  return imageResize(node, axes) ?? axes.reduce((x, axis) => resizedAlong(node, x, axis), node.input(0));
};

/** TensorFlow's op where it does the same: linear, for height and width by whole results of their factors. */
function imageResize(node: ImportNode, axes: readonly Axis[]): Tensor | undefined {
  const how = coordinateMode(node);
  const known = ['half_pixel', 'asymmetric', 'align_corners'].includes(how);
  const plain = axes.every(({ axis, from, to, scale }) => axis > 1 && from * scale === to);
  if (
    node.rank(0) !== 4 ||
    axes.length !== 2 ||
    node.text('mode', 'nearest') !== 'linear' ||
    !plain ||
    !known
  )
    return undefined;
  const size = axes.map(({ to }) => to);
  const options = { alignCorners: how === 'align_corners', halfPixelCenters: how === 'half_pixel' };
  const last = fr.transpose(node.input(0), { perm: [0, 2, 3, 1] });
  return fr.transpose(fr.resizeBilinear(last, size, options), { perm: [0, 3, 1, 2] });
}

export const RESIZE_OPS: Readonly<Record<string, NodeImporter>> = {
  Resize: resize,
  Upsample: resize,
};
