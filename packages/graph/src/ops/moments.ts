/** Statistics and normalization composed of other ops. */
import { convertToTensor } from '../apply.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { gather } from './arrayIndex.js';
import { reshape } from './arrayView.js';
import { add, floorMod, maximum, mul, squaredDifference, sub } from './binary.js';
import { zerosLike } from './fill.js';
import { reduceMean, reduceProd, reduceSum } from './reduction.js';
import { axisInput, type Axis, type AxisOptions } from './reductionAxis.js';
import { rank as rankOf, shape as shapeOf } from './shape.js';
import { rsqrt } from './transcendental.js';
import { cast, reciprocal, square } from './unary.js';

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

/**
 * Mean and variance over `axes` where each element counts `frequencyWeights` times
 * (`tf.nn.weighted_moments`), in this order. The weights broadcast with `x`.
 */
export function weightedMoments(
  x: TensorLike,
  axes: Axis,
  frequencyWeights: TensorLike,
  { keepDims = false, name = 'weighted_moments' }: Pick<AxisOptions, 'keepDims' | 'name'> = {},
): [mean: Tensor, variance: Tensor] {
  const input = convertToTensor(x);
  return withGraphOf(input, () =>
    nameScope(name, () => {
      const weights = convertToTensor(frequencyWeights);
      const kept = { axis: axes, keepDims: true };
      const divisor = reciprocal(reduceSum(add(weights, zerosLike(input)), kept));
      const mean = mul(reduceSum(mul(weights, input), kept), divisor);
      const distances = mul(weights, squaredDifference(input, mean));
      if (keepDims) return [mean, mul(reduceSum(distances, kept), divisor)];
      const sums = reduceSum(distances, { axis: axes });
      const flat = (t: Tensor): Tensor => reshape(t, shapeOf(sums));
      return [flat(mean), mul(sums, flat(divisor))];
    }),
  );
}

/** What `sufficientStatistics` gives and `normalizeMoments` takes. */
export type SufficientStatistics = [
  counts: Tensor,
  meanSs: Tensor,
  varianceSs: Tensor,
  shift: TensorLike | null,
];

/**
 * The number of elements over `axes`, their sum and the sum of their squares
 * (`tf.nn.sufficient_statistics`), of distances from `shift` where one is given. Statistics of parts of the
 * data can be added up before `normalizeMoments` makes moments of them.
 */
export function sufficientStatistics(
  x: TensorLike,
  axes: Axis,
  {
    shift = null,
    keepDims = false,
    name = 'sufficient_statistics',
  }: Pick<AxisOptions, 'keepDims' | 'name'> & { readonly shift?: TensorLike | null | undefined } = {},
): SufficientStatistics {
  const input = convertToTensor(x);
  return withGraphOf(input, () =>
    nameScope(name, () => {
      const options = { axis: axes, keepDims };
      const positions = floorMod(axisInput(input, axes).axis, rankOf(input)); // negative ones count from the end
      const sizes = gather(shapeOf(input), positions);
      const counts = reduceProd(cast(sizes, input.dtype), { name: 'count' });
      const [elements, squares] =
        shift === null ? [input, square(input)] : [sub(input, shift), squaredDifference(input, shift)];
      const meanSs = reduceSum(elements, { ...options, name: 'mean_ss' });
      return [counts, meanSs, reduceSum(squares, { ...options, name: 'var_ss' }), shift];
    }),
  );
}

/** Mean and variance from sufficient statistics (`tf.nn.normalize_moments`); `shift` may be `null`. */
export function normalizeMoments(
  counts: TensorLike,
  meanSs: TensorLike,
  varianceSs: TensorLike,
  shift: TensorLike | null,
  { name = 'normalize' }: Pick<AxisOptions, 'name'> = {},
): [mean: Tensor, variance: Tensor] {
  const sums = convertToTensor(meanSs);
  return withGraphOf(sums, () =>
    nameScope(name, () => {
      const divisor = reciprocal(counts, { name: 'divisor' });
      const distance = mul(sums, divisor, { name: 'shifted_mean' });
      const mean = shift === null ? distance : add(distance, shift, { name: 'mean' });
      return [mean, sub(mul(varianceSs, divisor), square(distance), { name: 'variance' })];
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
