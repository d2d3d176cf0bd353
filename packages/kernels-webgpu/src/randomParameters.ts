/**
 * Gamma, Poisson and truncated normal numbers by rejection: each element draws until a draw is accepted, from
 * its own blocks of the stream. All decisions and values are made in integer arithmetic (softFloat.ts), so that every
 * adapter takes the same draws and gives the same bits. Parameters are read, and results written, as bits.
 */
import { sizeOf } from '@forerun/graph';
import type { KernelContext, Lowered } from './kernel.js';
import { PHILOX, QUANTILE, quantileTable, seededStream } from './randomStream.js';
import { SOFT_FLOAT, softLiteral as soft, softTables } from './softFloat.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** A standard normal number; the sign is the highest bit. */
const NORMAL = `${QUANTILE}
fn soft_normal(bits: u32) -> Soft {
  return soft(fixed_quantile((bits & 0x7fffffffu) | 1u), -28, bits >= 0x80000000u);
}`;

/** A number in (0, 1). */
const UNIFORM = 'fn soft_uniform(bits: u32) -> Soft { return soft(bits | 1u, -32, false); }';

/** Draws that are never accepted would hang the device: after these many the last one is taken. */
const MOST_ATTEMPTS = 4096;

/**
 * Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables" (ACM TOMS 26, 2000): with d = alpha - 1/3,
 * c = 1 / (3 sqrt(d)) and normal x, d v for v = (1 + c x)^3 is accepted when log(u) < x^2/2 + d (1 - v + log v). With
 * t = c x the latter is x^2/2 + d (3 (log(1 + t) - t) - t^2 (3 + t)). Alpha below 1: gamma(alpha + 1) u^(1 / alpha).
 */
const GAMMA = `
fn gamma_bits(i: u32, alpha_bits: u32) -> u32 {
  if (alpha_bits == 0u || alpha_bits == 0x80000000u) { return 0u; }
  if (alpha_bits == 0x7f800000u) { return alpha_bits; }
  if (alpha_bits > 0x7f800000u) { return 0x7fc00000u; }
  let shape = soft_of_bits(alpha_bits);
  let boosted = soft_less(shape, ${soft(1)});
  var d = soft_sub(shape, ${soft(1 / 3)});
  if (boosted) { d = soft_add(d, ${soft(1)}); }
  let c = soft_mul(soft_exp(soft_mul(soft_log(d), ${soft(-0.5)})), ${soft(1 / 3)});
  for (var attempt = 0u; attempt < ${MOST_ATTEMPTS}u; attempt++) {
    let bits = DRAW;
    let x = soft_normal(bits.x);
    let t = soft_mul(c, x);
    let root = soft_add(${soft(1)}, t);
    if (root.negative || root.m == 0u) { continue; }
    let square = soft_mul(soft_mul(t, t), soft_add(${soft(3)}, t));
    let excess = soft_sub(soft_mul(${soft(3)}, soft_log1p_excess(t)), square);
    let limit = soft_add(soft_mul(soft_mul(x, x), ${soft(0.5)}), soft_mul(d, excess));
    if (!soft_less(soft_log(soft_uniform(bits.y)), limit)) { continue; }
    let gamma = soft_mul(d, soft_mul(root, soft_mul(root, root)));
    if (!boosted) { return soft_bits(gamma); }
    let power = soft_mul(soft_log(soft_uniform(bits.z)), soft_exp(soft_neg(soft_log(shape))));
    return soft_bits(soft_mul(gamma, soft_exp(power)));
  }
  return soft_bits(d);
}`;

/**
 * Counts of a Poisson process. Below 10: Knuth's product of uniforms until it is below e^-rate. Above: Hörmann's PTRS, "The
 * Transformed Rejection Method for Generating Poisson Random Variables" (1993). Its test compares with log(rate^k
 * e^-rate / k!) = k (log(1 + t) - t) - log(2 pi k) / 2 - 1 / (12 k) + 1 / (360 k^3), t = (rate - k) / k.
 */
const POISSON = `
fn log_probability(rate: Soft, k: Soft) -> Soft {
  if (k.m == 0u) { return soft_neg(rate); }
  let distance = soft_sub(rate, k);
  var t = soft_div(soft_abs(distance), k);
  t.negative = distance.negative;
  let log_root = soft_mul(${soft(0.5)}, soft_log(soft_mul(${soft(2 * Math.PI)}, k)));
  let inverse = soft_div(${soft(1)}, k);
  let cube = soft_mul(inverse, soft_mul(inverse, inverse));
  let stirling = soft_sub(soft_mul(${soft(1 / 12)}, inverse), soft_mul(${soft(1 / 360)}, cube));
  return soft_sub(soft_sub(soft_mul(k, soft_log1p_excess(t)), log_root), stirling);
}
fn poisson_small(i: u32, rate: Soft) -> Soft {
  let limit = soft_exp(soft_neg(rate));
  var product = ${soft(1)};
  var count = 0u;
  for (var attempt = 0u; attempt < ${MOST_ATTEMPTS}u; attempt++) {
    let bits = DRAW;
    for (var lane = 0u; lane < 4u; lane++) {
      product = soft_mul(product, soft_uniform(bits[lane]));
      if (!soft_less(limit, product)) { return soft(count, 0, false); }
      count++;
    }
  }
  return soft(count, 0, false);
}
fn poisson_large(i: u32, rate: Soft) -> Soft {
  let b = soft_add(${soft(0.931)}, soft_mul(${soft(2.53)}, soft_sqrt(rate)));
  let a = soft_sub(soft_mul(${soft(0.02483)}, b), ${soft(0.059)});
  let inverse_alpha = soft_add(${soft(1.1239)}, soft_div(${soft(1.1328)}, soft_sub(b, ${soft(3.4)})));
  let accepted = soft_sub(${soft(0.9277)}, soft_div(${soft(3.6224)}, soft_sub(b, ${soft(2)})));
  for (var attempt = 0u; attempt < ${MOST_ATTEMPTS}u; attempt++) {
    let bits = DRAW;
    let u = soft_sub(soft_uniform(bits.x), ${soft(0.5)});
    let v = soft_uniform(bits.y);
    let edge = soft_sub(${soft(0.5)}, soft_abs(u));
    let slope = soft_add(soft_div(soft_mul(${soft(2)}, a), edge), b);
    let place = soft_add(soft_mul(slope, u), soft_add(rate, ${soft(0.43)}));
    if (place.negative) { continue; }
    let k = soft_floor_abs(place);
    if (!soft_less(edge, ${soft(0.07)}) && !soft_less(accepted, v)) { return k; }
    if (soft_less(edge, ${soft(0.013)}) && soft_less(edge, v)) { continue; }
    let density = soft_add(soft_div(a, soft_mul(edge, edge)), b);
    let height = soft_log(soft_div(soft_mul(v, inverse_alpha), density));
    if (!soft_less(log_probability(rate, k), height)) { return k; }
  }
  return soft_floor_abs(rate);
}
fn poisson(i: u32, rate: Soft) -> Soft {
  if (rate.m == 0u) { return rate; }
  if (soft_less(rate, ${soft(10)})) { return poisson_small(i, rate); }
  return poisson_large(i, rate);
}`;

/**
 * Normal numbers z in [low, high] by the method that suits the interval (compare Robert, "Simulation of truncated
 * normal variables", 1995), mirrored so that high >= |low|: normal numbers until one is inside, of which near 0
 * both signs serve; else uniform ones, accepted by their density; in the tail exponential ones of rate low.
 */
const TRUNCATED = `
fn truncated(i: u32, low: Soft, high: Soft) -> Soft {
  let width = soft_sub(high, low);
  let centred = low.negative || low.m == 0u;
  let folded = !centred && soft_less(low, ${soft(1)});
  var uniform_draws = soft_less(width, ${soft(1)});
  if (centred) { uniform_draws = soft_less(high, ${soft(1.25)}); }
  if (!centred && !folded) { uniform_draws = soft_less(soft_mul(width, low), ${soft(1)}); }
  let nearest = soft_mul(low, low);
  for (var attempt = 0u; attempt < ${MOST_ATTEMPTS}u; attempt++) {
    let bits = DRAW;
    var z = soft_normal(bits.x);
    let test = soft_log(soft_uniform(bits.y));
    if (uniform_draws) {
      z = soft_add(low, soft_mul(width, soft_uniform(bits.x)));
      var square = soft_mul(z, z);
      if (!centred) { square = soft_sub(square, nearest); }
      if (soft_less(soft_mul(${soft(-0.5)}, square), test)) { continue; }
    } else if (!centred && !folded) {
      let beyond = soft_div(soft_neg(soft_log(soft_uniform(bits.x))), low);
      z = soft_add(low, beyond);
      if (soft_less(soft_mul(${soft(-0.5)}, soft_mul(beyond, beyond)), test)) { continue; }
    } else if (folded) {
      z = soft_abs(z);
    }
    if (!soft_less(z, low) && !soft_less(high, z)) { return z; }
  }
  return low;
}
fn is_finite_bits(bits: u32) -> bool { return (bits & 0x7f800000u) != 0x7f800000u; }
// A limit that is infinite is as good as one far beyond all normal numbers.
fn limit_of(bits: u32, mean: Soft, deviation: Soft) -> Soft {
  if (!is_finite_bits(bits)) { return Soft(0x80000000u, -11, bits >= 0x80000000u); }
  let distance = soft_sub(soft_of_bits(bits), mean);
  var z = soft_div(soft_abs(distance), deviation);
  z.negative = distance.negative && z.m != 0u;
  return z;
}
fn is_nan_bits(bits: u32) -> bool { return (bits & 0x7fffffffu) > 0x7f800000u; }
fn truncated_bits(i: u32, mean_bits: u32, deviation_bits: u32, low_bits: u32, high_bits: u32) -> u32 {
  let deviation = soft_of_bits(deviation_bits);
  let finite = is_finite_bits(mean_bits) && is_finite_bits(deviation_bits);
  if (!finite || is_nan_bits(low_bits) || is_nan_bits(high_bits)) { return 0x7fc00000u; }
  let mean = soft_of_bits(mean_bits);
  var low = limit_of(low_bits, mean, deviation);
  var high = limit_of(high_bits, mean, deviation);
  if (deviation.negative || deviation.m == 0u || !soft_less(low, high)) { return 0x7fc00000u; }
  let mirrored = soft_add(low, high).negative;
  if (mirrored) {
    let swapped = soft_neg(low);
    low = soft_neg(high);
    high = swapped;
  }
  var z = truncated(i, low, high);
  if (mirrored) { z = soft_neg(z); }
  let value = soft_add(mean, soft_mul(deviation, z));
  if (is_finite_bits(low_bits) && soft_less(value, soft_of_bits(low_bits))) { return low_bits; }
  if (is_finite_bits(high_bits) && soft_less(soft_of_bits(high_bits), value)) { return high_bits; }
  return soft_bits(value);
}`;

/** The bits of an input or output. */
function asBits(binding: ShaderBinding): ShaderBinding {
  return { ...binding, dtype: 'uint32' };
}

/** A dispatch that writes `out[i] = …` for all elements, drawing by the functions in `declarations`. */
function rejection(
  c: KernelContext,
  inputs: readonly ShaderBinding[],
  declarations: readonly string[],
  body: string,
): Lowered {
  const size = sizeOf(c.output(0).shape);
  if (size === 0) return { dispatches: [] };
  const stream = seededStream(c);
  const text = [PHILOX, SOFT_FLOAT, UNIFORM, ...declarations].join('\n');
  const grid = gridFor(size, 1, c.adapter);
  const dispatch = shader(
    {
      label: c.op,
      bindings: [...stream.bindings, ...softTables(), ...inputs, asBits(outputBinding(c))],
      workgroups: grid.workgroups,
      declarations: text.replaceAll('DRAW', stream.draw('i', 'attempt')),
      body: gridStride(grid, body),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

function requireFloat32(c: KernelContext, dtype: string): void {
  if (dtype !== 'float32') c.unsupported(`${dtype} parameters are not drawn from`);
}

export function lowerGamma(c: KernelContext): Lowered {
  requireFloat32(c, c.input(1).dtype);
  const count = sizeOf(c.input(1).shape);
  const inputs = [asBits(inputBinding(c, 1, 'alpha')), quantileTable()];
  return rejection(c, inputs, [NORMAL, GAMMA], `out[i] = gamma_bits(i, alpha[i % ${count}u]);`);
}

export function lowerPoisson(c: KernelContext): Lowered {
  const [rate, result] = [c.input(1).dtype, c.output(0).dtype];
  if (!['float32', 'int32', 'int64'].includes(rate)) c.unsupported(`${rate} rates are not drawn from`);
  if (!['float32', 'int32', 'int64'].includes(result)) c.unsupported(`${result} counts are not generated`);
  const count = sizeOf(c.input(1).shape);
  const isFloat = rate === 'float32';
  const invalid = isFloat
    ? 'rate_bits > 0x80000000u || (rate_bits & 0x7f800000u) == 0x7f800000u'
    : 'rate_bits >= 0x80000000u';
  // as the conversion of NaN to an integer on x86
  const nothing = result === 'float32' ? '0x7fc00000u' : '0x80000000u';
  const stored = result === 'float32' ? 'soft_bits(k)' : 'min(soft_whole(k), 0x7fffffffu)';
  const body = `let rate_bits = rate[i % ${count}u];
if (${invalid}) {
out[i] = ${nothing};
} else {
let k = poisson(i, ${isFloat ? 'soft_of_bits(rate_bits)' : 'soft(rate_bits, 0, false)'});
out[i] = ${stored};
}`;
  return rejection(c, [asBits(inputBinding(c, 1, 'rate'))], [POISSON], body);
}

export function lowerTruncated(c: KernelContext): Lowered {
  requireFloat32(c, c.output(0).dtype);
  const { shape } = c.output(0);
  const perRow = Math.max(1, sizeOf(shape.slice(1)));
  const names = ['means', 'stdevs', 'minvals', 'maxvals'];
  const inputs = names.map((name, k) => asBits(inputBinding(c, k + 1, name)));
  const read = names.map((name, k) => {
    return `${name}[${sizeOf(c.input(k + 1).shape) === 1 ? '0u' : `i / ${perRow}u`}]`;
  });
  const body = `out[i] = truncated_bits(i, ${read.join(', ')});`;
  return rejection(c, [...inputs, quantileTable()], [NORMAL, TRUNCATED], body);
}
