/**
 * Where scaled and moved images take their pixels from, and the kernels that do so: tables of taps per axis, as of
 * resizing. The arithmetic of positions is that of TensorFlow's kernels in float32.
 */
import type { OpName } from '@forerun/graph';
import { transposedTaps, type Tap, type Taps } from './imageAxes.js';
import { lowerTaps } from './imageResize.js';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';

const f = Math.fround;

interface Window {
  readonly radius: number;
  /** Weight at a distance that is not negative. */
  readonly weight: (x: number) => number;
}

/** sinc(x) sinc(x / radius) within the radius. */
function lanczos(radius: number): Window {
  const weight = (x: number): number => {
    if (x > radius) return 0;
    if (x <= 1e-3) return 1;
    return (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * x) ** 2;
  };
  return { radius, weight };
}

/** Two cubic polynomials, highest coefficient first, for distances up to 1 and up to 2. */
function cubic(near: readonly number[], far: readonly number[]): Window {
  const at = (coefficients: readonly number[], x: number): number =>
    coefficients.reduce((sum, k) => sum * x + k, 0);
  return { radius: 2, weight: (x) => (x >= 2 ? 0 : at(x >= 1 ? far : near, x)) };
}

const WINDOWS: Readonly<Record<string, Window>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: { radius: 1.5, weight: (x) => (x >= 1.5 ? 0 : Math.exp(-2 * x * x)) },
  box: { radius: 1, weight: (x) => (x < 0.5 ? 1 : x === 0.5 ? 0.5 : 0) },
  triangle: { radius: 1, weight: (x) => Math.max(0, 1 - x) },
  keyscubic: cubic([1.5, -2.5, 0, 1], [-0.5, 2.5, -4, 2]),
  mitchellcubic: cubic([7 / 6, -2, 0, 8 / 9], [-7 / 18, 2, -10 / 3, 16 / 9]),
};

interface Placement {
  readonly window: Window;
  readonly scale: number;
  readonly translation: number;
  readonly antialias: boolean;
}

/** Taps of the result pixel at `center` in the source. */
function tapsAt(center: number, from: number, window: Window, stretch: number): Tap[] {
  if (center < 0 || center > from) return [];
  const reach = f(window.radius * stretch);
  const within = (k: number): number => Math.min(Math.max(k, 0), from - 1);
  const first = within(Math.ceil(f(f(center - reach) - 0.5)));
  const last = within(Math.floor(f(f(center + reach) - 0.5)));
  const taps: Tap[] = [];
  for (let index = first; index <= last; index++) {
    const distance = Math.abs(f(f(f(index + 0.5) - center) * f(1 / stretch)));
    taps.push({ index, weight: f(window.weight(distance)) });
  }
  const total = taps.reduce((sum, { weight }) => f(sum + weight), 0);
  if (Math.abs(total) < 1000 * 2 ** -126) return [];
  const factor = f(1 / total);
  return taps
    .map(({ index, weight }) => ({ index, weight: f(weight * factor) }))
    .filter(({ weight }) => weight !== 0);
}

/** The taps of an axis of `from` pixels of which `to` result. */
function placedTaps(from: number, to: number, { window, scale, translation, antialias }: Placement): Taps {
  const step = f(1 / scale);
  const shift = f(-step * translation);
  const stretch = antialias ? Math.max(step, 1) : 1;
  return Array.from({ length: to }, (_, i) => tapsAt(f(f(f(i + 0.5) * step) + shift), from, window, stretch));
}

/** How both axes are placed, by the inputs 2 and 3. */
function placements(c: KernelContext): [rows: Placement, columns: Placement] {
  const [scale, translation] = [c.requireHost(2, 'the scale').data, c.requireHost(3, 'the translation').data];
  const window = WINDOWS[c.attrs.string('kernel_type')];
  if (window === undefined)
    return c.unsupported(`kernel_type "${c.attrs.string('kernel_type')}" is not known`);
  const place = (axis: number): Placement => ({
    window,
    scale: f(scale[axis] ?? 1),
    translation: f(translation[axis] ?? 0),
    antialias: c.attrs.bool('antialias'),
  });
  const [rows, columns] = [place(0), place(1)];
  for (const { scale: factor } of [rows, columns]) {
    if (!(factor > 0)) c.unsupported(`the scale must be positive, got ${factor}`);
  }
  return [rows, columns];
}

function lowerForward(c: KernelContext): Lowered {
  const [from, to] = [c.input(0).shape, c.output(0).shape];
  const [rows, columns] = placements(c);
  return lowerTaps(
    c,
    placedTaps(from[1] ?? 1, to[1] ?? 1, rows),
    placedTaps(from[2] ?? 1, to[2] ?? 1, columns),
  );
}

/** From the result's gradient (input 0) back to images of the output's size. */
function lowerBackward(c: KernelContext): Lowered {
  const [result, images] = [c.input(0).shape, c.output(0).shape];
  const placed = placements(c);
  const back = (axis: 0 | 1): Taps => {
    const size = images[axis + 1] ?? 1;
    return transposedTaps(placedTaps(size, result[axis + 1] ?? 1, placed[axis]), size);
  };
  return lowerTaps(c, back(0), back(1));
}

export const IMAGE_TRANSLATE_KERNELS = {
  ScaleAndTranslate: device(lowerForward),
  ScaleAndTranslateGrad: device(lowerBackward),
} satisfies Partial<Record<OpName, Kernel>>;
