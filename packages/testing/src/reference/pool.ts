/** Float64 references of pooling and its gradients: one loop over windows that all of them share. */
import { FRACTIONAL_POOL_REFERENCES } from './fractionalPool.js';
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

/** Window sizes and steps, one per dimension of the images; 1 where nothing is pooled. */
interface Lists {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
}

function listsOf({ attrs }: ReferenceContext): Lists {
  return { ksize: attrs.ints('ksize'), strides: attrs.ints('strides') };
}

/** The lists in inputs `first` and the next. */
function listsFrom(first: number): (c: ReferenceContext) => Lists {
  return ({ input }) => ({ ksize: [...input(first).data], strides: [...input(first + 1).data] });
}

/** Calls `visit` for every position of a tensor of `shape`, in row-major order. */
function forEachPosition(shape: readonly number[], visit: (position: readonly number[]) => void): void {
  const walk = (position: readonly number[]): void => {
    if (position.length === shape.length) visit(position);
    else for (let i = 0; i < (shape[position.length] ?? 0); i++) walk([...position, i]);
  };
  walk([]);
}

/** Elements of padding in front of dimension `axis`, and the number of windows along it. */
function along(
  { attrs }: ReferenceContext,
  { ksize, strides }: Lists,
  size: number,
  axis: number,
): { before: number; count: number } {
  const [k, s] = [ksize[axis] ?? 1, strides[axis] ?? 1];
  const padding = attrs.string('padding');
  if (padding === 'SAME') {
    const count = Math.ceil(size / s);
    return { count, before: Math.floor(Math.max(0, (count - 1) * s + k - size) / 2) };
  }
  const explicit = padding === 'EXPLICIT' ? attrs.ints('explicit_paddings') : [];
  const [before, after] = [explicit[2 * axis] ?? 0, explicit[2 * axis + 1] ?? 0];
  return { before, count: Math.floor((size + before + after - k) / s) + 1 };
}

/** Calls `visit` for every window with the flat indices of its elements, in row-major order. Gives the pooled shape. */
function forEachWindow(
  c: ReferenceContext,
  images: readonly number[],
  lists: Lists,
  visit: (window: number, elements: readonly number[]) => void,
): readonly number[] {
  const rules = images.map((size, axis) => along(c, lists, size, axis));
  const pooled = rules.map(({ count }) => count);
  let window = 0;
  forEachPosition(pooled, (position) => {
    const elements: number[] = [];
    forEachPosition(lists.ksize, (tap) => {
      const pixel = position.map(
        (o, axis) => o * (lists.strides[axis] ?? 1) + (tap[axis] ?? 0) - (rules[axis]?.before ?? 0),
      );
      if (pixel.some((p, axis) => p < 0 || p >= (images[axis] ?? 0))) return;
      elements.push(pixel.reduce((index, p, axis) => index * (images[axis] ?? 1) + p, 0));
    });
    visit(window++, elements);
  });
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
  value: (elements: readonly number[], window: number) => number,
  lists = listsOf(c),
): HostValue[] {
  const results: number[] = [];
  const shape = forEachWindow(c, images, lists, (window, elements) => {
    results.push(value(elements, window));
  });
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data: Float64Array.from(results) }];
}

/** An output over pixels, to which every window adds. */
function overPixels(
  c: ReferenceContext,
  images: readonly number[],
  add: (data: Float64Array, window: number, elements: readonly number[]) => void,
  lists = listsOf(c),
): HostValue[] {
  const data = new Float64Array(images.reduce((a, b) => a * b, 1));
  forEachWindow(c, images, lists, (window, elements) => add(data, window, elements));
  return [{ dtype: c.outputs[0] ?? 'float32', shape: images, data }];
}

function addTo(data: Float64Array, index: number, value: number): void {
  data[index] = (data[index] ?? 0) + value;
}

function maxPool(lists = listsOf): Reference {
  return (c) =>
    overWindows(
      c,
      c.input(0).shape,
      (elements) => Math.max(...elements.map((e) => at(c.input(0), e))),
      lists(c),
    );
}

function maxPoolGrad(lists = listsOf): Reference {
  return (c) => {
    const add = (data: Float64Array, window: number, elements: readonly number[]): void =>
      addTo(data, firstLargest(c.input(0), elements), at(c.input(2), window));
    return overPixels(c, c.input(0).shape, add, lists(c));
  };
}

function maxPoolGradGrad(lists = listsOf): Reference {
  return (c) => {
    const value = (elements: readonly number[]): number => at(c.input(2), firstLargest(c.input(0), elements));
    return overWindows(c, c.input(0).shape, value, lists(c));
  };
}

const avgPool: Reference = (c) =>
  overWindows(c, c.input(0).shape, (elements) => {
    return elements.reduce((sum, e) => sum + at(c.input(0), e), 0) / elements.length;
  });

const avgPoolGrad: Reference = (c) =>
  overPixels(c, [...c.input(0).data], (data, window, elements) => {
    for (const e of elements) addTo(data, e, at(c.input(1), window) / elements.length);
  });

/** The flat index of the first element of the image that flat index `element` lies in, as positions count. */
function imageStart({ attrs, input }: ReferenceContext, element: number): number {
  if (attrs.bool('include_batch_in_index')) return 0;
  const size = input(0)
    .shape.slice(1)
    .reduce((a, b) => a * b, 1);
  return Math.floor(element / size) * size;
}

const maxPoolWithArgmax: Reference = (c) => {
  const positions = overWindows(c, c.input(0).shape, (elements) => {
    const element = firstLargest(c.input(0), elements);
    return element - imageStart(c, element);
  });
  const dtype = c.outputs[1] ?? 'int64';
  return [...maxPool()(c), ...positions.map((value) => ({ ...value, dtype }))];
};

/** The flat index that `argmax` means for a window, whose elements tell which image it is in. */
function chosen(c: ReferenceContext, window: number, elements: readonly number[]): number {
  return at(c.input(2), window) + imageStart(c, elements[0] ?? 0);
}

export const POOL_REFERENCES = {
  ...FRACTIONAL_POOL_REFERENCES,
  MaxPool: maxPool(),
  MaxPoolGrad: maxPoolGrad(),
  MaxPoolGradGrad: maxPoolGradGrad(),
  AvgPool: avgPool,
  AvgPoolGrad: avgPoolGrad,
  MaxPool3D: maxPool(),
  MaxPool3DGrad: maxPoolGrad(),
  MaxPool3DGradGrad: maxPoolGradGrad(),
  AvgPool3D: avgPool,
  AvgPool3DGrad: avgPoolGrad,
  MaxPoolV2: maxPool(listsFrom(1)),
  MaxPoolGradV2: maxPoolGrad(listsFrom(3)),
  MaxPoolGradGradV2: maxPoolGradGrad(listsFrom(3)),
  MaxPoolWithArgmax: maxPoolWithArgmax,
  MaxPoolGradWithArgmax: (c) =>
    overPixels(c, c.input(0).shape, (data, window, elements) => {
      addTo(data, chosen(c, window, elements), at(c.input(1), window));
    }),
  MaxPoolGradGradWithArgmax: (c) =>
    overWindows(c, c.input(0).shape, (elements, window) => at(c.input(1), chosen(c, window, elements))),
} satisfies FamilyReferences;
