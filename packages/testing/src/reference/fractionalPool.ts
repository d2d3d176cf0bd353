/** Float64 references of the gradients of pools over windows of two sizes: loops over windows and their elements. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

interface Window {
  readonly from: number;
  readonly to: number;
}

/** The windows along an axis of `size` elements, last element included. */
function windowsOf({ attrs }: ReferenceContext, { data }: HostValue, size: number): Window[] {
  const more = attrs.bool('overlapping') ? 0 : 1;
  return Array.from(data.slice(1), (next, i) => ({
    from: data[i] ?? 0,
    to: Math.min(next - more, size - 1),
  }));
}

/** Calls `visit` for every pooled element, with the positions in the images of its window's elements in order. */
function everyWindow(
  shape: readonly number[],
  rows: readonly Window[],
  columns: readonly Window[],
  visit: (pooled: number, elements: readonly number[]) => void,
): void {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  let pooled = 0;
  for (let b = 0; b < batch; b++) {
    for (const row of rows) {
      for (const column of columns) {
        for (let c = 0; c < channels; c++, pooled++) {
          const elements: number[] = [];
          for (let y = row.from; y <= row.to; y++) {
            for (let x = column.from; x <= column.to; x++) {
              elements.push(((b * height + y) * width + x) * channels + c);
            }
          }
          visit(pooled, elements);
        }
      }
    }
  }
}

export const FRACTIONAL_POOL_REFERENCES = {
  FractionalAvgPoolGrad: (c) => {
    const shape = Array.from(c.input(0).data);
    const [rows, columns] = [
      windowsOf(c, c.input(2), shape[1] ?? 0),
      windowsOf(c, c.input(3), shape[2] ?? 0),
    ];
    const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
    everyWindow(shape, rows, columns, (pooled, elements) => {
      const share = (c.input(1).data[pooled] ?? NaN) / elements.length;
      for (const at of elements) data[at] = (data[at] ?? NaN) + share;
    });
    return [{ dtype: 'float32', shape, data }];
  },
  FractionalMaxPoolGrad: (c) => {
    const { shape, data: x } = c.input(0);
    const [rows, columns] = [
      windowsOf(c, c.input(3), shape[1] ?? 0),
      windowsOf(c, c.input(4), shape[2] ?? 0),
    ];
    const data = new Float64Array(x.length);
    everyWindow(shape, rows, columns, (pooled, elements) => {
      const values = elements.map((at) => x[at] ?? NaN);
      const at = elements[values.indexOf(Math.max(...values))] ?? 0;
      data[at] = (data[at] ?? NaN) + (c.input(2).data[pooled] ?? NaN);
    });
    return [{ dtype: 'float32', shape, data }];
  },
} satisfies FamilyReferences;
