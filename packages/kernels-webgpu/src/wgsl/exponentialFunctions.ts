/**
 * WGSL library: exponentials, logarithms and what is made of them. Relative accuracy near 0,
 * domains and saturation are explicit, because adapters differ there (SwiftShader: exp(NaN) = Inf,
 * log(-1) = 0, log(0) = -88, tanh(100) = NaN).
 */
import { perLane, vectorizable } from './libraryFunction.js';

export const EXPONENTIAL_FUNCTIONS = {
  safe_exp: vectorizable(`fn safe_exp(x: f32) -> f32 {
  let y = exp(clamp(x, f32(-104.0), f32(88.72284)));
  return keep_nan(select(y, infinity(), x > f32(88.72284)), x);
}`),
  safe_sqrt: vectorizable(
    'fn safe_sqrt(x: f32) -> f32 { return keep_nan(select(sqrt(x), not_a_number(), x < f32(0.0)), x); }',
  ),
  safe_log: vectorizable(`fn safe_log(x: f32) -> f32 {
  let t = x - 1.0;
  let y = select(log(x), log_series(t), abs(t) < f32(0.35));
  let z = select(y, -infinity(), x == f32(0.0));
  let w = select(z, not_a_number(), x < f32(0.0));
  return select(w, x, is_nan(x) | (x == infinity()));
}`),

  /**
   * log(1 + t) for |t| < 0.35 as 2 artanh(t / (2 + t)), whose series loses nothing near 0, where WGSL bounds
   * the absolute error of `log` alone.
   */
  log_series: vectorizable(`fn log_series(t: f32) -> f32 {
  let s = t / (f32(2.0) + t);
  let z = s * s;
  return 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * 0.11111111))));
}`),
  log1p: vectorizable(`fn log1p(x: f32) -> f32 {
  return select(safe_log(1.0 + x), log_series(x), abs(x) < f32(0.35));
}`),
  /** log(exp(x) + exp(y)), from the larger of both; the difference is halved so that it cannot overflow. */
  log_add_exp: vectorizable(`fn log_add_exp(x: f32, y: f32) -> f32 {
  let top = nan_max(x, y);
  let low = nan_min(x, y);
  let half_distance = max(0.5 * low - 0.5 * top, f32(-52.0));
  return select(top + log1p(exp(2.0 * half_distance)), top, is_inf(top) | is_nan(top));
}`),
  /** e^x - 1: near 0 by its Taylor series. */
  expm1: vectorizable(`fn expm1(x: f32) -> f32 {
  let tail = 0.16666667 + x * (0.041666668 + x * (0.008333333 + x * (0.0013888889 + x * 0.0001984127)));
  let series = x + x * x * (0.5 + x * tail);
  return select(safe_exp(x) - 1.0, series, abs(x) < f32(0.35));
}`),

  sigmoid: vectorizable(`fn sigmoid(x: f32) -> f32 {
  return keep_nan(1.0 / (1.0 + exp(clamp(-x, f32(-87.0), f32(87.0)))), x);
}`),
  softplus: vectorizable(`fn softplus(x: f32) -> f32 {
  return keep_nan(max(x, f32(0.0)) + log1p(exp(max(-abs(x), f32(-87.0)))), x);
}`),
  safe_tanh: vectorizable(`fn safe_tanh(x: f32) -> f32 {
  let z = x * x;
  let series = x * (1.0 - z * (0.33333333 - z * (0.13333333 - z * 0.053968254)));
  let y = select(tanh(clamp(x, f32(-15.0), f32(15.0))), series, abs(x) < f32(0.1));
  return keep_nan(y, x);
}`),

  safe_sinh: vectorizable(`fn safe_sinh(x: f32) -> f32 {
  let a = abs(x);
  let m = expm1(min(a, f32(1.0)));
  let near = 0.5 * (m + m / (m + 1.0));
  let half = safe_exp(0.5 * a);
  let far = (0.5 * half) * half - 0.5 / (half * half);
  return keep_nan(with_sign(select(select(near, far, a > f32(1.0)), infinity(), a > f32(89.415986)), x), x);
}`),
  safe_cosh: vectorizable(`fn safe_cosh(x: f32) -> f32 {
  let a = abs(x);
  let half = safe_exp(0.5 * a);
  return keep_nan(select((0.5 * half) * half + 0.5 / (half * half), infinity(), a > f32(89.415986)), x);
}`),
  safe_asinh: vectorizable(`fn safe_asinh(x: f32) -> f32 {
  let a = abs(x);
  let b = min(a, f32(10000.0));
  let near = log1p(b + b * b / (1.0 + sqrt(b * b + 1.0)));
  return keep_nan(with_sign(select(near, safe_log(a) + 0.6931472, a > f32(10000.0)), x), x);
}`),
  safe_acosh: vectorizable(`fn safe_acosh(x: f32) -> f32 {
  let t = clamp(x - 1.0, f32(0.0), f32(10000.0));
  let near = log1p(t + sqrt(2.0 * t + t * t));
  let y = select(near, safe_log(x) + 0.6931472, x > f32(10000.0));
  return keep_nan(select(y, not_a_number(), x < f32(1.0)), x);
}`),
  safe_atanh: vectorizable(`fn safe_atanh(x: f32) -> f32 {
  let a = abs(x);
  let b = min(a, f32(0.99999994));
  let y = select(0.5 * log1p(2.0 * b / (1.0 - b)), infinity(), a == f32(1.0));
  return keep_nan(select(with_sign(y, x), not_a_number(), a > f32(1.0)), x);
}`),

  /** log(erfc(a) / t) + a^2 for a >= 0.5 as a polynomial in t = 1 / (1 + a/2), fitted at Chebyshev nodes. */
  erfc_tail: vectorizable(`fn erfc_tail(a: f32) -> f32 {
  let b = min(a, f32(10.5));
  let t = 1.0 / (1.0 + 0.5 * b);
  let high = 0.6467489 + t * (-1.6761769 + t * (1.9658578 + t * (-1.0514332 + t * 0.21629693)));
  let low = -1.2655301 + t * (1.0005438 + t * (0.3678362 + t * (0.13724537 + t * (-0.34151766 + t * high))));
  return t * exp(max(low - b * b, f32(-87.0)));
}`),
  /** erf for |x| <= 1 as x P(x^2), fitted at Chebyshev nodes. */
  erf_series: vectorizable(`fn erf_series(x: f32) -> f32 {
  let z = min(x * x, f32(1.0));
  let high = 0.0052210535 + z * (-0.00084843964 + z * (0.00011268254 - z * 0.0000096735903));
  return x * (1.1283792 + z * (-0.37612638 + z * (0.11283783 + z * (-0.026865438 + z * high))));
}`),
  erf: vectorizable(`fn erf(x: f32) -> f32 {
  let far = with_sign(1.0 - erfc_tail(abs(x)), x);
  return keep_nan(select(erf_series(x), far, abs(x) > f32(0.9)), x);
}`),
  erfc: vectorizable(`fn erfc(x: f32) -> f32 {
  let tail = erfc_tail(abs(x));
  let far = select(tail, 2.0 - tail, x < f32(0.0));
  return keep_nan(select(1.0 - erf_series(x), far, abs(x) > f32(0.5)), x);
}`),

  /** a^y for whole |y| <= 32 by squaring, which is closer than pow; where 1/a^-y would overflow, pow. */
  whole_power: perLane(`fn whole_power(a: f32, y: f32) -> f32 {
  var power = 1.0;
  var base = a;
  for (var e = u32(abs(y)); e != 0u; e >>= 1u) {
    power = select(power, power * base, (e & 1u) != 0u);
    base *= base;
  }
  if (y > 0.0) { return power; }
  return select(pow(a, y), 1.0 / power, power > 1e-37 && power < 1e37);
}`),
  /** x^y with C's rules: negative bases with integer exponents, zeros, infinities and NaN. */
  safe_pow: perLane(`fn safe_pow(x: f32, y: f32) -> f32 {
  if (y == 0.0 || x == 1.0) { return 1.0; }
  if (is_nan(x) || is_nan(y)) { return not_a_number(); }
  let a = abs(x);
  let whole = abs(y) >= 16777216.0 || floor(y) == y;
  let half = 0.5 * y;
  let odd = whole && abs(y) < 16777216.0 && floor(half) != half;
  var m: f32;
  if (a == 0.0 || is_inf(x) || is_inf(y)) {
    if (a == 1.0) { return 1.0; }
    m = select(0.0, infinity(), (a > 1.0) == (y > 0.0));
  } else {
    if (x < 0.0 && !whole) { return not_a_number(); }
    m = select(pow(a, y), whole_power(a, y), whole && abs(y) <= 32.0);
  }
  return select(m, with_sign(m, x), odd);
}`),
};
