/**
 * WGSL library: trigonometry. WGSL promises sin and cos only to 2^-11 on [-pi, pi], and SwiftShader
 * is 2e-4 off, so arguments are reduced here: by a three-part pi/2 (Cody and Waite, "Software Manual
 * for the Elementary Functions", 1980), large ones by the needed bits of 2/pi (Payne and Hanek,
 * "Radian reduction for trigonometric functions", 1983). The inverse functions are polynomials
 * fitted at Chebyshev nodes.
 */
import { perLane, vectorizable } from './libraryFunction.js';

export const TRIGONOMETRIC_FUNCTIONS = {
  /** High word of the 64-bit product. */
  mul_high: perLane(`fn mul_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let mid = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let cross = (a & 0xffffu) * (b >> 16u) + (mid & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (mid >> 16u) + (cross >> 16u);
}`),
  /** Bits of 2/pi, after 32 zeros, from bit \`first\`: 32 of them. */
  two_over_pi: perLane(`fn two_over_pi(first: u32) -> u32 {
  var words = array<u32, 10>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
    0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0u);
  let word = first >> 5u;
  let shift = first & 31u;
  let next = select(words[word + 1u] >> (32u - shift), 0u, shift == 0u);
  return (words[word] << shift) | next;
}`),
  /**
   * (quadrant, r): x = r + quadrant * pi/2 modulo 2 pi, |r| <= pi/4, for any finite |x| >= 2^-7. With x = m 2^e
   * and m of 24 bits, m times the 96 bits of 2/pi that weigh 2^(1-e) and less is x * 2/pi modulo 4.
   */
  reduce_large: perLane(`fn reduce_large(x: f32) -> vec2<f32> {
  let bits = bitcast<u32>(x);
  let m = (bits & 0x7fffffu) | 0x800000u;
  let first = ((bits >> 23u) & 0xffu) - 150u + 30u;
  let w0 = two_over_pi(first);
  let w1 = two_over_pi(first + 32u);
  let w2 = two_over_pi(first + 64u);
  let low1 = m * w1;
  let p1 = low1 + mul_high(m, w2);
  let p0 = m * w0 + mul_high(m, w1) + select(0u, 1u, p1 < low1);
  var q = p0 >> 30u;
  var high = (p0 << 2u) | (p1 >> 30u);
  var low = p1 << 2u;
  let negative = high >= 0x80000000u;
  if (negative) {
    q += 1u;
    low = ~low + 1u;
    high = ~high + select(0u, 1u, low == 0u);
  }
  let fraction = f32(high) * 2.3283064e-10 + f32(low) * 5.4210109e-20;
  let r = select(1.5707964 * fraction, -1.5707964 * fraction, negative);
  if (x < 0.0) { return vec2<f32>(f32((4u - q) & 3u), -r); }
  return vec2<f32>(f32(q & 3u), r);
}`),
  reduce_angle: perLane(`fn reduce_angle(x: f32) -> vec2<f32> {
  if (abs(x) > 30000.0) { return reduce_large(x); }
  let n = round(x * 0.63661977);
  let r = ((x - n * 1.5703125) - n * 4.8375130e-4) - n * 7.5497899e-8;
  return vec2<f32>(f32(i32(n) & 3), r);
}`),
  /** Taylor series on |r| <= pi/4: 2e-9 off at most. */
  sin_series: perLane(`fn sin_series(r: f32) -> f32 {
  let z = r * r;
  return r + r * z * (-0.16666667 + z * (0.008333333 + z * (-0.0001984127 + z * 0.0000027557319)));
}`),
  cos_series: perLane(`fn cos_series(r: f32) -> f32 {
  let z = r * r;
  return 1.0 - z * (0.5 - z * (0.041666668 - z * (0.0013888889 - z * (0.000024801587 - z * 0.00000027557319))));
}`),
  precise_sin: perLane(`fn precise_sin(x: f32) -> f32 {
  if (!is_finite(x)) { return not_a_number(); }
  let reduced = reduce_angle(x);
  let q = i32(reduced.x);
  let y = select(sin_series(reduced.y), cos_series(reduced.y), (q & 1) != 0);
  return select(y, -y, (q & 2) != 0);
}`),
  precise_cos: perLane(`fn precise_cos(x: f32) -> f32 {
  if (!is_finite(x)) { return not_a_number(); }
  let reduced = reduce_angle(x);
  let q = i32(reduced.x) + 1;
  let y = select(sin_series(reduced.y), cos_series(reduced.y), (q & 1) != 0);
  return select(y, -y, (q & 2) != 0);
}`),
  precise_tan: perLane(`fn precise_tan(x: f32) -> f32 {
  if (!is_finite(x)) { return not_a_number(); }
  let reduced = reduce_angle(x);
  let s = sin_series(reduced.y);
  let c = cos_series(reduced.y);
  return select(s / c, -c / s, (i32(reduced.x) & 1) != 0);
}`),

  /** asin on [0, 0.5]. */
  asin_series: vectorizable(`fn asin_series(a: f32) -> f32 {
  let z = a * a;
  let high = 0.031116156 + z * (0.01707786 + z * 0.033805747);
  return a + a * z * (0.16666666 + z * (0.075000986 + z * (0.04459803 + z * high)));
}`),
  /** asin of |x|, NaN beyond 1; above 0.5 by asin(a) = pi/2 - 2 asin(sqrt((1 - a) / 2)). */
  asin_magnitude: vectorizable(`fn asin_magnitude(x: f32) -> f32 {
  let a = abs(x);
  let far = 1.5707964 - 2.0 * asin_series(sqrt(max(0.5 - 0.5 * a, f32(0.0))));
  let y = select(asin_series(min(a, f32(0.5))), far, a > f32(0.5));
  return select(y, not_a_number(), a > f32(1.0));
}`),
  safe_asin: vectorizable(
    'fn safe_asin(x: f32) -> f32 { return keep_nan(with_sign(asin_magnitude(x), x), x); }',
  ),
  safe_acos: vectorizable(`fn safe_acos(x: f32) -> f32 {
  let near = 1.5707964 - with_sign(asin_magnitude(x), x);
  let close = 2.0 * asin_series(sqrt(max(0.5 - 0.5 * x, f32(0.0))));
  return keep_nan(select(near, close, (x > f32(0.5)) & (x <= f32(1.0))), x);
}`),
  /** atan on [0, 1]. */
  atan_series: vectorizable(`fn atan_series(a: f32) -> f32 {
  let z = a * a;
  let high = -0.08673171 + z * (0.062843606 + z * (-0.036270175 + z * (0.013750284 - z * 0.0024470312)));
  return a + a * z * (-0.33333331 + z * (0.19999766 + z * (-0.14279111 + z * (0.11037994 + z * high))));
}`),
  precise_atan: vectorizable(`fn precise_atan(x: f32) -> f32 {
  let a = abs(x);
  let inside = atan_series(min(a, f32(1.0)));
  let outside = 1.5707964 - atan_series(1.0 / max(a, f32(1.0)));
  return keep_nan(with_sign(select(inside, outside, a > f32(1.0)), x), x);
}`),
  /** The angle of (x, y) in (-pi, pi], with C's rules for zeros, infinities and NaN. */
  precise_atan2: vectorizable(`fn precise_atan2(y: f32, x: f32) -> f32 {
  let a = abs(y);
  let b = abs(x);
  let both_infinite = is_inf(x) & is_inf(y);
  let ratio = select(min(a, b) / max(a, b), f32(0.0), max(a, b) == f32(0.0));
  let t = atan_series(select(select(ratio, f32(0.0), is_inf(x) != is_inf(y)), f32(1.0), both_infinite));
  let first = select(t, 1.5707964 - t, a > b);
  let left = (bitcast<u32>(x) >> u32(31u)) == u32(1u);
  return keep_nan(keep_nan(with_sign(select(first, 3.1415927 - first, left), y), y), x);
}`),
};
