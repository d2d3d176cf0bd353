/**
 * Float64 references of resizing: the definition of each method on one axis, applied to both; gradients by
 * carrying every element back to where it came from.
 */
import { wrapTo } from './unary.js';
import type { Attrs, HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

type Source = readonly [position: number, share: number];
type Method = (i: number, from: number, to: number, attrs: Attrs) => readonly Source[];

const within = (k: number, size: number): number => Math.min(size - 1, Math.max(0, k));

function ratio(from: number, to: number, attrs: Attrs): number {
  return attrs.bool('align_corners') && to > 1 ? (from - 1) / (to - 1) : from / to;
}

function place(i: number, from: number, to: number, attrs: Attrs): number {
  const step = ratio(from, to, attrs);
  return attrs.bool('half_pixel_centers') ? (i + 0.5) * step - 0.5 : i * step;
}

const bilinear: Method = (i, from, to, attrs) => {
  const at = place(i, from, to, attrs);
  const right = at - Math.floor(at);
  return [
    [within(Math.floor(at), from), 1 - right],
    [within(Math.floor(at) + 1, from), right],
  ];
};

const nearest: Method = (i, from, to, attrs) => {
  const step = ratio(from, to, attrs);
  if (attrs.bool('half_pixel_centers')) return [[within(Math.floor((i + 0.5) * step), from), 1]];
  return [[within(Math.floor(i * step + (attrs.bool('align_corners') ? 0.5 : 0)), from), 1]];
};

/** Keys' kernel with parameter `a` at distance `d`. */
function cubicKernel(d: number, a: number): number {
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

const bicubic: Method = (i, from, to, attrs) => {
  const at = place(i, from, to, attrs);
  const base = Math.floor(at);
  const rounded = base + Math.round((at - base) * 1024) / 1024;
  const centred = attrs.bool('half_pixel_centers');
  const taps = [-1, 0, 1, 2].map((k): Source => {
    const weight = cubicKernel(Math.abs(rounded - base - k), centred ? -0.5 : -0.75);
    return [base + k, weight];
  });
  if (!centred) return taps.map(([k, weight]) => [within(k, from), weight]);
  const inside = taps.filter(([k]) => k === within(k, from));
  const sum = inside.reduce((total, [, weight]) => total + weight, 0);
  return inside.map(([k, weight]) => [k, weight / sum]);
};

const area: Method = (i, from, to, attrs) => {
  const step = ratio(from, to, attrs);
  if (step === 0) return [[0, 1]];
  const shares: Source[] = [];
  for (let k = Math.floor(i * step); k < (i + 1) * step; k++) {
    const overlap = Math.min((i + 1) * step, k + 1) - Math.max(i * step, k);
    shares.push([within(k, from), overlap / step]);
  }
  return shares;
};

function resize(method: Method): Reference {
  return (c) => {
    const [n = 0, rows = 0, columns = 0, channels = 0] = c.input(0).shape;
    const [height = 0, width = 0] = c.input(1).data;
    const pixel = coordinates(c.input(0));
    const element = ([b = 0, y = 0, x = 0, ch = 0]: readonly number[]): number => {
      let sum = 0;
      for (const [py, wy] of method(y, rows, height, c.attrs)) {
        for (const [px, wx] of method(x, columns, width, c.attrs)) sum += wy * wx * pixel([b, py, px, ch]);
      }
      return sum;
    };
    return [tabulate(c.outputs[0] ?? 'float32', [n, height, width, channels], element)];
  };
}

/** Adds every element of the resized gradient to the pixels that it was made of. */
function carryBack(method: Method, c: ReferenceContext, rows: number, columns: number): readonly HostValue[] {
  const [n = 0, height = 0, width = 0, channels = 0] = c.input(0).shape;
  const data = new Float64Array(n * rows * columns * channels);
  const grad = coordinates(c.input(0));
  for (let b = 0; b < n; b++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (const [py, wy] of method(y, rows, height, c.attrs)) {
          for (const [px, wx] of method(x, columns, width, c.attrs)) {
            for (let ch = 0; ch < channels; ch++) {
              const at = ((b * rows + py) * columns + px) * channels + ch;
              data[at] = (data[at] ?? 0) + wy * wx * grad([b, y, x, ch]);
            }
          }
        }
      }
    }
  }
  const dtype = c.outputs[0] ?? 'float32';
  return [{ dtype, shape: [n, rows, columns, channels], data: data.map((value) => wrapTo(value, dtype)) }];
}

const ofImage =
  (method: Method): Reference =>
  (c) =>
    carryBack(method, c, c.input(1).shape[1] ?? 0, c.input(1).shape[2] ?? 0);

export const IMAGE_RESIZE_REFERENCES = {
  ResizeBilinear: resize(bilinear),
  ResizeBilinearGrad: ofImage(bilinear),
  ResizeBicubic: resize(bicubic),
  ResizeBicubicGrad: ofImage(bicubic),
  ResizeNearestNeighbor: resize(nearest),
  ResizeNearestNeighborGrad: (c) => carryBack(nearest, c, c.input(1).data[0] ?? 0, c.input(1).data[1] ?? 0),
  ResizeArea: resize(area),
} satisfies FamilyReferences;
