/**
 * WGSL library: bits, NaN rules, rounding and division. WGSL lets an implementation assume that NaN
 * and infinity do not occur, so they are made from bits at run time and found by their bits.
 */
import { perLane, vectorizable } from './libraryFunction.js';

export const ARITHMETIC_FUNCTIONS = {
  /** A float from its bits, which the shader compiler must not evaluate. */
  float_bits: vectorizable('fn float_bits(b: u32) -> f32 { return bitcast<f32>(b); }'),
  infinity: vectorizable('fn infinity() -> f32 { return float_bits(u32(0x7f800000u)); }'),
  not_a_number: vectorizable('fn not_a_number() -> f32 { return float_bits(u32(0x7fc00000u)); }'),

  is_nan: vectorizable(`fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & u32(0x7fffffffu)) > u32(0x7f800000u);
}`),
  is_inf: vectorizable(`fn is_inf(x: f32) -> bool {
  return (bitcast<u32>(x) & u32(0x7fffffffu)) == u32(0x7f800000u);
}`),
  is_finite: vectorizable(`fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & u32(0x7fffffffu)) < u32(0x7f800000u);
}`),

  /** The nearest float16, the even one of two; infinity from 65520 on. Denormal ones are units in the last place of 0.5. */
  round_half: vectorizable(`fn round_half(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & u32(0x7fffffffu);
  let even = (size + u32(0xfffu) + ((size >> u32(13u)) & u32(1u))) & u32(0xffffe000u);
  let units = bitcast<u32>(bitcast<f32>(size) + 0.5) - u32(0x3f000000u);
  let small = bitcast<u32>(f32(units) * 5.9604644775390625e-8);
  let finite = select(even, small, size < u32(0x38800000u));
  let rounded = select(finite, u32(0x7f800000u), size >= u32(0x477ff000u));
  return bitcast<f32>((bits & u32(0x80000000u)) | select(rounded, size, size > u32(0x7f800000u)));
}`),

  /** The bits of a float16, rounded as `round_half` does: WGSL leaves the rounding of `pack2x16float` open. */
  half_bits: vectorizable(`fn half_bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let size = bits & u32(0x7fffffffu);
  let even = ((size + u32(0xfffu) + ((size >> u32(13u)) & u32(1u))) >> u32(13u)) - u32(0x1c000u);
  let small = bitcast<u32>(bitcast<f32>(size) + 0.5) - u32(0x3f000000u);
  let finite = select(even, small, size < u32(0x38800000u));
  let special = select(u32(0x7c00u), u32(0x7e00u), size > u32(0x7f800000u));
  return select(finite, special, size >= u32(0x477ff000u)) | ((bits >> u32(16u)) & u32(0x8000u));
}`),
  /** The value of a float16 by its bits; lavapipe takes longer for `unpack2x16float`. */
  half_value: vectorizable(`fn half_value(bits: u32) -> f32 {
  let size = (bits & u32(0x7fffu)) << u32(13u);
  let normal = size + u32(0x38000000u);
  let small = bitcast<u32>(bitcast<f32>(size + u32(0x38800000u)) - 6.103515625e-5);
  let special = select(normal, size + u32(0x70000000u), size >= u32(0x0f800000u));
  let magnitude = select(special, small, size < u32(0x800000u));
  return bitcast<f32>(magnitude | ((bits & u32(0x8000u)) << u32(16u)));
}`),

  /** `magnitude` (not negative) with the sign bit of `x`. */
  with_sign: vectorizable(`fn with_sign(magnitude: f32, x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(magnitude) | (bitcast<u32>(x) & u32(0x80000000u)));
}`),
  /** y, or NaN where x is NaN: for functions that clamp x. */
  keep_nan: vectorizable('fn keep_nan(y: f32, x: f32) -> f32 { return select(y, x, is_nan(x)); }'),

  /** Maximum and minimum that give NaN when either operand is NaN. */
  nan_max: vectorizable(
    'fn nan_max(x: f32, y: f32) -> f32 { return select(select(max(x, y), y, is_nan(y)), x, is_nan(x)); }',
  ),
  nan_min: vectorizable(
    'fn nan_min(x: f32, y: f32) -> f32 { return select(select(min(x, y), y, is_nan(y)), x, is_nan(x)); }',
  ),

  /** An unsigned number in the order of floats: zeros are equal, all NaN come last. */
  float_order: vectorizable(`fn float_order(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let ordered = select(bits | u32(0x80000000u), ~bits, bits > u32(0x80000000u));
  return select(select(ordered, u32(0x80000000u), bits == u32(0x80000000u)), u32(0xffffffffu), is_nan(x));
}`),

  /** Comparisons that are right for NaN even when the compiler sees that both sides are one value. */
  float_equal: vectorizable('fn float_equal(x: f32, y: f32) -> bool { return (x == y) & !is_nan(x); }'),
  float_less_equal: vectorizable(
    'fn float_less_equal(x: f32, y: f32) -> bool { return (x <= y) & !(is_nan(x) | is_nan(y)); }',
  ),

  /** Sign -1, 0 or 1; zeros and NaN stay as they are. */
  float_sign: vectorizable(
    'fn float_sign(x: f32) -> f32 { return select(x, with_sign(f32(1.0), x), abs(x) > f32(0.0)); }',
  ),

  /** floor(x / y). A quotient that is an integer is hit exactly although WGSL's division may be 2.5 ulp off. */
  float_floor_div: vectorizable(`fn float_floor_div(x: f32, y: f32) -> f32 {
  let raw = x / y;
  let q = floor(raw);
  let r = x - q * y;
  let up = select(f32(0.0), f32(1.0), (abs(r) >= abs(y)) & (r * sign(y) > f32(0.0)));
  let down = select(f32(0.0), f32(1.0), r * sign(y) < f32(0.0));
  return select(q, q + up - down, (abs(q) < f32(4194304.0)) & (y != f32(0.0)));
}`),

  /**
   * x - trunc(x / y) * y as C's fmod, always exact: long division of the significands, eight bits at a time.
   * NaN where y is 0 or x is infinite.
   */
  float_fmod: perLane(`fn float_fmod(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  if (a >= 0x7f800000u || b > 0x7f800000u || b == 0u) { return not_a_number(); }
  if (a < b) { return x; }
  let divisor = significand(b);
  var rest = significand(a);
  var shift = max(a >> 23u, 1u) - max(b >> 23u, 1u);
  while (shift > 8u) {
    rest = (rest << 8u) % divisor;
    shift -= 8u;
  }
  rest = (rest << shift) % divisor;
  let e = max(b >> 23u, 1u);
  let scale = bitcast<f32>(select(e - 23u, e + 52u, e < 100u) << 23u);
  let lowered = select(f32(rest), f32(rest) * 2.6469779601696886e-23, e < 100u);
  return with_sign(lowered * scale, x);
}`),
  /** The significand of a positive float with these bits, as an integer below 2^24. */
  significand: perLane(`fn significand(b: u32) -> u32 {
  return select(b & 0x7fffffu, (b & 0x7fffffu) | 0x800000u, b >= 0x800000u);
}`),
  /** x - floor(x / y) * y: the remainder with the sign of the divisor. */
  float_floor_mod: vectorizable(`fn float_floor_mod(x: f32, y: f32) -> f32 {
  let r = float_fmod(x, y);
  return select(r, r + y, (r != f32(0.0)) & ((r < f32(0.0)) != (y < f32(0.0))));
}`),

  /** Integer division toward zero; 0 where the divisor is 0 (TensorFlow's CPU kernels raise an error). */
  int_div: vectorizable(`fn int_div(x: i32, y: i32) -> i32 {
  return select(x / select(y, i32(1), y == i32(0)), i32(0), y == i32(0));
}`),
  int_mod: vectorizable(`fn int_mod(x: i32, y: i32) -> i32 {
  return select(x % select(y, i32(1), y == i32(0)), i32(0), y == i32(0));
}`),
  int_floor_div: vectorizable(`fn int_floor_div(x: i32, y: i32) -> i32 {
  let q = int_div(x, y);
  return select(q, q - i32(1), (int_mod(x, y) != i32(0)) & ((x < i32(0)) != (y < i32(0))));
}`),
  int_floor_mod: vectorizable(`fn int_floor_mod(x: i32, y: i32) -> i32 {
  let r = int_mod(x, y);
  return select(r, r + y, (r != i32(0)) & ((r < i32(0)) != (y < i32(0))));
}`),
  uint_div: vectorizable(`fn uint_div(x: u32, y: u32) -> u32 {
  return select(x / select(y, u32(1), y == u32(0)), u32(0), y == u32(0));
}`),
  uint_mod: vectorizable(`fn uint_mod(x: u32, y: u32) -> u32 {
  return select(x % select(y, u32(1), y == u32(0)), u32(0), y == u32(0));
}`),

  /** x to the power y by squaring, wrapping. Negative exponents, an error in TensorFlow, give 1 / x^|y| truncated. */
  int_pow: perLane(`fn int_pow(x: i32, y: i32) -> i32 {
  if (y < 0) {
    let odd = select(1, x, (y & 1) != 0);
    return select(0, odd, (x == 1) | (x == -1));
  }
  var result = 1;
  var base = x;
  for (var e = u32(y); e != 0u; e >>= 1u) {
    result = select(result, result * base, (e & 1u) != 0u);
    base *= base;
  }
  return result;
}`),

  /** Float to int toward zero, saturating; NaN gives the smallest int32, as x86 conversions do. */
  float_to_int: vectorizable(`fn float_to_int(x: f32) -> i32 {
  let inside = i32(clamp(x, f32(-2147483648.0), f32(2147483520.0)));
  let high = select(inside, i32(2147483647), x >= f32(2147483648.0));
  return select(high, i32(-2147483648), is_nan(x));
}`),
  /** Float to unsigned toward zero, saturating; NaN gives 0. */
  float_to_uint: vectorizable(`fn float_to_uint(x: f32) -> u32 {
  let inside = u32(clamp(x, f32(0.0), f32(4294967040.0)));
  let high = select(inside, u32(0xffffffffu), x >= f32(4294967296.0));
  return select(high, u32(0), is_nan(x));
}`),
};
