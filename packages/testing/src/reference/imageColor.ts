/** Float64 references of the colour ops, by the six sectors of the colour wheel. */
import type { FamilyReferences, Reference } from '../sample.js';

type Pixel = readonly [number, number, number];

function hsvOf([r, g, b]: Pixel): Pixel {
  const [v, m] = [Math.max(r, g, b), Math.min(r, g, b)];
  const range = v - m;
  const s = v > 0 ? range / v : 0;
  if (range === 0) return [0, s, v];
  const sector = r === v ? (g - b) / range : g === v ? (b - r) / range + 2 : (r - g) / range + 4;
  return [sector < 0 ? sector / 6 + 1 : sector / 6, s, v];
}

/** Chroma and position within the sector give the three channels in one of six orders. */
function sectorOf(h: number, low: number, range: number): Pixel {
  const sector = Math.floor(h * 6);
  const f = h * 6 - sector;
  const [full, up, down] = [low + range, low + range * f, low + range * (1 - f)];
  const orders: readonly Pixel[] = [
    [full, up, low],
    [down, full, low],
    [low, full, up],
    [low, down, full],
    [up, low, full],
    [full, low, down],
  ];
  return orders[((sector % 6) + 6) % 6] ?? [NaN, NaN, NaN];
}

const rgbOf = ([h, s, v]: Pixel): Pixel => sectorOf(h, v * (1 - s), v * s);

function perPixel(f: (pixel: Pixel, parameter: number) => Pixel): Reference {
  return (c) => {
    const { shape, data } = c.input(0);
    const parameter = c.inputs[1]?.data[0] ?? NaN;
    const out = new Float64Array(data.length);
    for (let i = 0; i < data.length; i += 3) {
      out.set(f([data[i] ?? NaN, data[i + 1] ?? NaN, data[i + 2] ?? NaN], parameter), i);
    }
    return [{ dtype: c.outputs[0] ?? 'float32', shape, data: out }];
  };
}

const contrast: Reference = (c) => {
  const { shape, data } = c.input(0);
  const factor = c.input(1).data[0] ?? NaN;
  const channels = shape.at(-1) ?? 1;
  const image = (shape.at(-2) ?? 1) * (shape.at(-3) ?? 1) * channels;
  const out = data.map((x, i) => {
    const start = Math.floor(i / image) * image;
    const same = Array.from(
      { length: image / channels },
      (_, k) => data[start + k * channels + (i % channels)] ?? 0,
    );
    const mean = same.reduce((sum, each) => sum + each, 0) / same.length;
    return (x - mean) * factor + mean;
  });
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data: out }];
};

export const IMAGE_COLOR_REFERENCES = {
  RGBToHSV: perPixel(hsvOf),
  HSVToRGB: perPixel(rgbOf),
  AdjustHue: perPixel((pixel, delta) => {
    const [h] = hsvOf(pixel);
    const low = Math.min(...pixel);
    return sectorOf((((h + delta) % 1) + 1) % 1, low, Math.max(...pixel) - low);
  }),
  AdjustSaturation: perPixel((pixel, scale) => {
    const [h, s, v] = hsvOf(pixel);
    return rgbOf([h, Math.min(1, Math.max(0, s * scale)), v]);
  }),
  AdjustContrastv2: contrast,
} satisfies FamilyReferences;
