/** Statistics and normalization composed of other ops. */
import { convertToTensor } from '../apply.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { reshape } from './arrayView.js';
import { maximum, mul, squaredDifference } from './binary.js';
import { reduceMean, reduceSum } from './reduction.js';
import { shape as shapeOf } from './shape.js';
import { rsqrt } from './transcendental.js';
import { square } from './unary.js';
import type { Axis, AxisOptions } from './reductionAxis.js';

/**
 * Mean and variance over `axes` (`tf.nn.moments`), in this order. The variance is the mean of squared
 * distances from the mean.
 */
export function moments(
  x: TensorLike,
  axes: Axis,
  { keepDims = false, name = 'moments' }: Pick<AxisOptions, 'keepDims' | 'name'> = {},
): [mean: Tensor, variance: Tensor] {
  const input = convertToTensor(x);
  return withGraphOf(input, () =>
    nameScope(name, () => {
      const mean = reduceMean(input, { axis: axes, keepDims: true, name: 'mean' });
      const distances = squaredDifference(input, mean);
      const variance = reduceMean(distances, { axis: axes, keepDims, name: 'variance' });
      return [keepDims ? mean : reshape(mean, shapeOf(variance)), variance];
    }),
  );
}

/** x / sqrt(max(sum(x * x), epsilon)) over `axis` (`tf.nn.l2_normalize`); `epsilon` is 1e-12 by default. */
export function l2Normalize(
  x: TensorLike,
  {
    axis,
    epsilon = 1e-12,
    name = 'l2_normalize',
  }: Omit<AxisOptions, 'keepDims'> & { epsilon?: number | undefined } = {},
): Tensor {
  const input = convertToTensor(x);
  return withGraphOf(input, () =>
    nameScope(name, (scope) => {
      const squares = reduceSum(square(input), { axis, keepDims: true });
      const scale = rsqrt(maximum(squares, epsilon));
      return mul(input, scale, { name: scope });
    }),
  );
}
