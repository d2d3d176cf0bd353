/**
 * WGSL library: gamma and its relatives, incomplete gamma and beta functions, Hurwitz zeta, inverse error
 * functions. Polynomials are fitted at Chebyshev nodes; the other methods are named where they are used.
 * Powers times exponentials over gammas are taken around their maximum (Stirling's formula with
 * log(1 + u) - u), because logarithms of gammas cancel there.
 */
import { perLane, vectorizable } from './libraryFunction.js';

export const GAMMA_FUNCTIONS = {
  /** log Γ(1 + t) / t for |t| <= 0.5. */
  lgamma_near_one: perLane(`fn lgamma_near_one(t: f32) -> f32 {
  let high = -0.14365291 + t * (0.13109551 + t * (-0.11657937 + t * (0.06530931 + t * (-0.058302134 + t * (0.17973927 - t * 0.16729733)))));
  return -0.57721567 + t * (0.8224669 + t * (-0.4006855 + t * (0.27059427 + t * (-0.2073982 + t * (0.16913451 + t * high)))));
}`),
  /** log Γ(2 + t) / t for |t| <= 0.5. */
  lgamma_near_two: perLane(`fn lgamma_near_two(t: f32) -> f32 {
  let high = 0.0028907952 + t * (-0.00118586 + t * (0.0005065171 + t * (-0.0002538171 + t * 0.00011347282)));
  return 0.42278433 + t * (0.32246703 + t * (-0.06735228 + t * (0.0205808 + t * (-0.007386174 + t * high))));
}`),
  /** What Stirling's formula lacks: log Γ(x) = (x - 1/2) log x - x + log(2 pi) / 2 + this, for x >= 3. */
  stirling_rest: perLane(`fn stirling_rest(x: f32) -> f32 {
  let w = 1.0 / (x * x);
  return (0.083333333 - w * (0.0027777778 - w * (0.00079365079 - w * 0.00059523810))) / x;
}`),
  lgamma_positive: perLane(`fn lgamma_positive(x: f32) -> f32 {
  if (x < 0.5) { return x * lgamma_near_one(x) - safe_log(x); }
  if (x < 1.5) { return (x - 1.0) * lgamma_near_one(x - 1.0); }
  if (x < 8.0) {
    var z = x;
    var product = 1.0;
    while (z >= 2.5) {
      z -= 1.0;
      product *= z;
    }
    return (z - 2.0) * lgamma_near_two(z - 2.0) + log(product);
  }
  if (is_inf(x)) { return x; }
  return ((x - 0.5) * log(x) - x) + (0.9189385 + stirling_rest(x));
}`),
  /** log |Γ(x)|, by reflection below 0: Γ(x) Γ(1 - x) = pi / sin(pi x). */
  lgamma: perLane(`fn lgamma(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (is_inf(x)) { return infinity(); }
  if (x > 0.0) { return lgamma_positive(x); }
  let r = x - round(x);
  if (r == 0.0) { return infinity(); }
  return 1.1447299 - safe_log(precise_sin(3.1415927 * abs(r))) - lgamma_positive(1.0 - x);
}`),
  digamma_positive: perLane(`fn digamma_positive(x: f32) -> f32 {
  var z = x;
  var sum = 0.0;
  while (z < 8.0) {
    sum += 1.0 / z;
    z += 1.0;
  }
  let w = 1.0 / (z * z);
  return (safe_log(z) - sum) - (0.5 / z + w * (0.083333333 - w * (0.0083333333 - w * 0.0039682540)));
}`),
  digamma: perLane(`fn digamma(x: f32) -> f32 {
  if (is_nan(x) || x > 0.0) { return keep_nan(digamma_positive(max(x, f32(1e-38))), x); }
  let r = x - round(x);
  if (r == 0.0 || is_inf(x)) { return not_a_number(); }
  let a = abs(r);
  let near = 1.0 / precise_tan(3.1415927 * min(a, 0.25));
  let cotangent = select(near, precise_tan(3.1415927 * (0.5 - a)), a > 0.25);
  return digamma_positive(1.0 - x) - 3.1415927 * select(cotangent, -cotangent, r < 0.0);
}`),

  /** zeta(x, q) for x > 1, q > 0: nine terms, then the formula of Euler and Maclaurin. */
  zeta_positive: perLane(`fn zeta_positive(x: f32, q: f32) -> f32 {
  var sum = 0.0;
  for (var k = 8; k >= 0; k -= 1) { sum += safe_pow(q + f32(k), -x); }
  let w = q + 9.0;
  let p = safe_pow(w, -x);
  let z = 1.0 / (w * w);
  var t = x * p / w;
  var tail = p * (w / (x - 1.0) + 0.5) + t * 0.083333333;
  t *= (x + 1.0) * (x + 2.0) * z;
  tail -= t * 0.0013888889;
  t *= (x + 3.0) * (x + 4.0) * z;
  tail += t * 0.000033068783;
  t *= (x + 5.0) * (x + 6.0) * z;
  tail -= t * 8.2671958e-7;
  t *= (x + 7.0) * (x + 8.0) * z;
  tail += t * 2.0876757e-8;
  return sum + select(tail, 0.0, p == 0.0);
}`),
  /** Below 0 the terms of negative base, x whole, are the difference of two sums over positive ones. */
  hurwitz_zeta: perLane(`fn hurwitz_zeta(x: f32, q: f32) -> f32 {
  if (is_nan(x) || is_nan(q) || x < 1.0) { return not_a_number(); }
  if (x == 1.0) { return infinity(); }
  if (q > 0.0) {
    if (is_inf(x)) { return select(select(0.0, 1.0, q == 1.0), infinity(), q < 1.0); }
    return select(zeta_positive(x, q), 0.0, is_inf(q));
  }
  if (floor(q) == q) { return infinity(); }
  if (floor(x) != x) { return not_a_number(); }
  let c = ceil(q) - q;
  let mirrored = zeta_positive(x, c) - zeta_positive(x, 1.0 - q);
  let half = 0.5 * x;
  return zeta_positive(x, 1.0 - c) + select(-mirrored, mirrored, floor(half) == half);
}`),
  polygamma: perLane(`fn polygamma(n: f32, x: f32) -> f32 {
  if (is_nan(n) || n < 0.0 || floor(n) != n) { return not_a_number(); }
  if (n == 0.0) { return digamma(x); }
  var factorial = 1.0;
  for (var k = 2.0; k <= min(n, f32(35.0)); k += 1.0) { factorial *= k; }
  let half = 0.5 * n;
  let size = select(factorial, infinity(), n > 34.0) * hurwitz_zeta(n + 1.0, x);
  return select(size, -size, floor(half) == half);
}`),

  /** log(1 + u) - u, without cancellation near 0. */
  log1p_rest: perLane(`fn log1p_rest(u: f32) -> f32 {
  if (abs(u) > 0.5) { return safe_log(1.0 + u) - u; }
  let s = u / (2.0 + u);
  let z = s * s;
  let series = 0.33333333 + z * (0.2 + z * (0.14285714 + z * (0.11111111 + z * (0.090909091 + z * 0.076923077))));
  return 2.0 * s * z * series - u * s;
}`),
  /** x^a e^-x / Γ(a + 1). */
  gamma_weight: perLane(`fn gamma_weight(a: f32, x: f32) -> f32 {
  if (a < 3.0) { return safe_exp(a * safe_log(x) - x - lgamma_positive(a + 1.0)); }
  return safe_exp(a * log1p_rest((x - a) / a) - stirling_rest(a)) * 0.39894228 / sqrt(a);
}`),
  /** (sum, its derivative by a) of x^n / ((a + 1) ... (a + n)), n = 0, 1 ...: P(a, x) over gamma_weight. */
  gamma_series: perLane(`fn gamma_series(a: f32, x: f32) -> vec2<f32> {
  var term = vec2<f32>(1.0, 0.0);
  var sum = term;
  for (var n = 1.0; n < 3000.0; n += 1.0) {
    let f = x / (a + n);
    term = f * vec2<f32>(term.x, term.y - term.x / (a + n));
    sum += term;
    if (term.x < 1e-8 * sum.x && abs(term.y) <= 1e-8 * abs(sum.y)) { break; }
  }
  return sum;
}`),
  /** (fraction, its derivative by a) of Q(a, x) = x^a e^-x / Γ(a) fraction, by Lentz's method. */
  gamma_fraction: perLane(`fn gamma_fraction(a: f32, x: f32) -> vec2<f32> {
  var b = x + 1.0 - a;
  var c = vec2<f32>(1e30, 0.0);
  var d = vec2<f32>(1.0 / b, 1.0 / (b * b));
  var h = d;
  for (var i = 1.0; i < 3000.0; i += 1.0) {
    let n = -i * (i - a);
    b += 2.0;
    let lower = n * d.x + b;
    let inverse = 1.0 / select(lower, 1e-30, abs(lower) < 1e-30);
    d = vec2<f32>(inverse, -inverse * inverse * (i * d.x + n * d.y - 1.0));
    let r = n / c.x;
    let upper = b + r;
    c = vec2<f32>(select(upper, 1e-30, abs(upper) < 1e-30), i / c.x - r * (c.y / c.x) - 1.0);
    let step = vec2<f32>(d.x * c.x, d.y * c.x + d.x * c.y);
    let before = h;
    h = vec2<f32>(h.x * step.x, h.y * step.x + h.x * step.y);
    if (abs(step.x - 1.0) < 1e-7 && abs(h.y - before.y) <= 2e-7 * abs(h.y)) { break; }
  }
  return h;
}`),
  /**
   * For large a Temme's expansion ("The asymptotic expansion of the incomplete gamma functions", 1979) with one
   * term: (eta sqrt(a/2), c0(eta), e^-(a eta^2 / 2) / sqrt(2 pi a)).
   */
  gamma_uniform: perLane(`fn gamma_uniform(a: f32, x: f32) -> vec3<f32> {
  let u = (x - a) / a;
  let energy = -log1p_rest(u);
  let eta = select(sqrt(2.0 * energy), -sqrt(2.0 * energy), u < 0.0);
  let e = clamp(eta, -0.5, 0.5);
  let c0 = -0.33333333 + e * (0.083333333 + e * (-0.014814815 + e * 0.0011574074));
  return vec3<f32>(eta * sqrt(0.5 * a), c0, safe_exp(-a * energy) * 0.39894228 / sqrt(a));
}`),
  /** (P(a, x), Q(a, x)), both NaN outside of the domain. */
  gamma_shares: perLane(`fn gamma_shares(a: f32, x: f32) -> vec2<f32> {
  if (is_nan(a) || is_nan(x) || x < 0.0 || a <= 0.0) { return vec2<f32>(not_a_number()); }
  if (x == 0.0 || is_inf(a)) { return select(vec2<f32>(0.0, 1.0), vec2<f32>(not_a_number()), is_inf(x)); }
  if (is_inf(x)) { return vec2<f32>(1.0, 0.0); }
  if (a > 2000.0) {
    let g = gamma_uniform(a, x);
    let r = g.y * g.z;
    return vec2<f32>(0.5 * erfc(-g.x) - r, 0.5 * erfc(g.x) + r);
  }
  if (x < a + 1.0) {
    let p = gamma_weight(a, x) * gamma_series(a, x).x;
    return vec2<f32>(p, 1.0 - p);
  }
  let q = gamma_weight(a, x) * a * gamma_fraction(a, x).x;
  return vec2<f32>(1.0 - q, q);
}`),
  igamma: perLane('fn igamma(a: f32, x: f32) -> f32 { return gamma_shares(a, x).x; }'),
  igammac: perLane('fn igammac(a: f32, x: f32) -> f32 { return gamma_shares(a, x).y; }'),
  igamma_grad_a: perLane(`fn igamma_grad_a(a: f32, x: f32) -> f32 {
  if (is_nan(a) || is_nan(x) || x < 0.0 || a <= 0.0) { return not_a_number(); }
  if (x == 0.0 || is_inf(x) || is_inf(a)) { return 0.0; }
  if (a > 2000.0) {
    let g = gamma_uniform(a, x);
    let slope = log1p((x - a) / a);
    let main = select(slope / g.x * sqrt(0.5 * a), 1.0, abs(g.x) < 1e-4);
    return -g.z * (main + g.y * slope - (0.5 * g.y + 0.083333333) / a);
  }
  let weight = gamma_weight(a, x);
  if (x < a + 1.0) {
    let s = gamma_series(a, x);
    return weight * (s.x * (safe_log(x) - digamma_positive(a + 1.0)) + s.y);
  }
  let h = gamma_fraction(a, x);
  return -weight * a * (h.x * (safe_log(x) - digamma_positive(a)) + h.y);
}`),

  /** x^a (1 - x)^b / B(a, b); y is 1 - x. */
  beta_weight: perLane(`fn beta_weight(a: f32, b: f32, x: f32, y: f32) -> f32 {
  let n = a + b;
  if (min(a, b) < 3.0) {
    let beta = lgamma_positive(a) + lgamma_positive(b) - lgamma_positive(n);
    return safe_exp(a * select(safe_log(x), log1p(-y), y < 0.5) + b * select(safe_log(y), log1p(-x), x < 0.5) - beta);
  }
  let gap = (x * b - y * a) / n;
  let exponent = a * log1p_rest(gap * n / a) + b * log1p_rest(-gap * n / b);
  let rest = stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
  return safe_exp(exponent + rest) * 0.39894228 * sqrt(a * (b / n));
}`),
  /** The continued fraction of I_x(a, b) (DLMF 8.17.22) by Lentz's method. */
  beta_fraction: perLane(`fn beta_fraction(a: f32, b: f32, x: f32) -> f32 {
  var c = 1.0;
  let first = 1.0 - (a + b) * x / (a + 1.0);
  var d = 1.0 / select(first, 1e-30, abs(first) < 1e-30);
  var h = d;
  for (var m = 1.0; m < 5000.0; m += 1.0) {
    let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / nonzero_float(1.0 + even * d);
    c = nonzero_float(1.0 + even / c);
    h *= d * c;
    d = 1.0 / nonzero_float(1.0 + odd * d);
    c = nonzero_float(1.0 + odd / c);
    h *= d * c;
    if (abs(d * c - 1.0) < 1e-7) { break; }
  }
  return h;
}`),
  nonzero_float: perLane('fn nonzero_float(x: f32) -> f32 { return select(x, 1e-30, abs(x) < 1e-30); }'),
  betainc: perLane(`fn betainc(a: f32, b: f32, x: f32) -> f32 {
  if (is_nan(a) || is_nan(b) || is_nan(x)) { return not_a_number(); }
  if (a <= 0.0 || b <= 0.0 || x < 0.0 || x > 1.0) { return not_a_number(); }
  if (x == 0.0 || x == 1.0) { return x; }
  let weight = beta_weight(a, b, x, 1.0 - x);
  if (x * (a + b + 2.0) < a + 1.0) { return weight * beta_fraction(a, b, x) / a; }
  return 1.0 - weight * beta_fraction(b, a, 1.0 - x) / b;
}`),

  /** erfinv(x) / x as a function of w = -log(1 - x^2): smooth in w near 0 and in its root far out. */
  erfinv_ratio: vectorizable(`fn erfinv_ratio(w: f32) -> f32 {
  let v = clamp(w, f32(0.0), f32(5.2));
  let near_high = -0.00012905702 + v * (4.56169e-5 + v * (3.582154e-6 + v * (-1.889036e-6 + v * (2.1090136e-7 - v * 8.3074179e-9))));
  let near = 0.8862269 + v * (0.23201388 + v * (0.011548178 + v * (-0.0023330264 + v * near_high)));
  let s = sqrt(clamp(w, f32(5.0), f32(104.0)));
  let u = s - 3.0;
  let far_high = 0.0057506221 + u * (-0.0036098405 + u * (0.0013461738 + u * (2.9938055e-6 + u * (-0.0002118949 + u * 5.6164343e-5))));
  let far = 2.832977 + u * (1.0016751 + u * (0.009435636 + u * (-0.0076384237 + u * far_high)));
  let t = s - 7.0;
  let tail_high = 5.8610676e-6 + t * (-1.4998678e-6 + t * (3.5000676e-7 + t * (-7.7403335e-8 + t * 8.1889979e-9)));
  let tail = 6.8690195 + t * (1.0085957 + t * (-0.00051236688 + t * (6.0639213e-6 + t * tail_high)));
  return select(near, select(far, tail, s > f32(4.45)), w > f32(5.0));
}`),
  erfinv: vectorizable(`fn erfinv(x: f32) -> f32 {
  let y = x * erfinv_ratio(-log1p_product(x));
  let limited = select(y, with_sign(infinity(), x), abs(x) == f32(1.0));
  return keep_nan(select(limited, not_a_number(), abs(x) > f32(1.0)), x);
}`),
  /** log(1 - x^2). */
  log1p_product: vectorizable(`fn log1p_product(x: f32) -> f32 {
  return safe_log(max((1.0 - x) * (1.0 + x), f32(0.0)));
}`),
  /** sqrt(2) erfinv(2p - 1), where 1 - (2p - 1)^2 = 4 p (1 - p). */
  ndtri: vectorizable(`fn ndtri(p: f32) -> f32 {
  let x = 2.0 * p - 1.0;
  let y = 1.4142135 * x * erfinv_ratio(-safe_log(max(4.0 * p * (1.0 - p), f32(0.0))));
  let limited = select(y, with_sign(infinity(), x), (p == f32(0.0)) | (p == f32(1.0)));
  return keep_nan(select(limited, not_a_number(), (p < f32(0.0)) | (p > f32(1.0))), p);
}`),

  /** The next float after x in the direction of y. */
  next_after: perLane(`fn next_after(x: f32, y: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (is_nan(y) || x == y) { return y; }
  let b = bitcast<u32>(x);
  if ((b & 0x7fffffffu) == 0u) { return float_bits((bitcast<u32>(y) & 0x80000000u) | 1u); }
  let away = (x < y) == ((b & 0x80000000u) == 0u);
  return float_bits(select(b - 1u, b + 1u, away));
}`),
};
