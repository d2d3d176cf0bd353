/** Reductions that are made of other ops. */
import { convertToTensor } from '../apply.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { Ops } from './index.js';
import * as builders from './index.js';
import type { AxisOptions } from './reductionAxis.js';

/** Runs `build` in a name scope of the graph of `input`. */
function composed(name: string, input: TensorLike, build: (x: Tensor, ops: Ops) => Tensor): Tensor {
  const x = convertToTensor(input);
  return withGraphOf(x, () => nameScope(name, () => build(x, builders)));
}

/**
 * log(sum(exp(x))) over `axis` (`tf.reduce_logsumexp`), shifted by the largest element so that nothing
 * overflows. Axes as in `reduceSum`.
 */
export function reduceLogSumExp(
  inputTensor: TensorLike,
  { axis, keepDims = false, name = 'ReduceLogSumExp' }: AxisOptions = {},
): Tensor {
  return composed(name, inputTensor, (x, ops) => {
    const largest = ops.reduceMax(x, { axis, keepDims: true });
    const shift = ops.stopGradient(ops.where(ops.isFinite(largest), largest, ops.zerosLike(largest)));
    const sums = ops.reduceSum(ops.exp(ops.sub(x, shift)), { axis, keepDims });
    const logs = ops.log(sums);
    return ops.add(logs, keepDims ? shift : ops.reshape(shift, ops.shape(logs)));
  });
}

/** Variance over `axis` (`tf.math.reduce_variance`): the mean of squared distances from the mean. */
export function reduceVariance(
  inputTensor: TensorLike,
  { axis, keepDims = false, name = 'reduce_variance' }: AxisOptions = {},
): Tensor {
  return composed(name, inputTensor, (x, ops) => {
    const distances = ops.sub(x, ops.reduceMean(x, { axis, keepDims: true }));
    return ops.reduceMean(ops.square(distances), { axis, keepDims });
  });
}

/** Standard deviation over `axis` (`tf.math.reduce_std`): the square root of the variance. */
export function reduceStd(
  inputTensor: TensorLike,
  { axis, keepDims = false, name = 'reduce_std' }: AxisOptions = {},
): Tensor {
  return composed(name, inputTensor, (x, ops) => ops.sqrt(ops.reduceVariance(x, { axis, keepDims })));
}
