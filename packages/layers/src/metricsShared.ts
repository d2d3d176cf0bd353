/** What all metrics share: their options, their local variables, and streaming means. */
import {
  GraphKeys,
  InvalidArgumentError,
  cast,
  controlDependencies,
  convertToTensor,
  divNoNan,
  getDefaultGraph,
  mul,
  onesLike,
  reduceSum,
  size,
  type Tensor,
  type TensorLike,
  Variable,
  zeros,
} from '@forerun/graph';
import { squeezeLast } from './squeezeLast.js';
import { variableScope } from './variableScope.js';

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

/** Builds a metric in its variable scope, and adds both tensors to the collections. */
export function metric(
  defaultName: string,
  { name, metricsCollections = [], updatesCollections = [] }: MetricOptions,
  build: () => Metric,
): Metric {
  return variableScope(name ?? null, { defaultName }, () => {
    const [value, updateOp] = build();
    const graph = getDefaultGraph();
    graph.addToCollections(metricsCollections, value);
    graph.addToCollections(updatesCollections, updateOp);
    return [value, updateOp];
  });
}

/** A local variable that starts at 0; its name begins with the name scopes around it, as in TensorFlow. */
export function metricVariable(name: string, shape: readonly number[] = []): Variable {
  return new Variable(() => zeros([...shape]), {
    name,
    trainable: false,
    collections: [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
  });
}

/** The weighted mean of all values seen, in variables `total` and `count`; `after` is computed from it. */
export function streamingMean(
  values: Tensor,
  weights: TensorLike | undefined,
  after: (total: Tensor, count: Tensor, name: string) => Tensor = (total, count, name) =>
    divNoNan(total, count, { name }),
): Metric {
  const numbers = cast(values, 'float32');
  const [total, count] = [metricVariable('total'), metricVariable('count')];
  const weight = weights === undefined ? null : cast(weights, 'float32');
  const batchTotal = reduceSum(weight === null ? numbers : mul(numbers, weight));
  const batchCount =
    weight === null ? cast(size(numbers), 'float32') : reduceSum(mul(onesLike(numbers), weight));
  const value = after(total.asTensor(), count.asTensor(), 'value');
  const newTotal = total.assignAdd(batchTotal);
  // As in TensorFlow a batch counts only when its values could be computed.
  const newCount = controlDependencies([numbers], () => count.assignAdd(batchCount));
  return [value, after(newTotal, newCount, 'update_op')];
}

/** Labels and predictions of one shape, a trailing 1 of either left out; as `dtype` where that is given. */
export function matched(
  labels: TensorLike,
  predictions: TensorLike,
  dtype?: 'float32' | 'bool',
): [labels: Tensor, predictions: Tensor] {
  const [wanted, given] = [convertToTensor(labels), convertToTensor(predictions)];
  const guesses = squeezeLast(given, wanted.shape.rank ?? NaN);
  const truths = squeezeLast(wanted, given.shape.rank ?? NaN);
  if (!truths.shape.isCompatibleWith(guesses.shape)) {
    throw new InvalidArgumentError(
      `labels have shape ${truths.shape.toString()}, predictions ${guesses.shape.toString()}: they must be equal`,
    );
  }
  return dtype === undefined ? [truths, guesses] : [cast(truths, dtype), cast(guesses, dtype)];
}
