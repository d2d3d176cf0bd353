/** Reductions that are made of other ops. */
import { checkOptions } from '../checkOptions.js';
import { constant, convertToTensor } from '../apply.js';
import type { DType } from '../dtype.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { reshape } from './arrayView.js';
import { add, sub } from './binary.js';
import { notEqual } from './comparison.js';
import { zerosLike } from './fill.js';
import { reduceMax, reduceMean, reduceSum } from './reduction.js';
import { where } from './selection.js';
import { shape as shapeOf } from './shape.js';
import { stopGradient } from './source.js';
import { exp, log, sqrt } from './transcendental.js';
import { cast, isFinite as isFiniteElement, square } from './unary.js';
import type { AxisOptions } from './reductionAxis.js';

/** Runs `build` in a name scope of the graph of `input`. */
function composed(name: string, input: TensorLike, build: (x: Tensor) => Tensor): Tensor {
  const x = convertToTensor(input);
  return withGraphOf(x, () => nameScope(name, () => build(x)));
}

/**
 * log(sum(exp(x))) over `axis` (`tf.reduce_logsumexp`), shifted by the largest element so that nothing
 * overflows. Axes as in `reduceSum`.
 */
export function reduceLogSumExp(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  const {
    axis,
    keepDims = false,
    name = 'ReduceLogSumExp',
  } = checkOptions('reduceLogSumExp', options, '{ axis: 1 }');
  return composed(name, inputTensor, (x) => {
    const largest = reduceMax(x, { axis, keepDims: true });
    const shift = stopGradient(where(isFiniteElement(largest), largest, zerosLike(largest)));
    const sums = reduceSum(exp(sub(x, shift)), { axis, keepDims });
    const logs = log(sums);
    return add(logs, keepDims ? shift : reshape(shift, shapeOf(logs)));
  });
}

/** Variance over `axis` (`tf.math.reduce_variance`): the mean of squared distances from the mean. */
export function reduceVariance(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  const {
    axis,
    keepDims = false,
    name = 'reduce_variance',
  } = checkOptions('reduceVariance', options, '{ axis: 1 }');
  return composed(name, inputTensor, (x) => {
    const distances = sub(x, reduceMean(x, { axis, keepDims: true }));
    return reduceMean(square(distances), { axis, keepDims });
  });
}

/** Standard deviation over `axis` (`tf.math.reduce_std`): the square root of the variance. */
export function reduceStd(inputTensor: TensorLike, options: AxisOptions = {}): Tensor {
  const { axis, keepDims = false, name = 'reduce_std' } = checkOptions('reduceStd', options, '{ axis: 1 }');
  return composed(name, inputTensor, (x) => sqrt(reduceVariance(x, { axis, keepDims })));
}

/**
 * Number of elements that are not zero over `axis` (`tf.math.count_nonzero`), as `dtype`, by default int64.
 * Zero is `false` for bool and the empty string for strings. Axes as in `reduceSum`.
 */
export function countNonzero(
  input: TensorLike,
  options: AxisOptions & { readonly dtype?: DType | undefined } = {},
): Tensor {
  const {
    axis,
    keepDims = false,
    dtype = 'int64',
    name = 'count_nonzero',
  } = checkOptions('countNonzero', options, '{ axis: 1 }');
  return composed(name, input, (x) => {
    const zero = x.dtype === 'string' ? '' : x.dtype === 'bool' ? false : 0;
    const counted = notEqual(x, constant(zero, { dtype: x.dtype }));
    return reduceSum(cast(counted, dtype), { axis, keepDims, name: 'nonzero_count' });
  });
}
