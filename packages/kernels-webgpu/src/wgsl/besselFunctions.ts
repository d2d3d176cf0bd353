/**
 * WGSL library: exponentially scaled modified Bessel functions of the first kind, by the polynomials of Abramowitz and
 * Stegun, "Handbook of Mathematical Functions", 9.8.1 to 9.8.4: errors are below 3e-7.
 */
import { vectorizable, type LibraryFunction } from './libraryFunction.js';

/** Nested multiplication; coefficients from the constant on. */
function polynomial(variable: string, coefficients: readonly number[]): string {
  return coefficients.reduceRight(
    (inner, k) => (inner === '' ? `(${k})` : `(${k} + ${variable} * ${inner})`),
    '',
  );
}

/** Both branches at their own arguments: `t` is (x / 3.75)², `u` is 3.75 / x. */
const BRANCHES = `let size = abs(x);
  let small = min(size, f32(3.75));
  let large = clamp(size, f32(3.75), f32(3.0e38));
  let t = small * small / 14.0625;
  let u = 3.75 / large;`;

const I0_NEAR = [1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813];
const I0_FAR = [
  0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633,
  0.00392377,
];
const I1_NEAR = [0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411];
const I1_FAR = [
  0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555, 0.02282967, -0.02895312, 0.01787654,
  -0.00420059,
];

export const BESSEL_FUNCTIONS: Readonly<Record<string, LibraryFunction>> = {
  bessel_i0e: vectorizable(`fn bessel_i0e(x: f32) -> f32 {
  ${BRANCHES}
  let near = safe_exp(-small) * ${polynomial('t', I0_NEAR)};
  let far = ${polynomial('u', I0_FAR)} / sqrt(large);
  return keep_nan(select(near, far, size > f32(3.75)), x);
}`),
  bessel_i1e: vectorizable(`fn bessel_i1e(x: f32) -> f32 {
  ${BRANCHES}
  let near = safe_exp(-small) * small * ${polynomial('t', I1_NEAR)};
  let far = ${polynomial('u', I1_FAR)} / sqrt(large);
  return keep_nan(with_sign(select(near, far, size > f32(3.75)), x), x);
}`),
};
