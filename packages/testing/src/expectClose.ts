/** Comparison of values within tolerances, with messages that show where they differ. */
import type { HostValue } from '@forerun/graph';

export interface Tolerance {
  readonly rtol?: number | undefined;
  readonly atol?: number | undefined;
}

const SHOWN = 5;

/**
 * Throws unless `got` has dtype and shape of `want` and |got - want| <= atol + rtol * |want| holds for
 * every element. NaN matches NaN and infinities match by sign; values beyond float32 count as
 * infinite. Integers and booleans must be equal. Defaults: rtol 1e-5, atol 1e-6.
 */
export function expectClose(
  got: HostValue,
  want: HostValue,
  tolerance: Tolerance = {},
  label = 'value',
): void {
  if (got.dtype !== want.dtype) throw new Error(`${label}: dtype is ${got.dtype}, expected ${want.dtype}`);
  if (got.shape.join() !== want.shape.join()) {
    throw new Error(`${label}: shape is [${got.shape.join()}], expected [${want.shape.join()}]`);
  }
  if (got.data.length !== want.data.length) {
    throw new Error(`${label}: ${got.data.length} elements, expected ${want.data.length}`);
  }
  const exact = !want.dtype.startsWith('float');
  const differing: number[] = [];
  want.data.forEach((w, i) => {
    const g = got.data[i] ?? NaN;
    if (!(exact ? Object.is(g + 0, w + 0) : isClose(g, w, tolerance))) differing.push(i);
  });
  if (differing.length > 0)
    throw new Error(`${label}: ${describeDifferences(got, want, differing, tolerance)}`);
}

function isClose(got: number, want: number, { rtol = 1e-5, atol = 1e-6 }: Tolerance): boolean {
  if (Number.isNaN(want)) return Number.isNaN(got);
  const rounded = Math.fround(want);
  if (!Number.isFinite(rounded)) return Math.fround(got) === rounded;
  return Math.abs(got - want) <= atol + rtol * Math.abs(want);
}

function describeDifferences(
  got: HostValue,
  want: HostValue,
  at: readonly number[],
  tolerance: Tolerance,
): string {
  const shown = at.slice(0, SHOWN).map((i) => {
    const position = `[${unravel(i, want.shape).join()}]`;
    return `  at ${position}: got ${String(got.data[i])}, expected ${String(want.data[i])}`;
  });
  const rest = at.length > SHOWN ? [`  and ${at.length - SHOWN} more`] : [];
  const { rtol = 1e-5, atol = 1e-6 } = tolerance;
  const head = `${at.length} of ${want.data.length} elements differ (rtol ${rtol}, atol ${atol})`;
  return [head, ...shown, ...rest].join('\n');
}

/** The position of flat index `index` in a row-major array of `shape`. */
export function unravel(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dim = shape[axis] ?? 1;
    position.unshift(index % dim);
    index = Math.floor(index / dim);
  }
  return position;
}
