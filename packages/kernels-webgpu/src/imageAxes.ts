/**
 * Where resizing takes its pixels from: for every position along one axis of the result the source positions
 * and their weights. The arithmetic is that of TensorFlow's kernels in float32, step by step, because
 * rounding decides which pixel is the nearest. Rows and columns are independent of each other, and the
 * gradient of a resizing has the transposed tables.
 */
export interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** Taps by position along the axis of the result. */
export type Taps = readonly (readonly Tap[])[];

export type ResizeMethod = 'bilinear' | 'bicubic' | 'nearest' | 'area';

/** How two axes lie over each other. */
export interface Sampling {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

const f = Math.fround;

/** Source pixels per result pixel. */
function scaleOf(from: number, to: number, alignCorners: boolean): number {
  return alignCorners && to > 1 ? f((from - 1) / (to - 1)) : f(from / to);
}

/** The position in the source of position `i` of the result. */
function sourceOf(i: number, scale: number, { halfPixelCenters }: Sampling): number {
  return halfPixelCenters ? f(f(f(i + 0.5) * scale) - 0.5) : f(i * scale);
}

function bilinear(x: number, size: number): Tap[] {
  const floor = Math.floor(x);
  const weight = f(x - floor);
  return [
    { index: Math.max(floor, 0), weight: f(1 - weight) },
    { index: Math.min(Math.ceil(x), size - 1), weight },
  ];
}

/** float32 to the nearest whole number, away from zero at the half. */
function roundAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

function nearest(
  i: number,
  scale: number,
  size: number,
  { alignCorners, halfPixelCenters }: Sampling,
): Tap[] {
  const x = halfPixelCenters ? f(f(i + 0.5) * scale) : f(i * scale);
  const index = alignCorners ? roundAway(x) : Math.floor(x);
  return [{ index: Math.max(0, Math.min(index, size - 1)), weight: 1 }];
}

/** TensorFlow reads the cubic from a table of this many steps per pixel. */
const CUBIC_STEPS = 1024;

/** Weights of the pixels at the distances `t` and `t + 1`, where 0 <= t <= 1. */
function cubic(t: number, a: number): [number, number] {
  const near = ((a + 2) * t - (a + 3)) * t * t + 1;
  const u = t + 1;
  return [f(near), f(((a * u - 5 * a) * u + 8 * a) * u - 4 * a)];
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  return x - floor > 0.5 || (x - floor === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** With pixels sampled at their centres, those outside do not count; else the border pixel is repeated. */
function bicubic(x: number, size: number, keys: boolean): Tap[] {
  const base = Math.floor(x);
  const t = roundHalfEven(f(f(x - base) * CUBIC_STEPS)) / CUBIC_STEPS;
  const a = keys ? -0.5 : -0.75;
  const [[w1, w0], [w2, w3]] = [cubic(t, a), cubic(1 - t, a)];
  const taps = [w0, w1, w2, w3].map((weight, k) => ({ index: base - 1 + k, weight }));
  if (!keys)
    return taps.map(({ index, weight }) => ({ index: Math.max(0, Math.min(index, size - 1)), weight }));
  const inside = taps.filter(({ index }) => index >= 0 && index < size);
  const total = inside.reduce((sum, { weight }) => f(sum + weight), 0);
  if (Math.abs(total) < 1000 * 2 ** -126) return inside;
  return inside.map(({ index, weight }) => ({ index, weight: f(weight * f(1 / total)) }));
}

/** The stretch from `i * scale` to `(i + 1) * scale`, a mean over it. */
function area(i: number, scale: number, size: number): Tap[] {
  if (scale === 0) return [{ index: 0, weight: 1 }];
  const [from, to] = [f(i * scale), f((i + 1) * scale)];
  const taps: Tap[] = [];
  for (let k = Math.floor(from); k < Math.ceil(to); k++) {
    const covered = f(Math.min(k + 1, to) - Math.max(k, from));
    taps.push({ index: Math.max(0, Math.min(k, size - 1)), weight: f(covered / scale) });
  }
  return taps;
}

/** Adds up taps of one index and drops those without weight. */
function merged(taps: readonly Tap[]): Tap[] {
  const weights = new Map<number, number>();
  for (const { index, weight } of taps) weights.set(index, f((weights.get(index) ?? 0) + weight));
  return [...weights].filter(([, weight]) => weight !== 0).map(([index, weight]) => ({ index, weight }));
}

/** The taps of resizing an axis of `from` pixels to `to`. */
export function resizeTaps(method: ResizeMethod, from: number, to: number, sampling: Sampling): Taps {
  const scale = scaleOf(from, to, sampling.alignCorners);
  return Array.from({ length: to }, (_, i) => {
    if (method === 'nearest') return nearest(i, scale, from, sampling);
    if (method === 'area') return merged(area(i, scale, from));
    const x = sourceOf(i, scale, sampling);
    return merged(method === 'bilinear' ? bilinear(x, from) : bicubic(x, from, sampling.halfPixelCenters));
  });
}

/** The taps of the gradient: for each of `size` source positions the result positions that it went into. */
export function transposedTaps(taps: Taps, size: number): Taps {
  const rows = Array.from({ length: size }, (): Tap[] => []);
  taps.forEach((row, i) => {
    for (const { index, weight } of row) rows[index]?.push({ index: i, weight });
  });
  return rows;
}
