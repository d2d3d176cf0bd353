/**
 * Floating-point arithmetic made of integers, for kernels that must give the same bits on every adapter. WGSL
 * promises no rounding mode for +, - and *, allows fused and reordered operations, and defines `log`, `exp` and
 * `/` to a few units in the last place only; u32 arithmetic it defines exactly. Numbers have 32 bits of
 * mantissa and are cut off, never rounded; log and exp interpolate in tables of integers, to about 4e-8.
 */
import { dataBinding, type ShaderBinding } from './wgsl/shader.js';

/** Cells of each table. */
export const SOFT_CELLS = 2048;

let logs: Uint32Array | undefined;
let powers: Uint32Array | undefined;

/** Entry i is log2(1 + i / 2048) in units of 2^-31. */
export function logTable(): Uint32Array {
  logs ??= Uint32Array.from({ length: SOFT_CELLS + 1 }, (_, i) =>
    Math.round(Math.log2(1 + i / SOFT_CELLS) * 2 ** 31),
  );
  return logs;
}

/** Entry i is 2^(-i / 2048) in units of 2^-31. */
export function powerTable(): Uint32Array {
  powers ??= Uint32Array.from({ length: SOFT_CELLS + 1 }, (_, i) => Math.round(2 ** (31 - i / SOFT_CELLS)));
  return powers;
}

/** What `SOFT_FLOAT` reads. */
export function softTables(): ShaderBinding[] {
  return [dataBinding(logTable(), 'logs'), dataBinding(powerTable(), 'powers')];
}

/** A constant: the double nearest to `value`, cut to 32 bits. */
export function softLiteral(value: number): string {
  if (value === 0) return 'Soft(0u, 0, false)';
  const exponent = Math.floor(Math.log2(Math.abs(value))) - 31;
  return `Soft(${Math.floor(Math.abs(value) * 2 ** -exponent)}u, ${exponent}, ${value < 0})`;
}

const LN2 = softLiteral(Math.LN2);
const LOG2E = softLiteral(Math.LOG2E);
/** 1/2, -1/3, 1/4 … for log(1 + t) - t = -t^2 (1/2 - t/3 + t^2/4 - …). */
const SERIES = [1 / 2, -1 / 3, 1 / 4, -1 / 5, 1 / 6, -1 / 7, 1 / 8];

/** Functions over `Soft`; needs the bindings of `softTables`. */
export const SOFT_FLOAT = `
// (-1)^negative * m * 2^e; m has its highest bit set, or is 0.
struct Soft { m: u32, e: i32, negative: bool }

fn soft(m: u32, e: i32, negative: bool) -> Soft {
  let zeros = countLeadingZeros(m);
  if (m == 0u) { return Soft(0u, 0, false); }
  return Soft(m << zeros, e - i32(zeros), negative);
}
// From the bits of a finite float32.
fn soft_of_bits(bits: u32) -> Soft {
  let exponent = i32((bits >> 23u) & 0xffu);
  let fraction = bits & 0x7fffffu;
  let hidden = select(0x800000u, 0u, exponent == 0);
  return soft(fraction | hidden, max(exponent, 1) - 150, (bits >> 31u) != 0u);
}
// The bits of a float32: cut to 24 bits, 0 below the normal range, infinite above.
fn soft_bits(x: Soft) -> u32 {
  let exponent = x.e + 158;
  let sign = select(0u, 0x80000000u, x.negative);
  if (x.m == 0u || exponent <= 0) { return 0u; }
  if (exponent >= 255) { return sign | 0x7f800000u; }
  return sign | (u32(exponent) << 23u) | ((x.m >> 8u) & 0x7fffffu);
}
fn soft_neg(x: Soft) -> Soft { return Soft(x.m, x.e, !x.negative && x.m != 0u); }
fn soft_abs(x: Soft) -> Soft { return Soft(x.m, x.e, false); }
fn soft_mul(x: Soft, y: Soft) -> Soft {
  if (x.m == 0u || y.m == 0u) { return Soft(0u, 0, false); }
  let high = mul_high(x.m, y.m);
  let negative = x.negative != y.negative;
  if (high >= 0x80000000u) { return Soft(high, x.e + y.e + 32, negative); }
  return Soft((high << 1u) | ((x.m * y.m) >> 31u), x.e + y.e + 31, negative);
}
fn soft_add(x: Soft, y: Soft) -> Soft {
  if (x.m == 0u) { return y; }
  if (y.m == 0u) { return x; }
  var a = x;
  var b = y;
  if (y.e > x.e || (y.e == x.e && y.m > x.m)) {
    a = y;
    b = x;
  }
  let shift = u32(a.e - b.e);
  let small = select(b.m >> (shift & 31u), 0u, shift > 31u);
  if (a.negative != b.negative) { return soft(a.m - small, a.e, a.negative); }
  let sum = a.m + small;
  if (sum < a.m) { return Soft((sum >> 1u) | 0x80000000u, a.e + 1, a.negative); }
  return Soft(sum, a.e, a.negative);
}
fn soft_sub(x: Soft, y: Soft) -> Soft { return soft_add(x, soft_neg(y)); }
fn soft_less(x: Soft, y: Soft) -> bool { return soft_sub(x, y).negative; }
// The whole part of |x|, at most 2^32 - 1.
fn soft_whole(x: Soft) -> u32 {
  if (x.e > 0) { return 0xffffffffu; }
  if (x.e < -31) { return 0u; }
  return x.m >> u32(-x.e);
}
// The largest whole number of |x| or less, at any size.
fn soft_floor_abs(x: Soft) -> Soft {
  if (x.e >= 0) { return soft_abs(x); }
  return soft(soft_whole(x), 0, false);
}
// The fraction of |x| in units of 2^-32.
fn soft_fraction(x: Soft) -> u32 {
  if (x.e >= 0 || x.e < -63) { return 0u; }
  if (x.e == -32) { return x.m; }
  return select(x.m >> u32((-32 - x.e) & 31), x.m << u32((32 + x.e) & 31), x.e > -32);
}
// x > 0.
fn soft_log(x: Soft) -> Soft {
  let cell = (x.m >> 20u) & 2047u;
  let start = logs[cell];
  let fixed = start + mul_high(logs[cell + 1u] - start, x.m << 12u);
  let octave = x.e + 31;
  let whole = soft(u32(abs(octave)), 0, octave < 0);
  return soft_mul(soft_add(whole, soft(fixed, -31, false)), ${LN2});
}
fn soft_exp(x: Soft) -> Soft {
  let y = soft_mul(x, ${LOG2E});
  let whole = i32(min(soft_whole(y), 0x100000u));
  let fraction = soft_fraction(y);
  // 2^(n + f) = 2^(n + 1) 2^-(1 - f)
  let up = !y.negative && fraction != 0u;
  let below = select(fraction, 0u - fraction, up);
  let octave = select(-whole, whole + select(0, 1, up), !y.negative);
  let cell = below >> 21u;
  let start = powers[cell];
  return soft(start - mul_high(start - powers[cell + 1u], below << 11u), octave - 31, false);
}
// x / y for positive numbers.
fn soft_div(x: Soft, y: Soft) -> Soft {
  if (x.m == 0u) { return x; }
  return soft_exp(soft_sub(soft_log(x), soft_log(y)));
}
fn soft_sqrt(x: Soft) -> Soft {
  if (x.m == 0u) { return x; }
  return soft_exp(soft_mul(soft_log(x), ${softLiteral(0.5)}));
}
// log(1 + t) - t for t > -1, which for small t is a series.
fn soft_log1p_excess(t: Soft) -> Soft {
  if (t.m == 0u) { return t; }
  if (t.e >= -35) { return soft_sub(soft_log(soft_add(${softLiteral(1)}, t)), t); }
  var sum = ${softLiteral(SERIES.at(-1) ?? 0)};
${SERIES.slice(0, -1)
  .reverse()
  .map((term) => `  sum = soft_add(soft_mul(sum, t), ${softLiteral(term)});`)
  .join('\n')}
  return soft_neg(soft_mul(sum, soft_mul(t, t)));
}`;
