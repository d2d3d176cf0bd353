/** Statistics and norms that `fr.nn` offers besides those of the graph package. */
import {
  add,
  constant,
  cast,
  convertToTensor,
  mul,
  nameScope,
  notEqual,
  reduceMean,
  rsqrt,
  sub,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/** The share of elements that are zero, a float32 scalar (`tf.nn.zero_fraction`). */
export function zeroFraction(value: TensorLike, { name = 'zero_fraction' }: NameOptions = {}): Tensor {
  return nameScope(name, () => {
    const tensor = convertToTensor(value);
    const nonzero = cast(notEqual(tensor, constant(0, { dtype: tensor.dtype })), 'float32');
    return sub(1, reduceMean(nonzero), { name: 'fraction' });
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

/**
 * `batchNormalization` with its arguments in the order of an older op
 * (`tf.nn.batch_norm_with_global_normalization`); `gamma` counts only where `scaleAfterNormalization` is set.
 */
export function batchNormWithGlobalNormalization(
  t: TensorLike,
  m: TensorLike,
  v: TensorLike,
  beta: TensorLike,
  gamma: TensorLike,
  varianceEpsilon: number,
  scaleAfterNormalization: boolean,
  options: NameOptions = {},
): Tensor {
  return batchNormalization(t, m, v, beta, scaleAfterNormalization ? gamma : null, varianceEpsilon, options);
}
