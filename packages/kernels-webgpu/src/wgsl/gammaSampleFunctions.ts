/**
 * WGSL library: the derivative of a gamma sample by the shape alpha where the probability P(alpha, z) of smaller
 * ones stays (Figurnov, Mohamed and Mnih, "Implicit Reparameterization Gradients", 2018):
 * dz/dalpha = -(dP/dalpha) / p. Three regimes, in none of which terms cancel.
 */
import { perLane } from './libraryFunction.js';

/** Nodes and weights of the Gauss-Legendre rule of five points on [-1, 1]. */
const RULE = [
  [-0.9061798459, 0.2369268851],
  [-0.5384693101, 0.4786286705],
  [0, 0.5688888889],
  [0.5384693101, 0.4786286705],
  [0.9061798459, 0.2369268851],
] as const;
const PANELS = 12;

export const GAMMA_SAMPLE_FUNCTIONS = {
  /** log(x) - psi(x) for x >= 1: psi(x + 1) = psi(x) + 1 / x up to 6, then the asymptotic series. */
  log_minus_psi: perLane(`fn log_minus_psi(x: f32) -> f32 {
  var sum = 0.0;
  var y = x;
  for (var k = 0u; k < 6u; k++) {
    if (y >= 6.0) { break; }
    sum += 1.0 / y - log1p(1.0 / y);
    y += 1.0;
  }
  let r = 1.0 / (y * y);
  return sum + 0.5 / y + r * (0.083333333 - r * (0.0083333333 - r * 0.003968254));
}`),
  /** log(z) - psi(alpha + 1). */
  log_over_psi: perLane(`fn log_over_psi(alpha: f32, z: f32) -> f32 {
  let x = alpha + 1.0;
  let far = safe_log(z) - log(x);
  return select(far, log1p((z - x) / x), z > 0.5 * x) + log_minus_psi(x);
}`),
  /**
   * z <= alpha + 1: P = z p / alpha * sum of c_n, c_n = z^n / ((alpha + 1) ... (alpha + n)), so that
   * dz/dalpha = -z / alpha * ((log(z) - psi(alpha + 1)) sum(c_n) - sum(c_n (1/(alpha + 1) + ... + 1/(alpha + n)))).
   */
  gamma_grad_below: perLane(`fn gamma_grad_below(alpha: f32, z: f32) -> f32 {
  var c = 1.0;
  var harmonic = 0.0;
  var sum = 1.0;
  var weighted = 0.0;
  for (var n = 1u; n < 400u; n++) {
    let next = alpha + f32(n);
    c *= z / next;
    harmonic += 1.0 / next;
    sum += c;
    weighted += c * harmonic;
    if (c < 1e-8 * sum) { break; }
  }
  return (z / alpha) * (weighted - log_over_psi(alpha, z) * sum);
}`),
  /**
   * z > alpha + 1: 1 - P = p J, J the integral of (1 + s/z)^(alpha - 1) e^-s over s > 0, so that dz/dalpha =
   * (log(z) - psi(alpha)) J + the integral with the factor log(1 + s/z). Panels are uniform in sqrt(s).
   */
  gamma_grad_above: perLane(`fn gamma_grad_above(alpha: f32, z: f32) -> f32 {
  let range = 20.0 + 7.6 * sqrt(alpha);
  var nodes = array<vec2<f32>, 5>(${RULE.map(([x, w]) => `vec2<f32>(${x.toFixed(10)}, ${w})`).join(', ')});
  let factor = log_over_psi(alpha, z) + 1.0 / alpha;
  var total = 0.0;
  for (var panel = 0u; panel < ${PANELS}u; panel++) {
    for (var k = 0u; k < 5u; k++) {
      let x = (f32(panel) + 0.5 + 0.5 * nodes[k].x) / ${PANELS}.0;
      let s = range * x * x;
      let rise = log1p(s / z);
      total += nodes[k].y * x * exp((alpha - 1.0) * rise - s) * (factor + rise);
    }
  }
  return total * range / ${PANELS}.0;
}`),
  /**
   * Large alpha: z = alpha + w sqrt(alpha) + (w^2 - 1)/3 + (w^3 - 7w) / (36 sqrt(alpha)) - (3w^4 + 7w^2 - 16) /
   * (810 alpha) for the normal quantile w (Cornish and Fisher, 1938), solved for w and differentiated by alpha.
   */
  gamma_grad_large: perLane(`fn gamma_grad_large(alpha: f32, z: f32) -> f32 {
  let root = sqrt(alpha);
  let distance = (z - alpha) / root;
  var w = distance;
  for (var k = 0u; k < 6u; k++) {
    let q = w * w;
    w = distance - ((q - 1.0) / 3.0 + w * (q - 7.0) / (36.0 * root) - (q * (3.0 * q + 7.0) - 16.0) / (810.0 * alpha)) / root;
  }
  let q = w * w;
  let last = (q * (3.0 * q + 7.0) - 16.0) / (810.0 * alpha * alpha);
  return 1.0 + w / (2.0 * root) - w * (q - 7.0) / (72.0 * alpha * root) + last;
}`),
  gamma_sample_grad: perLane(`fn gamma_sample_grad(alpha: f32, z: f32) -> f32 {
  if (is_nan(alpha) || is_nan(z) || alpha <= 0.0 || z < 0.0) { return not_a_number(); }
  if (z == 0.0) { return 0.0; }
  if (alpha >= 200.0) { return gamma_grad_large(alpha, z); }
  if (z <= alpha + 1.0) { return gamma_grad_below(alpha, z); }
  return gamma_grad_above(alpha, z);
}`),
};
