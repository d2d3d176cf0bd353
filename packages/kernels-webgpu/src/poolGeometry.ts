/** What pooling kernels share: sizes, the loops over windows and taps, and the texts that address elements. */
import { imageAxes, poolAxes, sizeOf, windowPadding, type WindowAxis } from '@forerun/graph';
import type { KernelContext } from './kernel.js';
import type { Width } from './wgsl/dtype.js';

/** One image axis: elements, windows, window size, step, padding before. */
export interface PoolAxis {
  readonly size: number;
  readonly windows: number;
  readonly window: number;
  readonly stride: number;
  readonly before: number;
  /** Every tap of every window lies inside. */
  readonly inside: boolean;
}

export interface PoolGeometry {
  readonly images: number;
  readonly y: PoolAxis;
  readonly x: PoolAxis;
  /** Channels in units of `width`. */
  readonly channels: number;
  readonly width: Width;
}

/**
 * The geometry of pooling `images` into `pooled`. In NCHW every channel counts as an image of its own;
 * in NHWC four channels are taken at a time where their number allows it.
 */
export function poolGeometry(
  c: KernelContext,
  images: readonly number[],
  pooled: readonly number[],
): PoolGeometry {
  const format = c.attrs.string('data_format');
  const [h, w] = imageAxes(format);
  const [ay, ax] = poolAxes(c.attrs);
  const axis = (i: number, spec: WindowAxis): PoolAxis => {
    const [size, windows] = [images[i] ?? 1, pooled[i] ?? 1];
    const before = windowPadding(size, spec)[0];
    const { size: window, stride } = spec;
    const inside = before === 0 && (windows - 1) * stride + window <= size;
    return { size, windows, window, stride, before, inside };
  };
  const channels = format === 'NCHW' ? 1 : (images[3] ?? 1);
  const width: Width = channels % 4 === 0 ? 4 : 1;
  return {
    images: sizeOf(images.slice(0, h)),
    y: axis(h, ay),
    x: axis(w, ax),
    channels: channels / width,
    width,
  };
}

/** Index of the pixel at `y`, `x` of the images, in units of the width. */
export function pixelIndex({ y, x, channels }: PoolGeometry, py: string, px: string): string {
  return `((image * ${y.size}u + ${py}) * ${x.size}u + ${px}) * ${channels}u + channel`;
}

/** Index of a window of the pooled images, in units of the width. */
export function windowIndex({ y, x, channels }: PoolGeometry, oy: string, ox: string): string {
  return `((image * ${y.windows}u + ${oy}) * ${x.windows}u + ${ox}) * ${channels}u + channel`;
}

/** Splits `item` into `image`, `row`, `column` and `channel` over `rows` by `columns`. */
export function splitItem({ channels }: PoolGeometry, rows: number, columns: number): string {
  return `let channel = item % ${channels}u;
let column = (item / ${channels}u) % ${columns}u;
let row = (item / ${channels * columns}u) % ${rows}u;
let image = item / ${channels * columns * rows}u;`;
}

/** Windows with more taps are looped over instead of written out. */
const MAX_UNROLLED = 9;

/**
 * Runs `body` for every tap of the window at `row`, `column` that lies inside the image, in row-major
 * order; it may use `py` and `px`. Positions left of the image wrap to large numbers and fail the test.
 */
export function forTaps({ y, x }: PoolGeometry, body: string): string {
  const position = `let py = row * ${y.stride}u + ky - ${y.before}u;\nlet px = column * ${x.stride}u + kx - ${x.before}u;`;
  const tests = [y.inside ? [] : [`py < ${y.size}u`], x.inside ? [] : [`px < ${x.size}u`]].flat();
  const guarded = tests.length === 0 ? body : `if (${tests.join(' && ')}) {\n${body}\n}`;
  if (y.window * x.window > MAX_UNROLLED) {
    return `for (var ky = 0u; ky < ${y.window}u; ky += 1u) {
for (var kx = 0u; kx < ${x.window}u; kx += 1u) {
${position}
${guarded}
}
}`;
  }
  const taps: string[] = [];
  for (let ky = 0; ky < y.window; ky++) {
    for (let kx = 0; kx < x.window; kx++) {
      taps.push(`{\nlet ky = ${ky}u;\nlet kx = ${kx}u;\n${position}\n${guarded}\n}`);
    }
  }
  return taps.join('\n');
}

/** Loops `oy`, `ox` over all windows that contain the pixel at `row`, `column`. */
export function forWindows({ y, x }: PoolGeometry, body: string): string {
  const bounds = (name: string, at: string, axis: PoolAxis): string => {
    const place = `(${at} + ${axis.before}u)`;
    return `let ${name}_first = select((${place} - ${axis.window}u) / ${axis.stride}u + 1u, 0u, ${place} < ${axis.window}u);
let ${name}_end = min(${place} / ${axis.stride}u + 1u, ${axis.windows}u);`;
  };
  return `${bounds('oy', 'row', y)}
${bounds('ox', 'column', x)}
for (var oy = oy_first; oy < oy_end; oy += 1u) {
for (var ox = ox_first; ox < ox_end; ox += 1u) {
${body}
}
}`;
}
