/** Activation functions of neural networks and the gradient helpers that TensorFlow's graphs contain for them. */
import { apply, type NameOptions } from '../apply.js';
import { sameShape } from '../inferHelpers.js';
import { op, type OpDef, type OpSpec } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { mapElements } from './hostMath.js';
import { pairShape } from './pairShape.js';

const REAL_NUMBERS =
  'T: {float32, float16, bfloat16, float64, int32, uint8, int16, int8, int64, uint16, uint32, uint64}';
const FLOATS = 'T: {float32, float16, bfloat16, float64}';

/** Scale and alpha of SELU (Klambauer et al., "Self-Normalizing Neural Networks", 2017). */
export const SELU_SCALE = 1.0507009873554805;
export const SELU_ALPHA = 1.6732632423543772;

/** An activation. */
function activation(spec: Pick<OpSpec, 'summary' | 'grad' | 'evaluate'>, attrs = [FLOATS]): OpDef {
  return op({ inputs: ['features: T'], outputs: ['activations: T'], attrs, infer: sameShape, ...spec });
}

/** A gradient helper over the gradient and the features (or the outputs, where the name says so). */
function helper(spec: Pick<OpSpec, 'summary' | 'grad'>, second = 'features', attrs = [FLOATS]): OpDef {
  const inputs = ['gradients: T', `${second}: T`];
  return op({ inputs, outputs: ['backprops: T'], attrs, infer: pairShape, ...spec });
}

export const ACTIVATION = {
  Relu: activation(
    {
      summary: 'Rectified linear: max(x, 0).',
      grad: ({ output, dy }) => [apply('ReluGrad', [dy, output(0)])], // dx = dy where x > 0
      evaluate: mapElements((x) => (x < 0 ? 0 : x)),
    },
    [REAL_NUMBERS],
  ),
  ReluGrad: helper(
    {
      summary: 'Gradient of Relu: the gradient where the features are above 0.',
      // Linear in the gradient, piecewise constant in the features.
      grad: ({ ops, input, dy: g }) => [apply('ReluGrad', [g, input(1)]), ops.zerosLike(input(1))],
    },
    'features',
    [REAL_NUMBERS],
  ),
  Relu6: activation(
    {
      summary: 'Rectified linear up to 6: min(max(x, 0), 6).',
      grad: ({ output, dy }) => [apply('Relu6Grad', [dy, output(0)])], // dx = dy where 0 < x < 6
      evaluate: mapElements((x) => (x < 0 ? 0 : x > 6 ? 6 : x)),
    },
    [REAL_NUMBERS],
  ),
  Relu6Grad: helper(
    {
      summary: 'Gradient of Relu6: the gradient where the features are between 0 and 6.',
      grad: ({ ops, input, dy: g }) => [apply('Relu6Grad', [g, input(1)]), ops.zerosLike(input(1))],
    },
    'features',
    [REAL_NUMBERS],
  ),
  LeakyRelu: activation(
    {
      summary: 'Leaky rectified linear: x above 0, alpha x below.',
      grad: ({ attrs, input, dy }) => [
        apply('LeakyReluGrad', [dy, input(0)], { attrs: { alpha: attrs.float('alpha') } }), // dx = dy or alpha dy
      ],
      evaluate: mapElements((x, { attrs }) => (x > 0 ? x : x * attrs.float('alpha'))),
    },
    ['alpha: float = 0.2', `${FLOATS} = float32`],
  ),
  LeakyReluGrad: helper(
    {
      summary: 'Gradient of LeakyRelu: the gradient above 0, alpha times it below.',
      grad: ({ ops, attrs, input, dy: g }) => [
        apply('LeakyReluGrad', [g, input(1)], { attrs: { alpha: attrs.float('alpha') } }),
        ops.zerosLike(input(1)),
      ],
    },
    'features',
    ['alpha: float = 0.2', `${FLOATS} = float32`],
  ),
  Elu: activation({
    summary: 'Exponential linear: x above 0, e^x - 1 below.',
    grad: ({ output, dy }) => [apply('EluGrad', [dy, output(0)])], // dx = dy, or dy (y + 1) below 0
    evaluate: mapElements((x) => (x < 0 ? Math.expm1(x) : x)),
  }),
  EluGrad: helper(
    {
      summary: 'Gradient of Elu: the gradient, times y + 1 where y is below 0.',
      // z = dy (y + 1) below 0: dz/d(dy) = y + 1, dz/dy = dy
      grad: ({ ops, input, dy: g }) => [
        apply('EluGrad', [g, input(1)]),
        ops.where(ops.less(input(1), 0), ops.mul(g, input(0)), ops.zerosLike(g)),
      ],
    },
    'outputs',
  ),
  Selu: activation({
    summary: 'Scaled exponential linear: scale x above 0, scale alpha (e^x - 1) below.',
    grad: ({ output, dy }) => [apply('SeluGrad', [dy, output(0)])], // dx = scale dy, or dy (y + scale alpha)
    evaluate: mapElements((x) => SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x)),
  }),
  SeluGrad: helper(
    {
      summary: 'Gradient of Selu: the gradient times scale, or times y + scale alpha where y is below 0.',
      grad: ({ ops, input, dy: g }) => [
        apply('SeluGrad', [g, input(1)]),
        ops.where(ops.less(input(1), 0), ops.mul(g, input(0)), ops.zerosLike(g)),
      ],
    },
    'outputs',
  ),
  Softplus: activation({
    summary: 'Smooth rectifier log(e^x + 1).',
    grad: ({ input, dy }) => [apply('SoftplusGrad', [dy, input(0)])], // dx = dy sigmoid(x)
    evaluate: mapElements((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  }),
  SoftplusGrad: helper({
    summary: 'Gradient of Softplus: the gradient times the sigmoid of the features.',
    // z = dy s, s = sigmoid(x): dz/d(dy) = s, dz/dx = dy s (1 - s)
    grad: ({ ops, input, dy: g }) => [
      apply('SoftplusGrad', [g, input(1)]),
      apply('SigmoidGrad', [ops.sigmoid(input(1)), ops.mul(g, input(0))]),
    ],
  }),
  Softsign: activation({
    summary: 'Soft sign x / (|x| + 1).',
    grad: ({ input, dy }) => [apply('SoftsignGrad', [dy, input(0)])], // dx = dy / (|x| + 1)²
    evaluate: mapElements((x) => x / (Math.abs(x) + 1)),
  }),
  SoftsignGrad: helper({
    summary: 'Gradient of Softsign: the gradient divided by (|x| + 1)².',
    // z = dy (|x| + 1)^-2: dz/d(dy) = (|x| + 1)^-2, dz/dx = -2 z sign(x) / (|x| + 1)
    grad: ({ ops, input, dy: g }) => {
      const forward = apply('SoftsignGrad', [g, input(1)]);
      const slope = ops.div(ops.mul(ops.sign(input(1)), -2), ops.add(ops.abs(input(1)), 1));
      return [forward, ops.mul(ops.mul(forward, input(0)), slope)];
    },
  }),
};

/** max(x, 0) (`tf.nn.relu`). The gradient at 0 is 0. */
export function relu(features: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Relu', [features], { name });
}

/** min(max(x, 0), 6) (`tf.nn.relu6`). The gradient at 0 and at 6 is 0. */
export function relu6(features: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Relu6', [features], { name });
}

/** x above 0, `alpha` x below (`tf.nn.leaky_relu`); `alpha` defaults to 0.2. */
export function leakyRelu(
  features: TensorLike,
  { alpha = 0.2, name }: NameOptions & { readonly alpha?: number } = {},
): Tensor {
  return apply('LeakyRelu', [features], { name, attrs: { alpha } });
}

/** x above 0, e^x - 1 below (`tf.nn.elu`). */
export function elu(features: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Elu', [features], { name });
}

/** Scaled exponential linear (`tf.nn.selu`). */
export function selu(features: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Selu', [features], { name });
}

/** log(e^x + 1) without overflow (`tf.nn.softplus`). */
export function softplus(features: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Softplus', [features], { name });
}

/** x / (|x| + 1) (`tf.nn.softsign`). */
export function softsign(features: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Softsign', [features], { name });
}
