/**
 * The arithmetic of the random kernels in whole numbers of any size: a number is m * 2^e, of which 32 bits are
 * kept, the rest cut off. Log and exp interpolate in the kernels' tables, which have tests of their own.
 */
import { logTable, powerTable } from '@forerun/kernels-webgpu';

export interface SoftNumber {
  readonly m: bigint;
  readonly e: number;
}

const abs = (m: bigint): bigint => (m < 0n ? -m : m);
const sized = (m: bigint, like: bigint): bigint => (like < 0n ? -m : m);
const bitsOf = (m: bigint): number => (m === 0n ? 0 : m.toString(2).length);

/** m * 2^e cut toward zero to 32 bits. */
function cut(m: bigint, e: number): SoftNumber {
  const excess = bitsOf(abs(m)) - 32;
  if (m === 0n) return { m: 0n, e: 0 };
  const kept = excess >= 0 ? abs(m) >> BigInt(excess) : abs(m) << BigInt(-excess);
  return { m: sized(kept, m), e: e + excess };
}

/** The double `x`, cut to 32 bits. */
export function softOf(x: number): SoftNumber {
  if (x === 0) return { m: 0n, e: 0 };
  const e = Math.floor(Math.log2(Math.abs(x))) - 60;
  return cut(BigInt(Math.abs(x) * 2 ** -e) * (x < 0 ? -1n : 1n), e);
}

export const softScaled = (m: number, e: number): SoftNumber => cut(BigInt(m), e);
/** To a double: exact, since doubles have 53 bits. */
export const numberOf = ({ m, e }: SoftNumber): number => Number(m) * 2 ** e;
export const negated = ({ m, e }: SoftNumber): SoftNumber => ({ m: -m, e });
export const magnitude = ({ m, e }: SoftNumber): SoftNumber => ({ m: abs(m), e });
export const times = (x: SoftNumber, y: SoftNumber): SoftNumber => cut(x.m * y.m, x.e + y.e);

/** The smaller operand loses what lies below the last bit of the larger. */
export function plus(x: SoftNumber, y: SoftNumber): SoftNumber {
  if (x.m === 0n) return y;
  if (y.m === 0n) return x;
  const [large, small] = x.e >= y.e ? [x, y] : [y, x];
  const aligned = sized(abs(small.m) >> BigInt(large.e - small.e), small.m);
  return cut(large.m + aligned, large.e);
}

export const minus = (x: SoftNumber, y: SoftNumber): SoftNumber => plus(x, negated(y));
export const isLess = (x: SoftNumber, y: SoftNumber): boolean => minus(x, y).m < 0n;

/** Whole part of |x|. */
export function whole({ m, e }: SoftNumber): bigint {
  return e >= 0 ? abs(m) << BigInt(e) : abs(m) >> BigInt(-e);
}

const entry = (table: Uint32Array, i: number): bigint => BigInt(table[i] ?? 0);

export function log(x: SoftNumber): SoftNumber {
  const cell = Number((x.m >> 20n) & 2047n);
  const [start, end] = [entry(logTable(), cell), entry(logTable(), cell + 1)];
  const fixed = start + (((end - start) * ((x.m << 12n) & 0xffffffffn)) >> 32n);
  return times(plus(cut(BigInt(x.e + 31), 0), cut(fixed, -31)), softOf(Math.LN2));
}

export function exp(x: SoftNumber): SoftNumber {
  const y = times(x, softOf(Math.LOG2E));
  const limited = whole(y) > 0x100000n ? 0x100000n : whole(y);
  const fraction = y.e >= 0 ? 0n : ((abs(y.m) << 64n) >> BigInt(32 - y.e)) & 0xffffffffn;
  const up = y.m > 0n && fraction !== 0n;
  const below = up ? 2n ** 32n - fraction : fraction;
  const cell = Number(below >> 21n);
  const [start, end] = [entry(powerTable(), cell), entry(powerTable(), cell + 1)];
  const value = start - (((start - end) * ((below << 11n) & 0xffffffffn)) >> 32n);
  const octave = y.m > 0n ? Number(limited) + (up ? 1 : 0) : -Number(limited);
  return cut(value, octave - 31);
}

export function over(x: SoftNumber, y: SoftNumber): SoftNumber {
  return x.m === 0n ? x : exp(minus(log(x), log(y)));
}

export function root(x: SoftNumber): SoftNumber {
  return x.m === 0n ? x : exp(times(log(x), softOf(0.5)));
}

/** log(1 + t) - t: for |t| < 1/16 as -t^2 (1/2 - t/3 + … + t^6/8). */
export function log1pExcess(t: SoftNumber): SoftNumber {
  if (t.m === 0n) return t;
  if (Math.abs(numberOf(t)) >= 1 / 16) return minus(log(plus(softOf(1), t)), t);
  const terms = [1 / 8, -1 / 7, 1 / 6, -1 / 5, 1 / 4, -1 / 3, 1 / 2].map(softOf);
  const sum = terms.reduce((acc, term) => plus(times(acc, t), term));
  return negated(times(sum, times(t, t)));
}

/** As a float32: cut to 24 bits, 0 below the normal range. */
export function float32Of(x: SoftNumber): number {
  const value = numberOf({ m: (x.m / 256n) * 256n, e: x.e });
  if (Math.abs(value) < 2 ** -126) return 0;
  return Math.abs(value) >= 2 ** 128 ? Math.sign(value) * Infinity : value;
}
