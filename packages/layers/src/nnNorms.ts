/** Statistics and norms that `fr.nn` offers, composed of graph ops. */
import {
  add,
  cast,
  constant,
  convertToTensor,
  maximum,
  mul,
  nameScope,
  notEqual,
  reduceMean,
  reduceSum,
  rsqrt,
  square,
  squaredDifference,
  squeeze,
  stopGradient,
  sub,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/** Half the sum of squares, a scalar (`tf.nn.l2_loss`). */
export function l2Loss(t: TensorLike, { name = 'L2Loss' }: NameOptions = {}): Tensor {
  return nameScope(name, () => mul(0.5, reduceSum(square(t))));
}

/** `x` divided by its Euclidean norm over `axis`, which counts as sqrt(epsilon) at least (`tf.nn.l2_normalize`). */
export function l2Normalize(
  x: TensorLike,
  { axis, epsilon = 1e-12, name = 'l2_normalize' }: NameOptions & { axis?: number | readonly number[]; epsilon?: number } = {},
): Tensor {
  return nameScope(name, (scope) => {
    const value = convertToTensor(x);
    const squares = reduceSum(square(value), { axis, keepDims: true });
    return mul(value, rsqrt(maximum(squares, epsilon)), { name: scope });
  });
}

/** The share of elements that are zero, a float32 scalar (`tf.nn.zero_fraction`). */
export function zeroFraction(value: TensorLike, { name = 'zero_fraction' }: NameOptions = {}): Tensor {
  return nameScope(name, () => {
    const tensor = convertToTensor(value);
    const nonzero = cast(notEqual(tensor, constant(0, { dtype: tensor.dtype })), 'float32');
    return sub(1, reduceMean(nonzero), { name: 'fraction' });
  });
}

/** Mean and variance over `axes` (`tf.nn.moments`); the variance is that of the population. */
export function moments(
  x: TensorLike,
  axes: readonly number[],
  { keepDims = false, name = 'moments' }: NameOptions & { keepDims?: boolean } = {},
): [mean: Tensor, variance: Tensor] {
  return nameScope(name, () => {
    const value = convertToTensor(x);
    const mean = reduceMean(value, { axis: axes, keepDims: true, name: 'mean' });
    // The derivative of the variance with respect to the mean is zero, so nothing need flow through it.
    const distances = squaredDifference(value, stopGradient(mean));
    const variance = reduceMean(distances, { axis: axes, keepDims: true, name: 'variance' });
    if (keepDims) return [mean, variance];
    const axis = [...axes];
    return [squeeze(mean, { axis, name: 'Squeeze' }), squeeze(variance, { axis, name: 'Squeeze_1' })];
  });
}

/**
 * `(x - mean) / sqrt(variance + varianceEpsilon) * scale + offset` (`tf.nn.batch_normalization`; Ioffe and
 * Szegedy, 2015). All broadcast against `x`; `offset` and `scale` may be `null`.
 */
export function batchNormalization(
  x: TensorLike,
  mean: TensorLike,
  variance: TensorLike,
  offset: TensorLike | null,
  scale: TensorLike | null,
  varianceEpsilon: number,
  { name = 'batchnorm' }: NameOptions = {},
): Tensor {
  return nameScope(name, () => {
    const inverse = rsqrt(add(variance, varianceEpsilon));
    const factor = scale === null ? inverse : mul(inverse, scale);
    const shift = mul(mean, factor);
    return add(mul(x, factor), offset === null ? mul(shift, -1) : sub(offset, shift), { name: 'add_1' });
  });
}
