/** `fr.metrics`: values over many batches, kept in local variables between runs. */
import {
  abs,
  cast,
  convertToTensor,
  divNoNan,
  equal,
  less,
  mul,
  onesLike,
  realDiv,
  reduceSum,
  sqrt,
  squaredDifference,
  sub,
  where,
  zerosLike,
  type TensorLike,
} from '@forerun/graph';
import { InvalidArgumentError } from '@forerun/graph';
import {
  matched,
  metric,
  metricVariable,
  streamingMean,
  type Metric,
  type MetricOptions,
} from './metricsShared.js';

export type { Metric, MetricOptions } from './metricsShared.js';
export * from './metricsAtK.js';
export * from './metricsClasses.js';
export * from './metricsConfusion.js';
export * from './metricsThresholds.js';

/**
 * The mean of all values seen (`tf.metrics.mean`): local variables `total` and `count`. Running `updateOp` adds a
 * batch, `value` reads; `localVariablesInitializer` (or `metricVariables`) resets. 0 before the first batch.
 */
export function mean(values: TensorLike, options: MetricOptions = {}): Metric {
  return metric('mean', options, () => streamingMean(convertToTensor(values), options.weights));
}

/** The mean of all batches, element by element (`tf.metrics.mean_tensor`). The shape must be known. */
export function meanTensor(values: TensorLike, options: MetricOptions = {}): Metric {
  return metric('mean', options, () => {
    const numbers = cast(values, 'float32');
    if (!numbers.shape.isFullyDefined) {
      throw new InvalidArgumentError(
        `meanTensor: values have shape ${numbers.shape.toString()}: it must be known`,
      );
    }
    const shape = numbers.shape.toStatic();
    const [total, count] = [metricVariable('total_tensor', shape), metricVariable('count_tensor', shape)];
    const weight = cast(options.weights ?? 1, 'float32');
    const value = divNoNan(total, count, { name: 'value' });
    const newTotal = total.assignAdd(mul(numbers, weight));
    const newCount = count.assignAdd(mul(onesLike(numbers), weight));
    return [value, divNoNan(newTotal, newCount, { name: 'update_op' })];
  });
}

/** The share of predictions that equal their labels (`tf.metrics.accuracy`); otherwise as `mean`. */
export function accuracy(labels: TensorLike, predictions: TensorLike, options: MetricOptions = {}): Metric {
  return metric('accuracy', options, () => {
    const [truths, guesses] = matched(labels, predictions);
    const correct = equal(guesses, guesses.dtype === truths.dtype ? truths : cast(truths, guesses.dtype));
    return streamingMean(cast(correct, 'float32'), options.weights);
  });
}

/** The mean of (labels - predictions)^2 (`tf.metrics.mean_squared_error`); otherwise as `mean`. */
export function meanSquaredError(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return metric('mean_squared_error', options, () => {
    const [wanted, given] = matched(labels, predictions, 'float32');
    return streamingMean(squaredDifference(given, wanted), options.weights);
  });
}

/** The root of `meanSquaredError` (`tf.metrics.root_mean_squared_error`). */
export function rootMeanSquaredError(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return metric('root_mean_squared_error', options, () => {
    const [wanted, given] = matched(labels, predictions, 'float32');
    return streamingMean(squaredDifference(given, wanted), options.weights, (total, count, name) =>
      sqrt(divNoNan(total, count), { name }),
    );
  });
}

/** The mean of |labels - predictions| (`tf.metrics.mean_absolute_error`). */
export function meanAbsoluteError(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return metric('mean_absolute_error', options, () => {
    const [wanted, given] = matched(labels, predictions, 'float32');
    return streamingMean(abs(sub(given, wanted)), options.weights);
  });
}

/** The mean of |labels - predictions| / normalizer, 0 where the normalizer is 0 (`tf.metrics.mean_relative_error`). */
export function meanRelativeError(
  labels: TensorLike,
  predictions: TensorLike,
  normalizer: TensorLike,
  options: MetricOptions = {},
): Metric {
  return metric('mean_relative_error', options, () => {
    const [wanted, given] = matched(labels, predictions, 'float32');
    const divisor = cast(normalizer, 'float32');
    const errors = where(equal(divisor, 0), zerosLike(wanted), realDiv(abs(sub(wanted, given)), divisor));
    return streamingMean(errors, options.weights);
  });
}

/** 1 - the mean of sum(labels * predictions) over `dim` (`tf.metrics.mean_cosine_distance`), for vectors of length 1. */
export function meanCosineDistance(
  labels: TensorLike,
  predictions: TensorLike,
  dim: number,
  options: MetricOptions = {},
): Metric {
  return metric('mean_cosine_distance', options, () => {
    const [wanted, given] = matched(labels, predictions, 'float32');
    const products = reduceSum(mul(wanted, given), { axis: dim, keepDims: true });
    return streamingMean(products, options.weights, (total, count, name) =>
      sub(1, divNoNan(total, count), { name }),
    );
  });
}

/** The share of values below `threshold` (`tf.metrics.percentage_below`). */
export function percentageBelow(
  values: TensorLike,
  threshold: TensorLike,
  options: MetricOptions = {},
): Metric {
  return metric('percentage_below_threshold', options, () =>
    streamingMean(cast(less(values, threshold), 'float32'), options.weights),
  );
}
