/**
 * What pooling kernels share: sizes, the loops over windows and taps, and the texts that address elements,
 * for any number of pooled dimensions. In WGSL the coordinates of an item along dimension `i` are `c{i}`, of
 * a pixel `p{i}`, of a window `o{i}`, of a tap within its window `k{i}`.
 */
import { poolAxes, pooledAxes, poolingOf, sizeOf, windowPadding, type Pooling } from '@forerun/graph';
import type { KernelContext } from './kernel.js';
import type { Width } from './wgsl/dtype.js';

/** One pooled dimension: elements, windows, window size, step, padding before. */
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
  /** The pooled dimensions, outermost first. */
  readonly axes: readonly PoolAxis[];
  /** Channels in units of `width`. */
  readonly channels: number;
  readonly width: Width;
}

/**
 * The geometry of pooling `images` into `pooled`. With channels first every channel counts as an image of
 * its own; with channels last four of them are taken at a time where their number allows it.
 */
export function poolGeometry(
  c: KernelContext,
  images: readonly number[],
  pooled: readonly number[],
  pooling: Pooling = poolingOf(c.attrs),
): PoolGeometry {
  const dimensions = pooledAxes(pooling.format);
  const axes = poolAxes(pooling).map((spec, k): PoolAxis => {
    const i = dimensions[k] ?? 0;
    const [size, windows] = [images[i] ?? 1, pooled[i] ?? 1];
    const before = windowPadding(size, spec)[0];
    const { size: window, stride } = spec;
    const inside = before === 0 && (windows - 1) * stride + window <= size;
    return { size, windows, window, stride, before, inside };
  });
  const channels = pooling.format.endsWith('C') ? (images.at(-1) ?? 1) : 1;
  const width: Width = channels % 4 === 0 ? 4 : 1;
  return { images: sizeOf(images.slice(0, dimensions[0])), axes, channels: channels / width, width };
}

/** `image` and coordinates as one number, the last coordinate running fastest. */
function flat(sizes: readonly number[], names: readonly string[], start = 'image'): string {
  return sizes.reduce((index, size, i) => `(${index} * ${size}u + ${names[i] ?? '0u'})`, start);
}

/** `c0`, `c1` … for the letter `c`. */
export function coordinatesOf({ axes }: PoolGeometry, letter: string): string[] {
  return axes.map((_, i) => `${letter}${i}`);
}

/** Index of the pixel whose coordinates have the letter, in units of the width. */
export function pixelIndex(g: PoolGeometry, letter: string): string {
  const sizes = g.axes.map(({ size }) => size);
  return `${flat(sizes, coordinatesOf(g, letter))} * ${g.channels}u + channel`;
}

/** Index of a window of the pooled images, in units of the width. */
export function windowIndex(g: PoolGeometry, letter: string): string {
  const counts = g.axes.map(({ windows }) => windows);
  return `${flat(counts, coordinatesOf(g, letter))} * ${g.channels}u + channel`;
}

/** Number of the tap whose offsets within the window are `offsets`. */
export function tapIndex({ axes }: PoolGeometry, offsets: readonly string[]): string {
  const [first = '0u', ...rest] = offsets;
  const sizes = axes.slice(1).map(({ window }) => window);
  return flat(sizes, rest, first);
}

/** Splits `item` into `image`, `c0`, `c1` … and `channel` over `counts` items along the pooled dimensions. */
export function splitItem({ channels }: PoolGeometry, counts: readonly number[]): string {
  const lines = [`let channel = item % ${channels}u;`];
  let stride = channels;
  for (let i = counts.length - 1; i >= 0; i--) {
    lines.push(`let c${i} = (item / ${stride}u) % ${counts[i] ?? 1}u;`);
    stride *= counts[i] ?? 1;
  }
  lines.push(`let image = item / ${stride}u;`);
  return lines.join('\n');
}

/** Windows with more taps are looped over instead of written out. */
const MAX_UNROLLED = 9;

/** The pixel of tap `k{i}` of the window at `c{i}`; left of the image it wraps to a large number. */
function tapPosition({ axes }: PoolGeometry): string {
  return axes
    .map(({ stride, before }, i) => `let p${i} = c${i} * ${stride}u + k${i} - ${before}u;`)
    .join('\n');
}

function ifInside(g: PoolGeometry, body: string): string {
  const tests = g.axes.flatMap(({ inside, size }, i) => (inside ? [] : [`p${i} < ${size}u`]));
  return tests.length === 0 ? body : `if (${tests.join(' && ')}) {\n${body}\n}`;
}

/** All tap offsets of a window, in row-major order. */
export function allTaps(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, k) => [...tap, k])),
    [[]],
  );
}

/** Runs `body`, which may use `p{i}`, for every tap of the window at `c{i}` that lies inside, in row-major order. */
export function forTaps(g: PoolGeometry, body: string): string {
  const sizes = g.axes.map(({ window }) => window);
  const inner = `${tapPosition(g)}\n${ifInside(g, body)}`;
  if (sizeOf(sizes) > MAX_UNROLLED) {
    return sizes.reduceRight(
      (text, size, i) => `for (var k${i} = 0u; k${i} < ${size}u; k${i} += 1u) {\n${text}\n}`,
      inner,
    );
  }
  const taps = allTaps(sizes).map((tap) => {
    const offsets = tap.map((k, i) => `let k${i} = ${k}u;`).join('\n');
    return `{\n${offsets}\n${inner}\n}`;
  });
  return taps.join('\n');
}

/** Loops `o{i}` over all windows that contain the pixel at `c{i}`, in row-major order. */
export function forWindows({ axes }: PoolGeometry, body: string): string {
  const bounds = axes.map((axis, i) => {
    const place = `(c${i} + ${axis.before}u)`;
    return `let o${i}_first = select((${place} - ${axis.window}u) / ${axis.stride}u + 1u, 0u, ${place} < ${axis.window}u);
let o${i}_end = min(${place} / ${axis.stride}u + 1u, ${axis.windows}u);`;
  });
  const loops = axes.reduceRight(
    (text, _, i) => `for (var o${i} = o${i}_first; o${i} < o${i}_end; o${i} += 1u) {\n${text}\n}`,
    body,
  );
  return `${bounds.join('\n')}\n${loops}`;
}
