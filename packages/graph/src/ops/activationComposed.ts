/** Activations and affine layers that are made of other ops, and polynomials. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { relu, softplus } from './activation.js';
import { concat } from './arrayJoin.js';
import { add, mul, sub } from './binary.js';
import { zerosLike } from './fill.js';
import { matMul } from './matrix.js';
import { biasAdd } from './nn.js';
import { erf, sigmoid, tanh } from './transcendental.js';
import { neg } from './unary.js';

function composed(name: string, input: TensorLike, build: (x: Tensor) => Tensor): Tensor {
  const x = convertToTensor(input);
  return withGraphOf(x, () => nameScope(name, () => build(x)));
}

/** x sigmoid(x) (`tf.nn.swish`; Ramachandran et al., "Searching for Activation Functions", 2017). */
export function swish(features: TensorLike, { name = 'swish' }: NameOptions = {}): Tensor {
  return composed(name, features, (x) => mul(x, sigmoid(x)));
}

/**
 * x Φ(x), Φ being the normal distribution function (`tf.nn.gelu`; Hendrycks and Gimpel, "Gaussian Error Linear
 * Units", 2016); with `approximate` by a tanh.
 */
export function gelu(
  features: TensorLike,
  { approximate = false, name = 'Gelu' }: NameOptions & { readonly approximate?: boolean } = {},
): Tensor {
  return composed(name, features, (x) => {
    if (!approximate) return mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
    const cubic = add(x, mul(mul(mul(x, x), x), 0.044715));
    return mul(mul(x, 0.5), add(tanh(mul(cubic, Math.sqrt(2 / Math.PI))), 1));
  });
}

/**
 * relu(x) and relu(-x), joined along `axis`, by default the last (`tf.nn.crelu`; Shang et al., "Understanding and
 * Improving Convolutional Neural Networks via Concatenated Rectified Linear Units", 2016).
 */
export function crelu(
  features: TensorLike,
  { axis = -1, name = 'CRelu' }: NameOptions & { readonly axis?: number } = {},
): Tensor {
  return composed(name, features, (x) => relu(concat([x, neg(x)], axis)));
}

/**
 * x above 0, alpha x below, where `alpha` is a tensor that broadcasts to x and is mostly learnt (He et al., "Delving
 * Deep into Rectifiers", 2015; Keras' `PReLU`). At 0 both gradients are 0.
 */
export function prelu(features: TensorLike, alpha: TensorLike, { name = 'PRelu' }: NameOptions = {}): Tensor {
  return composed(name, features, (x) => sub(relu(x), mul(alpha, relu(neg(x)))));
}

/** log(sigmoid(x)) without underflow (`tf.math.log_sigmoid`). */
export function logSigmoid(x: TensorLike, { name = 'LogSigmoid' }: NameOptions = {}): Tensor {
  return composed(name, x, (value) => neg(softplus(neg(value))));
}

/** x weights + biases (`tf.nn.xw_plus_b`): [batch, in], [in, out] and [out]. */
export function xwPlusB(
  x: TensorLike,
  weights: TensorLike,
  biases: TensorLike,
  { name = 'xw_plus_b' }: NameOptions = {},
): Tensor {
  return composed(name, x, (value) => biasAdd(matMul(value, weights), biases));
}

/** relu(x weights + biases) (`tf.nn.relu_layer`): [batch, in], [in, out] and [out]. */
export function reluLayer(
  x: TensorLike,
  weights: TensorLike,
  biases: TensorLike,
  { name = 'relu_layer' }: NameOptions = {},
): Tensor {
  return composed(name, x, (value) => relu(biasAdd(matMul(value, weights), biases)));
}

/**
 * The polynomial with the given coefficients, the highest first, at `x` by Horner's rule (`tf.math.polyval`). No
 * coefficients give zeros, a single one is returned as it is.
 */
export function polyval(
  coeffs: readonly TensorLike[],
  x: TensorLike,
  { name = 'polyval' }: NameOptions = {},
): Tensor {
  return composed(name, x, (value) => {
    const [highest, ...rest] = coeffs;
    if (highest === undefined) return zerosLike(value);
    return convertToTensor(rest.reduce<TensorLike>((sum, c) => add(mul(value, sum), c), highest));
  });
}
