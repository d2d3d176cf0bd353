/** Special functions: gamma and its relatives, inverse error functions, the next float. */
import { apply, type NameOptions } from '../apply.js';
import { broadcastShape, sameShape } from '../inferHelpers.js';
import {
  gradientMissing,
  op,
  type GradContext,
  type GradFn,
  type InferContext,
  type OpDef,
  type OpSpec,
} from '../opDef.js';
import { broadcastShapes, type TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

const FLOATS = 'T: {float32, float16, bfloat16, float64}';
const WIDE_FLOATS = 'T: {float32, float64}';

type Rules = Pick<OpSpec, 'summary' | 'grad'>;

function unary(spec: Rules): OpDef {
  return op({ inputs: ['x: T'], outputs: ['y: T'], attrs: [FLOATS], infer: sameShape, ...spec });
}

function binary(inputs: readonly [string, string], spec: Rules): OpDef {
  return op({
    inputs: inputs.map((name) => `${name}: T`),
    outputs: ['z: T'],
    attrs: [WIDE_FLOATS],
    infer: broadcastShape,
    ...spec,
  });
}

/** The gradient of the second operand only: none is known for the first. */
function gradOfSecond(slope: (c: GradContext, a: Tensor, x: Tensor) => Tensor): GradFn {
  return (c) => {
    const [a, x] = [c.input(0), c.input(1)];
    return [null, c.ops.sumToShapeOf(c.ops.mul(c.dy, slope(c, a, x)), x)];
  };
}

/** The density of the gamma distribution, x^(a-1) e^-x / Γ(a). */
function gammaDensity({ ops }: GradContext, a: Tensor, x: Tensor): Tensor {
  const exponent = ops.sub(ops.xlogy(ops.sub(a, 1), x), x);
  return ops.exp(ops.sub(exponent, ops.lgamma(a)));
}

/** d/da and d/dx of P(a, x), or of its complement with sign -1. */
function incompleteGammaGrad(sign: 1 | -1): GradFn {
  return (c) => {
    const { ops } = c;
    const [a, x, flow] = [c.input(0), c.input(1), sign === 1 ? c.dy : c.ops.neg(c.dy)];
    const da = ops.mul(flow, apply('IgammaGradA', [a, x]));
    return [ops.sumToShapeOf(da, a), ops.sumToShapeOf(ops.mul(flow, gammaDensity(c, a, x)), x)];
  };
}

/** Betainc's operands have one shape; scalars go with any. */
function betaShape(c: InferContext): TensorShape[] {
  const [first, ...rest] = c.shapes.filter((shape) => shape.rank !== 0);
  if (first === undefined) return [c.shape(0)];
  const merge = (sum: TensorShape, shape: TensorShape): TensorShape =>
    sum.mergeWith(shape) ??
    c.fail(
      `a, b and x must be scalars or of one shape, got ${c.shapes.map((s) => s.toString()).join(' and ')}`,
    );
  return [rest.reduce(merge, first)];
}

export const SPECIAL_UNARY = {
  Lgamma: unary({
    summary: 'Elementwise log |Γ(x)|.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.digamma(input(0)))], // dx = dy ψ(x)
  }),
  Digamma: unary({
    summary: 'Elementwise ψ(x), the derivative of log Γ(x).',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.polygamma(ops.onesLike(input(0)), input(0)))], // dx = dy ψ'(x)
  }),
  BesselI0e: unary({
    summary: 'Elementwise exp(-|x|) I0(x), a scaled modified Bessel function.',
    // dx = dy (I1e(x) - sign(x) y)
    grad: ({ ops, input, output, dy }) => [
      ops.mul(dy, ops.sub(apply('BesselI1e', [input(0)]), ops.mul(ops.sign(input(0)), output(0)))),
    ],
  }),
  BesselI1e: unary({
    summary: 'Elementwise exp(-|x|) I1(x), a scaled modified Bessel function.',
    // dx = dy (I0e(x) - y (sign(x) + 1 / x)), and dy / 2 at 0
    grad: ({ ops, input, output, dy }) => {
      const x = input(0);
      const isZero = ops.lessEqual(ops.abs(x), 1e-30);
      const safe = ops.where(isZero, ops.onesLike(x), x);
      const slope = ops.sub(
        apply('BesselI0e', [safe]),
        ops.mul(output(0), ops.add(ops.sign(safe), ops.reciprocal(safe))),
      );
      return [ops.mul(dy, ops.where(isZero, ops.mul(ops.onesLike(x), 0.5), slope))];
    },
  }),
  Erfinv: unary({
    summary: 'Elementwise inverse of erf.',
    // dx = dy √π/2 exp(y²)
    grad: ({ ops, output, dy }) => [
      ops.mul(dy, ops.mul(ops.exp(ops.square(output(0))), Math.sqrt(Math.PI) / 2)),
    ],
  }),
  Ndtri: unary({
    summary: 'Elementwise quantile of the standard normal distribution.',
    // dx = dy √2π exp(y² / 2)
    grad: ({ ops, output, dy }) => [
      ops.mul(dy, ops.mul(ops.exp(ops.mul(ops.square(output(0)), 0.5)), Math.sqrt(2 * Math.PI))),
    ],
  }),
};

export const SPECIAL_BINARY = {
  Polygamma: binary(['a', 'x'], {
    summary: 'The derivative of order a of ψ at x.',
    grad: gradOfSecond(({ ops }, a, x) => ops.polygamma(ops.add(a, 1), x)),
  }),
  Zeta: binary(['x', 'q'], {
    summary: 'Hurwitz zeta function: the sum of (q + k)^-x over k = 0, 1 ….',
    grad: gradOfSecond(({ ops }, x, q) => ops.mul(ops.neg(x), ops.zeta(ops.add(x, 1), q))),
  }),
  Igamma: binary(['a', 'x'], {
    summary: 'Lower regularized incomplete gamma function P(a, x).',
    grad: incompleteGammaGrad(1),
  }),
  Igammac: binary(['a', 'x'], {
    summary: 'Upper regularized incomplete gamma function Q(a, x) = 1 - P(a, x).',
    grad: incompleteGammaGrad(-1),
  }),
  IgammaGradA: binary(['a', 'x'], {
    summary: 'The derivative of P(a, x) with respect to a.',
    grad: gradientMissing('TensorFlow defines none: the second derivative by a has no closed form'),
  }),
  Betainc: op({
    summary: 'Regularized incomplete beta function I_x(a, b).',
    inputs: ['a: T', 'b: T', 'x: T'],
    outputs: ['z: T'],
    attrs: [WIDE_FLOATS],
    infer: betaShape,
    // dx = dz x^(a-1) (1-x)^(b-1) / B(a, b); none is known for a and b
    grad: ({ ops, input, dy: dz }) => {
      const [a, b, x] = [input(0), input(1), input(2)];
      const beta = ops.sub(ops.add(ops.lgamma(a), ops.lgamma(b)), ops.lgamma(ops.add(a, b)));
      const exponent = ops.add(ops.xlogy(ops.sub(a, 1), x), ops.mul(ops.sub(b, 1), ops.log1p(ops.neg(x))));
      return [null, null, ops.sumToShapeOf(ops.mul(dz, ops.exp(ops.sub(exponent, beta))), x)];
    },
  }),
  NextAfter: op({
    summary: 'The next floating-point number after x1 in the direction of x2.',
    inputs: ['x1: T', 'x2: T'],
    outputs: ['output: T'],
    attrs: ['T: {float64, float32} = float32'],
    infer: (c) => {
      const [a, b] = [c.shape(0), c.shape(1)];
      return [
        broadcastShapes(a, b) ?? c.fail(`shapes do not broadcast: ${a.toString()} and ${b.toString()}`),
      ];
    },
    // As if the output were x1: dx1 = dz, dx2 = 0
    grad: ({ ops, input, dy: dz }) => [ops.sumToShapeOf(dz, input(0)), ops.zerosLike(input(1))],
  }),
};

/** log |Γ(x)| (`tf.math.lgamma`): infinity at 0, -1, -2 …. */
export function lgamma(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Lgamma', [x], { name });
}

/** ψ(x), the derivative of `lgamma` (`tf.math.digamma`): NaN at 0, -1, -2 …. */
export function digamma(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Digamma', [x], { name });
}

/** exp(-|x|) I0(x), the modified Bessel function of order 0 (`tf.math.bessel_i0e`). */
export function besselI0e(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('BesselI0e', [x], { name });
}

/** exp(-|x|) I1(x), the modified Bessel function of order 1 (`tf.math.bessel_i1e`). */
export function besselI1e(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('BesselI1e', [x], { name });
}

/** The inverse of `erf` (`tf.math.erfinv`): infinite at -1 and 1, NaN beyond. */
export function erfinv(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Erfinv', [x], { name });
}

/** The value below which a standard normal variable lies with probability `p` (`tf.math.ndtri`). */
export function ndtri(p: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Ndtri', [p], { name });
}

/**
 * The derivative of order `a` of ψ at `x` (`tf.math.polygamma`); `a` holds whole numbers from 0 as floats, others
 * give NaN. Broadcasts. No gradient flows to `a`.
 */
export function polygamma(a: TensorLike, x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Polygamma', [a, x], { name });
}

/**
 * Hurwitz zeta function ζ(x, q) (`tf.math.zeta`): infinite at x = 1, NaN below. For negative `q` only whole `x` have
 * a value. Broadcasts. No gradient flows to `x`.
 */
export function zeta(x: TensorLike, q: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Zeta', [x, q], { name });
}

/**
 * Lower regularized incomplete gamma function P(a, x), a > 0, x >= 0 (`tf.math.igamma`). Broadcasts. The gradient
 * with respect to `a` is `IgammaGradA`, which has none of its own, as in TensorFlow.
 */
export function igamma(a: TensorLike, x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Igamma', [a, x], { name });
}

/** Upper regularized incomplete gamma function 1 - P(a, x) (`tf.math.igammac`); see `igamma`. */
export function igammac(a: TensorLike, x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Igammac', [a, x], { name });
}

/**
 * Regularized incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1 (`tf.math.betainc`). Operands are scalars or of
 * one shape. No gradient flows to `a` and `b`, as in TensorFlow.
 */
export function betainc(a: TensorLike, b: TensorLike, x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Betainc', [a, b, x], { name });
}

/** The next float32 after `x1` in the direction of `x2` (`tf.math.nextafter`). */
export function nextafter(x1: TensorLike, x2: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('NextAfter', [x1, x2], { name });
}
