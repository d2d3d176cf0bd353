/** The derivative of gamma samples by alpha, from differences of the distribution function in float64. */
import { broadcastShapes, TensorShape, type HostValue } from '@forerun/graph';
import type { ReferenceContext } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

/** log Gamma(x) for x > 0 by Stirling's series above 12. */
function logGamma(x: number): number {
  if (x < 12) return logGamma(x + 1) - Math.log(x);
  const r = 1 / (x * x);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

/** P(alpha, z) over the density at z of shape `at`, by the series of the lower incomplete gamma function. */
function lower(alpha: number, z: number): number {
  let term = 1 / alpha;
  let sum = term;
  for (let n = 1; term > sum * 1e-18; n++) sum += term *= z / (alpha + n);
  return sum * Math.exp(alpha * Math.log(z) - z - logGamma(alpha));
}

/** 1 - P(alpha, z), by Lentz's continued fraction. */
function upper(alpha: number, z: number): number {
  let b = z + 1 - alpha;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 10000; n++) {
    const a = -n * (n - alpha);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return h * Math.exp(alpha * Math.log(z) - z - logGamma(alpha));
}

/** The central difference of fourth order of `f` at x. */
function derivative(f: (x: number) => number, x: number): number {
  const h = 5e-3 * Math.min(x, Math.sqrt(x));
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
}

/** dz/dalpha = -(dP/dalpha) / p. */
function sampleDerivative(alpha: number, z: number): number {
  if (!(alpha > 0) || !(z >= 0)) return NaN;
  if (z === 0) return 0;
  const density = Math.exp((alpha - 1) * Math.log(z) - z - logGamma(alpha));
  const change =
    z < alpha + 1 ? -derivative((a) => lower(a, z), alpha) : derivative((a) => upper(a, z), alpha);
  return change / density;
}

export function gammaSampleDerivative(c: ReferenceContext): HostValue[] {
  const [alpha, z] = [c.input(0), c.input(1)];
  const shape = broadcastShapes(new TensorShape(alpha.shape), new TensorShape(z.shape))?.toStatic() ?? [];
  const read = (value: HostValue): ((at: readonly number[]) => number) => {
    const element = coordinates(value);
    const skipped = shape.length - value.shape.length;
    return (at) => element(value.shape.map((dim, i) => (dim === 1 ? 0 : (at[i + skipped] ?? 0))));
  };
  const [alphaAt, zAt] = [read(alpha), read(z)];
  return [tabulate(c.outputs[0] ?? 'float32', shape, (at) => sampleDerivative(alphaAt(at), zAt(at)))];
}
