/** Float64 references of pooling and its gradients: one loop over windows that all of them share. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

/** Calls `visit` for every window and channel with the flat indices of its elements, in row-major order. */
function forEachWindow(
  { attrs }: ReferenceContext,
  images: readonly number[],
  visit: (window: number, elements: readonly number[]) => void,
): readonly number[] {
  const channelsFirst = attrs.string('data_format') === 'NCHW';
  const [h, w, ch] = channelsFirst ? [2, 3, 1] : [1, 2, 3];
  const size = (list: readonly number[], i: number): number => list[i] ?? 1;
  const [ksize, strides] = [attrs.ints('ksize'), attrs.ints('strides')];
  const same = attrs.string('padding') === 'SAME';
  const pooled = images.map((n, i) => {
    if (i !== h && i !== w) return n;
    return same ? Math.ceil(n / size(strides, i)) : Math.floor((n - size(ksize, i)) / size(strides, i)) + 1;
  });
  const begin = (axis: number, window: number): number => {
    const [n, k, s] = [size(images, axis), size(ksize, axis), size(strides, axis)];
    const padding = same ? Math.max(0, (size(pooled, axis) - 1) * s + k - n) : 0;
    return window * s - Math.floor(padding / 2);
  };
  const flat = (shape: readonly number[], b: number, y: number, x: number, c: number): number => {
    const position = channelsFirst ? [b, c, y, x] : [b, y, x, c];
    return position.reduce((index, p, i) => index * size(shape, i) + p, 0);
  };
  for (let b = 0; b < size(images, 0); b++) {
    for (let c = 0; c < size(images, ch); c++) {
      for (let oy = 0; oy < size(pooled, h); oy++) {
        for (let ox = 0; ox < size(pooled, w); ox++) {
          const elements: number[] = [];
          for (let y = begin(h, oy); y < begin(h, oy) + size(ksize, h); y++) {
            for (let x = begin(w, ox); x < begin(w, ox) + size(ksize, w); x++) {
              const inside = y >= 0 && x >= 0 && y < size(images, h) && x < size(images, w);
              if (inside) elements.push(flat(images, b, y, x, c));
            }
          }
          visit(flat(pooled, b, oy, ox, c), elements);
        }
      }
    }
  }
  return pooled;
}

function at(value: HostValue, index: number): number {
  return value.data[index] ?? NaN;
}

/** Position of the first largest of `elements`. */
function firstLargest(x: HostValue, elements: readonly number[]): number {
  const largest = Math.max(...elements.map((e) => at(x, e)));
  return elements.find((e) => at(x, e) === largest) ?? -1;
}

/** An output over windows. */
function overWindows(
  c: ReferenceContext,
  images: readonly number[],
  value: (elements: readonly number[]) => number,
): HostValue[] {
  const results = new Map<number, number>();
  const shape = forEachWindow(c, images, (window, elements) => results.set(window, value(elements)));
  const data = Float64Array.from({ length: results.size }, (_, i) => results.get(i) ?? NaN);
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data }];
}

/** An output over pixels, to which every window adds. */
function overPixels(
  c: ReferenceContext,
  images: readonly number[],
  add: (data: Float64Array, window: number, elements: readonly number[]) => void,
): HostValue[] {
  const data = new Float64Array(images.reduce((a, b) => a * b, 1));
  forEachWindow(c, images, (window, elements) => add(data, window, elements));
  return [{ dtype: c.outputs[0] ?? 'float32', shape: images, data }];
}

function addTo(data: Float64Array, index: number, value: number): void {
  data[index] = (data[index] ?? 0) + value;
}

const maxPoolGrad: Reference = (c) =>
  overPixels(c, c.input(0).shape, (data, window, elements) => {
    addTo(data, firstLargest(c.input(0), elements), at(c.input(2), window));
  });

const avgPoolGrad: Reference = (c) =>
  overPixels(c, [...c.input(0).data], (data, window, elements) => {
    for (const e of elements) addTo(data, e, at(c.input(1), window) / elements.length);
  });

export const POOL_REFERENCES = {
  MaxPool: (c) =>
    overWindows(c, c.input(0).shape, (elements) => Math.max(...elements.map((e) => at(c.input(0), e)))),
  MaxPoolGrad: maxPoolGrad,
  MaxPoolGradGrad: (c) =>
    overWindows(c, c.input(0).shape, (elements) => at(c.input(2), firstLargest(c.input(0), elements))),
  AvgPool: (c) =>
    overWindows(c, c.input(0).shape, (elements) => {
      return elements.reduce((sum, e) => sum + at(c.input(0), e), 0) / elements.length;
    }),
  AvgPoolGrad: avgPoolGrad,
} satisfies FamilyReferences;
