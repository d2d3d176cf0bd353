/** Elementwise functions of one operand: exponentials, roots, trigonometry, error functions. */
import { apply, type NameOptions } from '../apply.js';
import { sameShape } from '../inferHelpers.js';
import { op, type OpDef, type OpSpec } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { mapElements } from './hostMath.js';
import type { Ops } from './index.js';
import { pairShape } from './pairShape.js';

const REAL = 'T: {float32, float16, bfloat16, float64}';
const COMPLEX = 'T: {float32, float16, bfloat16, float64, complex64, complex128}';
/** TensorFlow declares some functions over integers too, though it computes them for floats only. */
const DECLARED_WIDE = 'T: {float32, float16, bfloat16, float64, int32, int64, complex64, complex128}';

/** A function of one operand. */
function unary(spec: Pick<OpSpec, 'summary' | 'grad' | 'evaluate'>, types = COMPLEX): OpDef {
  return op({ inputs: ['x: T'], outputs: ['y: T'], attrs: [types], infer: sameShape, ...spec });
}

/** A gradient helper of TensorFlow's: from y = f(x) and dy. */
function gradientOf(spec: Pick<OpSpec, 'summary' | 'grad'>): OpDef {
  return op({ inputs: ['y: T', 'dy: T'], outputs: ['z: T'], attrs: [COMPLEX], infer: pairShape, ...spec });
}

/** 2/√π exp(-x²), the derivative of erf. */
function gaussian(ops: Ops, x: Tensor): Tensor {
  return ops.mul(ops.exp(ops.neg(ops.square(x))), 2 / Math.sqrt(Math.PI));
}

export const TRANSCENDENTAL = {
  Exp: unary({
    summary: 'Elementwise e^x.',
    grad: ({ ops, output, dy }) => [ops.mul(dy, output(0))], // dx = dy y
    evaluate: mapElements(Math.exp),
  }),
  Expm1: unary({
    summary: 'Elementwise e^x - 1, accurate near 0.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.exp(input(0)))], // dx = dy e^x
    evaluate: mapElements(Math.expm1),
  }),
  Log: unary({
    summary: 'Elementwise natural logarithm.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.reciprocal(input(0)))], // dx = dy / x
    evaluate: mapElements(Math.log),
  }),
  Log1p: unary({
    summary: 'Elementwise log(1 + x), accurate near 0.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.reciprocal(ops.add(input(0), 1)))], // dx = dy / (1 + x)
    evaluate: mapElements(Math.log1p),
  }),
  Sin: unary({
    summary: 'Elementwise sine.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.cos(input(0)))], // dx = dy cos x
    evaluate: mapElements(Math.sin),
  }),
  Cos: unary({
    summary: 'Elementwise cosine.',
    grad: ({ ops, input, dy }) => [ops.neg(ops.mul(dy, ops.sin(input(0))))], // dx = -dy sin x
    evaluate: mapElements(Math.cos),
  }),
  Tan: unary(
    {
      summary: 'Elementwise tangent.',
      grad: ({ ops, input, dy }) => [ops.mul(dy, ops.square(ops.reciprocal(ops.cos(input(0)))))], // dx = dy / cos² x
      evaluate: mapElements(Math.tan),
    },
    DECLARED_WIDE,
  ),
  Asin: unary(
    {
      summary: 'Elementwise arc sine.',
      grad: ({ ops, input, dy }) => [ops.mul(dy, ops.rsqrt(ops.sub(1, ops.square(input(0)))))], // dx = dy / √(1 - x²)
      evaluate: mapElements(Math.asin),
    },
    DECLARED_WIDE,
  ),
  Acos: unary(
    {
      summary: 'Elementwise arc cosine.',
      grad: ({ ops, input, dy }) => [ops.neg(ops.mul(dy, ops.rsqrt(ops.sub(1, ops.square(input(0))))))], // dx = -dy / √(1 - x²)
      evaluate: mapElements(Math.acos),
    },
    DECLARED_WIDE,
  ),
  Atan: unary(
    {
      summary: 'Elementwise arc tangent.',
      grad: ({ ops, input, dy }) => [ops.mul(dy, ops.reciprocal(ops.add(ops.square(input(0)), 1)))], // dx = dy / (1 + x²)
      evaluate: mapElements(Math.atan),
    },
    DECLARED_WIDE,
  ),
  Sinh: unary({
    summary: 'Elementwise hyperbolic sine.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.cosh(input(0)))], // dx = dy cosh x
    evaluate: mapElements(Math.sinh),
  }),
  Cosh: unary({
    summary: 'Elementwise hyperbolic cosine.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.sinh(input(0)))], // dx = dy sinh x
    evaluate: mapElements(Math.cosh),
  }),
  Tanh: unary({
    summary: 'Elementwise hyperbolic tangent.',
    grad: ({ output, dy }) => [apply('TanhGrad', [output(0), dy])], // dx = dy (1 - y²)
    evaluate: mapElements(Math.tanh),
  }),
  Asinh: unary({
    summary: 'Elementwise inverse hyperbolic sine.',
    grad: ({ ops, output, dy }) => [ops.div(dy, ops.cosh(output(0)))], // dx = dy / cosh y
    evaluate: mapElements(Math.asinh),
  }),
  Acosh: unary({
    summary: 'Elementwise inverse hyperbolic cosine.',
    grad: ({ ops, output, dy }) => [ops.div(dy, ops.sinh(output(0)))], // dx = dy / sinh y
    evaluate: mapElements(Math.acosh),
  }),
  Atanh: unary({
    summary: 'Elementwise inverse hyperbolic tangent.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.reciprocal(ops.sub(1, ops.square(input(0)))))], // dx = dy / (1 - x²)
    evaluate: mapElements(Math.atanh),
  }),
  Sqrt: unary({
    summary: 'Elementwise square root.',
    grad: ({ output, dy }) => [apply('SqrtGrad', [output(0), dy])], // dx = dy / 2√x
    evaluate: mapElements(Math.sqrt),
  }),
  Rsqrt: unary({
    summary: 'Elementwise 1/√x.',
    grad: ({ output, dy }) => [apply('RsqrtGrad', [output(0), dy])], // dx = -dy y³ / 2
    evaluate: mapElements((x) => 1 / Math.sqrt(x)),
  }),
  Sigmoid: unary({
    summary: 'Elementwise 1 / (1 + e^-x).',
    grad: ({ output, dy }) => [apply('SigmoidGrad', [output(0), dy])], // dx = dy y (1 - y)
    evaluate: mapElements((x) => 1 / (1 + Math.exp(-x))),
  }),
  Erf: unary(
    {
      summary: 'Elementwise Gauss error function.',
      grad: ({ ops, input, dy }) => [ops.mul(dy, gaussian(ops, input(0)))], // dx = dy 2/√π exp(-x²)
    },
    REAL,
  ),
  Erfc: unary(
    {
      summary: 'Elementwise complementary error function, 1 - erf(x).',
      grad: ({ ops, input, dy }) => [ops.neg(ops.mul(dy, gaussian(ops, input(0))))], // dx = -dy 2/√π exp(-x²)
    },
    REAL,
  ),
  SqrtGrad: gradientOf({
    summary: 'Gradient of the square root: dy / 2y.',
    // z = dy / 2y: dz/dy = -z / y, dz/d(dy) = 1 / 2y
    grad: ({ ops, input, output, dy: g }) => {
      const share = ops.div(g, input(0));
      return [ops.neg(ops.mul(share, output(0))), ops.mul(share, 0.5)];
    },
  }),
  RsqrtGrad: gradientOf({
    summary: 'Gradient of 1/√x: -dy y³ / 2.',
    // z = -dy y³ / 2: dz/dy = -3/2 dy y², dz/d(dy) = -y³ / 2
    grad: ({ ops, input, dy: g }) => [
      ops.mul(ops.mul(ops.mul(g, -1.5), input(1)), ops.square(input(0))),
      apply('RsqrtGrad', [input(0), g]),
    ],
  }),
  TanhGrad: gradientOf({
    summary: 'Gradient of tanh: dy (1 - y²).',
    // z = dy (1 - y²): dz/dy = -2 y dy, dz/d(dy) = 1 - y²
    grad: ({ ops, input, dy: g }) => [
      ops.mul(ops.mul(ops.mul(g, -2), input(1)), input(0)),
      apply('TanhGrad', [input(0), g]),
    ],
  }),
  SigmoidGrad: gradientOf({
    summary: 'Gradient of the sigmoid: dy y (1 - y).',
    // z = dy y (1 - y): dz/dy = dy (1 - 2y), dz/d(dy) = y (1 - y)
    grad: ({ ops, input, dy: g }) => {
      const flow = ops.mul(g, input(1));
      return [ops.sub(flow, ops.mul(ops.mul(flow, 2), input(0))), apply('SigmoidGrad', [input(0), g])];
    },
  }),
};

/** Elementwise e^x (`tf.exp`). */
export function exp(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Exp', [x], { name });
}

/** Elementwise e^x - 1, accurate near 0 (`tf.math.expm1`). */
export function expm1(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Expm1', [x], { name });
}

/** Elementwise natural logarithm; NaN below 0, -Infinity at 0 (`tf.math.log`). */
export function log(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Log', [x], { name });
}

/** Elementwise log(1 + x), accurate near 0 (`tf.math.log1p`). */
export function log1p(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Log1p', [x], { name });
}

/** Elementwise sine of radians (`tf.sin`). */
export function sin(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sin', [x], { name });
}

/** Elementwise cosine of radians (`tf.cos`). */
export function cos(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Cos', [x], { name });
}

/** Elementwise tangent of radians (`tf.tan`). */
export function tan(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Tan', [x], { name });
}

/** Elementwise arc sine in radians; NaN outside [-1, 1] (`tf.asin`). */
export function asin(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Asin', [x], { name });
}

/** Elementwise arc cosine in radians; NaN outside [-1, 1] (`tf.acos`). */
export function acos(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Acos', [x], { name });
}

/** Elementwise arc tangent in radians (`tf.atan`). */
export function atan(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Atan', [x], { name });
}

/** Elementwise hyperbolic sine (`tf.sinh`). */
export function sinh(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sinh', [x], { name });
}

/** Elementwise hyperbolic cosine (`tf.cosh`). */
export function cosh(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Cosh', [x], { name });
}

/** Elementwise hyperbolic tangent (`tf.tanh`). */
export function tanh(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Tanh', [x], { name });
}

/** Elementwise inverse hyperbolic sine (`tf.asinh`). */
export function asinh(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Asinh', [x], { name });
}

/** Elementwise inverse hyperbolic cosine; NaN below 1 (`tf.acosh`). */
export function acosh(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Acosh', [x], { name });
}

/** Elementwise inverse hyperbolic tangent; NaN outside [-1, 1] (`tf.atanh`). */
export function atanh(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Atanh', [x], { name });
}

/** Elementwise square root; NaN below 0 (`tf.sqrt`). */
export function sqrt(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sqrt', [x], { name });
}

/** Elementwise 1/√x (`tf.math.rsqrt`). */
export function rsqrt(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Rsqrt', [x], { name });
}

/** Elementwise 1 / (1 + e^-x) (`tf.sigmoid`). */
export function sigmoid(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sigmoid', [x], { name });
}

/** Elementwise Gauss error function (`tf.math.erf`). */
export function erf(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Erf', [x], { name });
}

/** Elementwise 1 - erf(x), accurate in the tail (`tf.math.erfc`). */
export function erfc(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Erfc', [x], { name });
}
