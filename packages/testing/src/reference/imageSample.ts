/** The reference of SampleDistortedBoundingBox and its second version: one attempt after the other. */
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { seeded } from './randomStream.js';

type Part = readonly [y: number, x: number, height: number, width: number];

const f = Math.fround;

function even(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function list(c: ReferenceContext, name: string): readonly number[] {
  const attr = c.attrs.get(name);
  return attr.kind === 'list(float)' ? attr.value.map(f) : [];
}

/** A part of random area and proportions; `null` when rounding leaves none. */
function attempt(c: ReferenceContext, words: readonly number[], rows: number, columns: number): Part | null {
  const [[low = 0, high = 0], [minArea = 0, maxArea = 0]] = [
    list(c, 'aspect_ratio_range'),
    list(c, 'area_range'),
  ];
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  const ratio = f(f((w0 >>> 8) * 2 ** -24 * f(high - low)) + low);
  const wide = (height: number): number => even(f(height * ratio));
  const [least, most] = [f(f(minArea * columns) * rows), f(f(maxArea * columns) * rows)];
  let tallest = even(f(Math.sqrt(f(most / ratio))));
  if (wide(tallest) > columns) {
    tallest = Math.trunc((columns + 0.5 - 1e-7) / ratio);
    if (wide(tallest) > columns) tallest -= 1;
  }
  tallest = Math.min(tallest, rows);
  let height = Math.min(even(f(Math.sqrt(f(least / ratio)))), tallest);
  height += w1 % (tallest - height + 1);
  if (height * wide(height) < least) height += 1;
  if (height * wide(height) > most) height -= 1;
  const [width, area] = [wide(height), height * wide(height)];
  const fits = area >= least && area <= most && width <= columns && height <= rows && width > 0 && height > 0;
  if (!fits) return null;
  return [
    height < rows ? w2 % (rows - height) : 0,
    width < columns ? w3 % (columns - width) : 0,
    height,
    width,
  ];
}

function covers(c: ReferenceContext, [y, x, height, width]: Part, rows: number, columns: number): boolean {
  const boxes = Array.from(c.input(1).data);
  const least = c.inputs[2]?.data[0] ?? c.attrs.float('min_object_covered');
  const all = boxes.length === 0 ? [0, 0, 1, 1] : boxes;
  for (let k = 0; k < all.length; k += 4) {
    const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = all
      .slice(k, k + 4)
      .map((edge, i) => Math.trunc(f(edge * (i % 2 === 0 ? rows : columns))));
    const shared =
      Math.max(0, Math.min(y + height, y2) - Math.max(y, y1)) *
      Math.max(0, Math.min(x + width, x2) - Math.max(x, x1));
    const own = (y2 - y1) * (x2 - x1);
    if (own >= 1 && f(shared / own) >= least) return true;
  }
  return false;
}

const sample: Reference = (c) => {
  const [rows = 0, columns = 0] = c.input(0).data;
  const stream = seeded(c);
  let part: Part = [0, 0, rows, columns];
  for (let a = 0; a < c.attrs.int('max_attempts'); a++) {
    const tried = attempt(c, stream(0, a), rows, columns);
    if (tried === null || !covers(c, tried, rows, columns)) continue;
    part = tried;
    break;
  }
  const [y, x, height, width] = part;
  const box = [y / rows, x / columns, (y + height) / rows, (x + width) / columns];
  const dtype = c.outputs[0] ?? 'int32';
  return [
    { dtype, shape: [3], data: Float64Array.of(y, x, 0) },
    { dtype, shape: [3], data: Float64Array.of(height, width, -1) },
    { dtype: 'float32', shape: [1, 1, 4], data: Float64Array.from(box) },
  ];
};

export const IMAGE_SAMPLE_REFERENCES = {
  SampleDistortedBoundingBox: sample,
  SampleDistortedBoundingBoxV2: sample,
} satisfies FamilyReferences;
