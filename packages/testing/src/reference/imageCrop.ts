/** Float64 references of cropping, position by position: each visits the pixels that a crop is made of. */
import type { FamilyReferences, ReferenceContext } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

/** A pixel of the image, its weight in a crop position, and how the weight changes with the position. */
interface Corner {
  readonly y: number;
  readonly x: number;
  readonly weight: number;
  readonly slopeY: number;
  readonly slopeX: number;
}

interface CropPosition {
  readonly at: readonly [box: number, row: number, column: number];
  readonly image: number;
  /** `null` outside of the image. */
  readonly corners: readonly Corner[] | null;
}

interface Setting {
  readonly crops: readonly number[];
  readonly image: readonly number[];
  readonly boxes: number;
  readonly boxInd: number;
  readonly nearest: boolean;
}

function position(low: number, high: number, k: number, count: number, size: number): number {
  if (count === 1) return ((low + high) / 2) * (size - 1);
  return ((low * (count - 1 - k) + high * k) * (size - 1)) / (count - 1);
}

function cornersOf(y: number, x: number, nearest: boolean): Corner[] {
  if (nearest) {
    return [{ y: Math.floor(y + 0.5), x: Math.floor(x + 0.5), weight: 1, slopeY: 0, slopeX: 0 }];
  }
  const [top, left, fy, fx] = [Math.floor(y), Math.floor(x), y % 1, x % 1];
  const [bottom, right] = [Math.ceil(y), Math.ceil(x)];
  return [
    { y: top, x: left, weight: (1 - fy) * (1 - fx), slopeY: fx - 1, slopeX: fy - 1 },
    { y: top, x: right, weight: (1 - fy) * fx, slopeY: -fx, slopeX: 1 - fy },
    { y: bottom, x: left, weight: fy * (1 - fx), slopeY: 1 - fx, slopeX: -fy },
    { y: bottom, x: right, weight: fy * fx, slopeY: fx, slopeX: fy },
  ];
}

/** Every position of every crop. */
function positions(c: ReferenceContext, { crops, image, boxes, boxInd, nearest }: Setting): CropPosition[] {
  const [count = 0, rows = 0, columns = 0] = crops;
  const [batch = 0, height = 0, width = 0] = image;
  const found: CropPosition[] = [];
  for (let b = 0; b < count; b++) {
    const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = c.input(boxes).data.slice(4 * b, 4 * b + 4);
    const source = c.input(boxInd).data[b] ?? -1;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const y = position(y1, y2, row, rows, height);
        const x = position(x1, x2, column, columns, width);
        const inside = y >= 0 && x >= 0 && y <= height - 1 && x <= width - 1;
        const corners = inside && source >= 0 && source < batch ? cornersOf(y, x, nearest) : null;
        found.push({ at: [b, row, column], image: source, corners });
      }
    }
  }
  return found;
}

function crop(c: ReferenceContext): ReturnType<typeof tabulate>[] {
  const image = c.input(0).shape;
  const [height = 0, width = 0] = c.input(3).data;
  const shape = [c.input(1).shape[0] ?? 0, height, width, image[3] ?? 0];
  const nearest = c.attrs.string('method') === 'nearest';
  const places = positions(c, { crops: shape, image, boxes: 1, boxInd: 2, nearest });
  const pixel = coordinates(c.input(0));
  const element = ([b = 0, y = 0, x = 0, ch = 0]: readonly number[]): number => {
    const place = places[(b * height + y) * width + x];
    const corners = place?.corners ?? null;
    if (place === undefined || corners === null) return c.attrs.float('extrapolation_value');
    return corners.reduce((sum, k) => sum + k.weight * pixel([place.image, k.y, k.x, ch]), 0);
  };
  return [tabulate('float32', shape, element)];
}

function gradImage(c: ReferenceContext): ReturnType<typeof tabulate>[] {
  const shape = Array.from(c.input(3).data);
  const [, height = 0, width = 0, channels = 0] = shape;
  const nearest = c.attrs.string('method') === 'nearest';
  const setting = { crops: c.input(0).shape, image: shape, boxes: 1, boxInd: 2, nearest };
  const grad = coordinates(c.input(0));
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  for (const { at, image, corners } of positions(c, setting)) {
    for (const { y, x, weight } of corners ?? []) {
      for (let ch = 0; ch < channels; ch++) {
        const k = ((image * height + y) * width + x) * channels + ch;
        data[k] = (data[k] ?? 0) + weight * grad([...at, ch]);
      }
    }
  }
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data }];
}

function gradBoxes(c: ReferenceContext): ReturnType<typeof tabulate>[] {
  const [crops, image] = [c.input(0).shape, c.input(1).shape];
  const [count = 0, rows = 1, columns = 1, channels = 0] = crops;
  const [, height = 1, width = 1] = image;
  const [grad, pixel] = [coordinates(c.input(0)), coordinates(c.input(1))];
  const data = new Float64Array(4 * count);
  for (const place of positions(c, { crops, image, boxes: 2, boxInd: 3, nearest: false })) {
    const [box, row, column] = place.at;
    const [ty, tx] = [rows === 1 ? 0.5 : row / (rows - 1), columns === 1 ? 0.5 : column / (columns - 1)];
    for (const { y, x, slopeY, slopeX } of place.corners ?? []) {
      for (let ch = 0; ch < channels; ch++) {
        const flow = grad([...place.at, ch]) * pixel([place.image, y, x, ch]);
        const [dy, dx] = [flow * slopeY * (height - 1), flow * slopeX * (width - 1)];
        [dy * (1 - ty), dx * (1 - tx), dy * ty, dx * tx].forEach((share, k) => {
          data[4 * box + k] = (data[4 * box + k] ?? 0) + share;
        });
      }
    }
  }
  return [{ dtype: 'float32', shape: [count, 4], data }];
}

export const IMAGE_CROP_REFERENCES = {
  CropAndResize: crop,
  CropAndResizeGradImage: gradImage,
  CropAndResizeGradBoxes: gradBoxes,
} satisfies FamilyReferences;
