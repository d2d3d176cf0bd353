/** Float64 special functions by other methods than the kernels': shifts, long series, bisection. */

/** erfc by its continued fraction for x >= 2, erf by its series below (Abramowitz and Stegun 7.1.6, 7.1.14). */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function erfcFraction(x: number): number {
  let fraction = x;
  for (let k = 120; k > 0; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** Complementary error function in float64. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 0) return 2 - erfc(-x);
  return x < 2 ? 1 - erfSeries(x) : erfcFraction(x);
}

/** Error function in float64. */
export function erf(x: number): number {
  if (x === 0) return x;
  return Math.abs(x) < 2 ? erfSeries(x) : Math.sign(x) * (1 - erfc(Math.abs(x)));
}

/** Bernoulli numbers B2, B4 …. */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

/** log Γ(x) for x > 0: shifted beyond 20, then Stirling's series. */
export function logGamma(x: number): number {
  if (x === Infinity) return x;
  let shift = 0;
  let z = x;
  for (; z < 20; z++) shift += Math.log(z);
  const series = BERNOULLI.reduce((sum, b, k) => sum + b / ((2 * k + 2) * (2 * k + 1) * z ** (2 * k + 1)), 0);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

export function lgamma(x: number): number {
  if (Number.isNaN(x) || x > 0) return Number.isNaN(x) ? x : logGamma(x);
  if (Number.isInteger(x) || x === -Infinity) return Infinity;
  return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x % 2)))) - logGamma(1 - x);
}

export function digamma(x: number): number {
  if (x <= 0) {
    if (!Number.isFinite(x) || Number.isInteger(x)) return NaN;
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  }
  if (x === Infinity) return x;
  let [shift, z] = [0, x];
  for (; z < 20; z++) shift += 1 / z;
  const series = BERNOULLI.reduce((sum, b, k) => sum + b / ((2 * k + 2) * z ** (2 * k + 2)), 0);
  return Math.log(z) - 0.5 / z - series - shift;
}

/** Σ (q + k)^-x by terms up to 30, then Euler and Maclaurin. */
export function zeta(x: number, q: number): number {
  if (Number.isNaN(x) || Number.isNaN(q) || x < 1) return NaN;
  if (x === 1) return Infinity;
  if (q <= 0) {
    if (Number.isInteger(q)) return Infinity;
    if (!Number.isInteger(x)) return NaN;
  }
  let [sum, w] = [0, q];
  for (; w < 30; w++) sum += w ** -x;
  let [factor, correction] = [x * w ** (-x - 1), 0];
  let factorial = 2;
  BERNOULLI.forEach((b, k) => {
    correction += (b / factorial) * factor;
    factor *= ((x + 2 * k + 1) * (x + 2 * k + 2)) / (w * w);
    factorial *= (2 * k + 3) * (2 * k + 4);
  });
  return sum + w ** (1 - x) / (x - 1) + 0.5 * w ** -x + correction;
}

export function polygamma(n: number, x: number): number {
  if (!Number.isInteger(n) || n < 0) return NaN;
  if (n === 0) return digamma(x);
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return (n % 2 === 0 ? -1 : 1) * factorial * zeta(n + 1, x);
}

/** P(a, x) by its series alone, all of whose terms are positive. */
export function lowerGamma(a: number, x: number): number {
  if (!(x >= 0 && a > 0)) return NaN;
  if (x === 0 || x === Infinity) return x === 0 ? 0 : 1;
  let [term, sum] = [1, 1];
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * Math.exp(a * Math.log(x) - x - logGamma(a + 1));
}

/** Q(a, x): far out by integrating the density, so that small values keep their digits. */
export function upperGamma(a: number, x: number): number {
  if (!(x > a + 1 && x < Infinity)) return 1 - lowerGamma(a, x);
  const density = (t: number): number => Math.exp((a - 1) * Math.log(t) - t - logGamma(a));
  return simpson(density, x, x + 40 + 8 * Math.sqrt(a), 40000);
}

function simpson(f: (t: number) => number, from: number, to: number, parts: number): number {
  const h = (to - from) / parts;
  let sum = f(from) + f(to);
  for (let i = 1; i < parts; i++) sum += f(from + i * h) * (i % 2 === 0 ? 2 : 4);
  return (sum * h) / 3;
}

/** dP/da by differences. */
export function lowerGammaSlope(a: number, x: number): number {
  const h = 2e-3 * Math.min(a, 1 + Math.sqrt(a));
  const at = (k: number): number => lowerGamma(a + k * h, x);
  return (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + at(3) - at(-3)) / (60 * h);
}

/** I_x(a, b) by the series of DLMF 8.17.8 on the side where it converges fast. */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return NaN;
  if (x === 0 || x === 1) return x;
  if (x > a / (a + b)) return 1 - incompleteBeta(b, a, 1 - x);
  let [term, sum] = [1, 1];
  for (let n = 0; term > 1e-18 * sum; n++) {
    term *= ((a + b + n) * x) / (a + 1 + n);
    sum += term;
  }
  const beta = logGamma(a) + logGamma(b) - logGamma(a + b);
  return (sum * Math.exp(a * Math.log(x) + b * Math.log1p(-x) - beta)) / a;
}

/** The root of a rising function by bisection. */
function rootOf(rising: (y: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  for (let i = 0; i < 200; i++) {
    const middle = (a + b) / 2;
    if (rising(middle) < 0) a = middle;
    else b = middle;
  }
  return (a + b) / 2;
}

export function erfinv(x: number): number {
  if (!(Math.abs(x) <= 1)) return NaN;
  if (Math.abs(x) === 1) return x * Infinity;
  if (Math.abs(x) < 0.5) return rootOf((y) => erf(y) - x, -1, 1);
  return Math.sign(x) * rootOf((y) => 1 - Math.abs(x) - erfc(y), 0, 7);
}

export function ndtri(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -ndtri(1 - p);
  return rootOf((y) => erfc(-y / Math.SQRT2) / 2 - p, -40, 1);
}

/** The float32 after x toward y. */
export function nextAfter(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  if (x === 0) return Math.sign(y) * 2 ** -149;
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0] ?? 0) + (x < y === x > 0 ? 1 : -1);
  return new Float32Array(bits.buffer)[0] ?? NaN;
}
