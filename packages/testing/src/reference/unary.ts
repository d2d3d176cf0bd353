/** Float64 references of the elementwise ops of one operand. */
import type { DType } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { digamma, erf, erfc, erfinv, lgamma, ndtri } from './special.js';

/** Ones among the bits, one bit after the other. */
function onesOf(x: number, dtype: DType): number {
  let ones = 0;
  for (let bit = 0; bit < Number(/\d+/.exec(dtype)?.[0]); bit++)
    ones += Math.abs(Math.floor(x / 2 ** bit) % 2);
  return ones;
}

/** A reference that maps every element. */
function map(f: (x: number, c: ReferenceContext) => number): Reference {
  return (c) => {
    const { shape, data } = c.input(0);
    return [{ dtype: c.outputs[0] ?? 'float32', shape, data: data.map((x) => f(x, c)) }];
  };
}

/** A reference of two operands of one shape. */
function map2(f: (a: number, b: number, c: ReferenceContext) => number): Reference {
  return (c) => {
    const [a, b] = [c.input(0), c.input(1)];
    const data = a.data.map((x, i) => f(x, b.data[i] ?? NaN, c));
    return [{ dtype: c.outputs[0] ?? 'float32', shape: a.shape, data }];
  };
}

const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 256],
  int16: [-(2 ** 15), 2 ** 16],
  int32: [-(2 ** 31), 2 ** 32],
  uint8: [0, 256],
  uint16: [0, 2 ** 16],
  uint32: [0, 2 ** 32],
};

/** Wraps a whole number into the range of an integer dtype. */
export function wrapTo(x: number, dtype: DType): number {
  const [low, count] = RANGES[dtype] ?? [];
  if (low === undefined || count === undefined) return x;
  return ((((x - low) % count) + count) % count) + low;
}

function cast(x: number, { input, outputs: [to = 'float32'] }: ReferenceContext): number {
  if (to === 'bool') return x !== 0 ? 1 : 0;
  if (to.startsWith('float')) return Math.fround(x);
  if (!input(0).dtype.startsWith('float')) return wrapTo(x, to);
  if (Number.isNaN(x)) return to === 'int32' ? -(2 ** 31) : 0;
  const whole = Math.trunc(x);
  if (to === 'uint32') return Math.min(Math.max(whole, 0), 2 ** 32 - 1);
  return wrapTo(Math.min(Math.max(whole, -(2 ** 31)), 2 ** 31 - 1), to);
}

const halfEven = (x: number): number => {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
};

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const alphaOf = (c: ReferenceContext): number => Math.fround(c.attrs.float('alpha'));

// Klambauer et al. (2017): the fixed point of mean 0 and variance 1.
const SCALE = 1.0507009873554805;
const ALPHA = 1.6732632423543772;

const reciprocal = map((x) => 1 / x);
const reciprocalGrad = map2((y, dy) => -dy * y * y);

/** exp(-|x|) I_n(x), the mean of exp(|x| (cos θ - 1)) cos nθ over a turn; the sum converges faster than any power. */
function scaledBessel(n: number, x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) === Infinity) return 0 * Math.sign(x);
  const points = 4096;
  let sum = 0;
  for (let k = 0; k < points; k++) {
    const angle = (2 * Math.PI * k) / points;
    sum += Math.exp(Math.abs(x) * (Math.cos(angle) - 1)) * Math.cos(n * angle);
  }
  return (n % 2 === 1 && x < 0 ? -sum : sum) / points;
}

export const UNARY_REFERENCES = {
  Neg: map((x, c) => wrapTo(-x, c.input(0).dtype)),
  Abs: map((x, c) => wrapTo(Math.abs(x), c.input(0).dtype)),
  Sign: map(Math.sign),
  Reciprocal: reciprocal,
  Inv: reciprocal,
  ReciprocalGrad: reciprocalGrad,
  InvGrad: reciprocalGrad,
  Square: map((x, c) => (c.input(0).dtype.startsWith('int') ? Math.imul(x, x) : x * x)),
  Floor: map(Math.floor),
  Ceil: map(Math.ceil),
  Round: map(halfEven),
  Rint: map(halfEven),
  IsNan: map((x) => (Number.isNaN(x) ? 1 : 0)),
  IsInf: map((x) => (x === Infinity || x === -Infinity ? 1 : 0)),
  IsFinite: map((x) => (Math.abs(x) < Infinity ? 1 : 0)),
  LogicalNot: map((x) => 1 - x),
  Invert: map((x, c) => wrapTo(~x, c.input(0).dtype)),
  Cast: map(cast),
  Exp: map(Math.exp),
  Expm1: map(Math.expm1),
  Log: map(Math.log),
  Log1p: map(Math.log1p),
  Sin: map(Math.sin),
  Cos: map(Math.cos),
  Tan: map(Math.tan),
  Asin: map(Math.asin),
  Acos: map(Math.acos),
  Atan: map(Math.atan),
  Sinh: map(Math.sinh),
  Cosh: map(Math.cosh),
  Tanh: map(Math.tanh),
  TanhGrad: map2((y, dy) => dy * (1 - y * y)),
  Asinh: map(Math.asinh),
  Acosh: map(Math.acosh),
  Atanh: map(Math.atanh),
  Sqrt: map(Math.sqrt),
  SqrtGrad: map2((y, dy) => dy / (2 * y)),
  Rsqrt: map((x) => 1 / Math.sqrt(x)),
  RsqrtGrad: map2((y, dy) => (-dy * y ** 3) / 2),
  Sigmoid: map(sigmoid),
  SigmoidGrad: map2((y, dy) => dy * (y - y * y)),
  Erf: map(erf),
  Erfc: map(erfc),
  Lgamma: map(lgamma),
  Digamma: map(digamma),
  BesselI0e: map((x) => scaledBessel(0, x)),
  BesselI1e: map((x) => scaledBessel(1, x)),
  Erfinv: map(erfinv),
  Ndtri: map(ndtri),
  PopulationCount: map((x, c) => onesOf(x, c.input(0).dtype)),
  Relu: map((x) => (x <= 0 ? 0 : x)),
  ReluGrad: map2((g, x) => (x > 0 ? g : 0)),
  Relu6: map((x) => Math.min(Math.max(x, 0), 6)),
  Relu6Grad: map2((g, x) => (x > 0 && x < 6 ? g : 0)),
  LeakyRelu: map((x, c) => (x > 0 ? x : x * alphaOf(c))),
  LeakyReluGrad: map2((g, x, c) => (x > 0 ? g : g * alphaOf(c))),
  Elu: map((x) => (x > 0 ? x : Math.expm1(x))),
  EluGrad: map2((g, y) => (y < 0 ? g * (y + 1) : g)),
  Selu: map((x) => (x > 0 ? SCALE * x : SCALE * ALPHA * Math.expm1(x))),
  SeluGrad: map2((g, y) => (y < 0 ? g * (y + SCALE * ALPHA) : g * SCALE)),
  Softplus: map((x) => (x > 30 ? x : Math.log1p(Math.exp(x)))),
  SoftplusGrad: map2((g, x) => g * sigmoid(x)),
  Softsign: map((x) => x / (1 + Math.abs(x))),
  SoftsignGrad: map2((g, x) => g / (1 + Math.abs(x)) ** 2),
} satisfies FamilyReferences;
