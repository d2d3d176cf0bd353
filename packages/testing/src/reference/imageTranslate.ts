/** Float64 references of scaling and moving images: the weighted mean that defines each pixel, and its transpose. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

type Weight = (distance: number) => number;

const sinc = (x: number): number => (Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (radius: number): [number, Weight] => [
  radius,
  (d) => (d > radius ? 0 : sinc(d) * sinc(d / radius)),
];

/** The family of cubics with the parameters B and C of Mitchell and Netravali. */
function cubic(b: number, c: number): [number, Weight] {
  return [
    2,
    (d) => {
      if (d < 1) return ((12 - 9 * b - 6 * c) * d ** 3 + (-18 + 12 * b + 6 * c) * d ** 2 + 6 - 2 * b) / 6;
      if (d >= 2) return 0;
      return (
        ((-b - 6 * c) * d ** 3 + (6 * b + 30 * c) * d ** 2 + (-12 * b - 48 * c) * d + 8 * b + 24 * c) / 6
      );
    },
  ];
}

const KERNELS: Readonly<Record<string, readonly [radius: number, weight: Weight]>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: [1.5, (d) => (d < 1.5 ? Math.exp(-(d ** 2) / (2 * 0.5 ** 2)) : 0)],
  box: [1, (d) => (d > 0.5 ? 0 : d === 0.5 ? 0.5 : 1)],
  triangle: [1, (d) => (d < 1 ? 1 - d : 0)],
  keyscubic: cubic(0, 0.5),
  mitchellcubic: cubic(1 / 3, 1 / 3),
};

/** The matrix that takes an axis of `from` pixels to one of `to`. */
function axisMatrix(c: ReferenceContext, axis: number, from: number, to: number): number[][] {
  const [scale, shift] = [c.input(2).data[axis] ?? 1, c.input(3).data[axis] ?? 0];
  const [radius, weight] = KERNELS[c.attrs.string('kernel_type')] ?? lanczos(3);
  const stretch = c.attrs.bool('antialias') ? Math.max(1, 1 / scale) : 1;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5 - shift) / scale;
    const inside = center >= 0 && center <= from;
    const row = Array.from({ length: from }, (_, k) => {
      const distance = Math.abs(k + 0.5 - center) / stretch;
      return inside && distance <= radius ? weight(distance) : 0;
    });
    const total = row.reduce((sum, w) => sum + w, 0);
    return row.map((w) => (total === 0 ? 0 : w / total));
  });
}

/** y = sum over pixels of rows[a][b] columns[i][j] x[b][j], or with both matrices transposed. */
function apply(
  c: ReferenceContext,
  x: HostValue,
  images: readonly number[],
  result: readonly number[],
  back: boolean,
): HostValue[] {
  const rows = axisMatrix(c, 0, images[1] ?? 1, result[1] ?? 1);
  const columns = axisMatrix(c, 1, images[2] ?? 1, result[2] ?? 1);
  const shape = back ? images : result;
  const source = x.shape;
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  const [n = 0, height = 0, width = 0, channels = 0] = shape;
  const [, sourceHeight = 0, sourceWidth = 0] = source;
  const entry = (matrix: number[][], to: number, from: number): number =>
    (back ? matrix[from]?.[to] : matrix[to]?.[from]) ?? 0;
  for (let p = 0; p < n * height * width; p++) {
    const [b, y, z] = [Math.floor(p / (height * width)), Math.floor(p / width) % height, p % width];
    for (let q = 0; q < sourceHeight * sourceWidth; q++) {
      const w = entry(rows, y, Math.floor(q / sourceWidth)) * entry(columns, z, q % sourceWidth);
      if (w === 0) continue;
      for (let ch = 0; ch < channels; ch++) {
        const value = x.data[(b * sourceHeight * sourceWidth + q) * channels + ch] ?? NaN;
        data[p * channels + ch] = (data[p * channels + ch] ?? 0) + w * value;
      }
    }
  }
  return [{ dtype: 'float32', shape, data }];
}

export const IMAGE_TRANSLATE_REFERENCES = {
  ScaleAndTranslate: (c) => {
    const images = c.input(0).shape;
    const [height = 0, width = 0] = c.input(1).data;
    return apply(c, c.input(0), images, [images[0] ?? 0, height, width, images[3] ?? 0], false);
  },
  ScaleAndTranslateGrad: (c) => apply(c, c.input(0), c.input(1).shape, c.input(0).shape, true),
} satisfies FamilyReferences;
