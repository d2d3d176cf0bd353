/** `fr.metrics`: means over many batches, kept in local variables between runs. */
import {
  GraphKeys,
  cast,
  controlDependencies,
  convertToTensor,
  divNoNan,
  equal,
  getDefaultGraph,
  mul,
  onesLike,
  reduceSum,
  size,
  squaredDifference,
  type Tensor,
  type TensorLike,
  type Variable,
} from '@forerun/graph';
import { zerosInitializer } from './initializers.js';
import { squeezeLast } from './squeezeLast.js';
import { getVariable, variableScope } from './variableScope.js';

export interface MetricOptions {
  /** Weight of each value; broadcasts to the values. Default 1. */
  readonly weights?: TensorLike | undefined;
  /** Collections that the metric's value joins. */
  readonly metricsCollections?: readonly string[] | undefined;
  /** Collections that the update joins. */
  readonly updatesCollections?: readonly string[] | undefined;
  /** Variable scope of the metric. */
  readonly name?: string | undefined;
}

/** The metric so far, and a tensor that adds the batch and gives the metric after it. */
export type Metric = [value: Tensor, updateOp: Tensor];

/**
 * The mean of all values seen (`tf.metrics.mean`): local variables `total` and `count`. Running `updateOp` adds a
 * batch, `value` reads; `localVariablesInitializer` (or `metricVariables`) resets. 0 before the first batch.
 */
export function mean(values: TensorLike, { name, ...options }: MetricOptions = {}): Metric {
  return variableScope(name ?? null, { defaultName: 'mean' }, () =>
    streamingMean(convertToTensor(values), options),
  );
}

/** The share of predictions that equal their labels (`tf.metrics.accuracy`); otherwise as `mean`. */
export function accuracy(
  labels: TensorLike,
  predictions: TensorLike,
  { name, ...options }: MetricOptions = {},
): Metric {
  return variableScope(name ?? null, { defaultName: 'accuracy' }, () => {
    const wanted = convertToTensor(labels);
    const given = convertToTensor(predictions);
    const guesses = squeezeLast(given, wanted.shape.rank ?? NaN);
    const truths = squeezeLast(wanted, given.shape.rank ?? NaN);
    const correct = equal(guesses, guesses.dtype === truths.dtype ? truths : cast(truths, guesses.dtype));
    return streamingMean(cast(correct, 'float32'), options);
  });
}

/** The mean of (labels - predictions)^2 (`tf.metrics.mean_squared_error`); otherwise as `mean`. */
export function meanSquaredError(
  labels: TensorLike,
  predictions: TensorLike,
  { name, ...options }: MetricOptions = {},
): Metric {
  return variableScope(name ?? null, { defaultName: 'mean_squared_error' }, () => {
    const [wanted, given] = [cast(labels, 'float32'), cast(predictions, 'float32')];
    return streamingMean(squaredDifference(given, wanted), options);
  });
}

function streamingMean(
  values: Tensor,
  { weights, metricsCollections = [], updatesCollections = [] }: Omit<MetricOptions, 'name'>,
): Metric {
  const numbers = cast(values, 'float32');
  const [total, count] = [metricVariable('total'), metricVariable('count')];
  const weight = weights === undefined ? null : cast(weights, 'float32');
  const batchTotal = reduceSum(weight === null ? numbers : mul(numbers, weight));
  const batchCount =
    weight === null ? cast(size(numbers), 'float32') : reduceSum(mul(onesLike(numbers), weight));
  const value = divNoNan(total, count, { name: 'value' });
  const newTotal = total.assignAdd(batchTotal);
  // As in TensorFlow a batch counts only when its values could be computed.
  const newCount = controlDependencies([numbers], () => count.assignAdd(batchCount));
  const updateOp = divNoNan(newTotal, newCount, { name: 'update_op' });
  const graph = getDefaultGraph();
  graph.addToCollections(metricsCollections, value);
  graph.addToCollections(updatesCollections, updateOp);
  return [value, updateOp];
}

function metricVariable(name: string): Variable {
  return getVariable(name, {
    shape: [],
    initializer: zerosInitializer(),
    trainable: false,
    collections: [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
  });
}
