/** Metrics of true and false, positive and negative answers. */
import {
  add,
  cast,
  divNoNan,
  identity,
  logicalAnd,
  logicalNot,
  mul,
  reduceSum,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { matched, metric, metricVariable, type Metric, type MetricOptions } from './metricsShared.js';

type Condition = (labels: Tensor, predictions: Tensor) => Tensor;

const truePositive: Condition = (y, p) => logicalAnd(y, p);
const falsePositive: Condition = (y, p) => logicalAnd(logicalNot(y), p);
const trueNegative: Condition = (y, p) => logicalAnd(logicalNot(y), logicalNot(p));
const falseNegative: Condition = (y, p) => logicalAnd(y, logicalNot(p));

/** Counts in variable `count` how often the condition holds, by weight. */
function counting(
  defaultName: string,
  condition: Condition,
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions,
): Metric {
  return metric(defaultName, options, () => {
    const [truths, guesses] = matched(labels, predictions, 'bool');
    const count = metricVariable('count');
    const holds = cast(condition(truths, guesses), 'float32');
    const weighted = options.weights === undefined ? holds : mul(holds, cast(options.weights, 'float32'));
    return [identity(count.asTensor()), identity(count.assignAdd(reduceSum(weighted)))];
  });
}

/** How many answers are rightly positive (`tf.metrics.true_positives`). Labels and predictions are taken as bool. */
export function truePositives(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return counting('true_positives', truePositive, labels, predictions, options);
}

/** How many answers are wrongly positive (`tf.metrics.false_positives`). */
export function falsePositives(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return counting('false_positives', falsePositive, labels, predictions, options);
}

/** How many answers are rightly negative (`tf.metrics.true_negatives`). */
export function trueNegatives(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return counting('true_negatives', trueNegative, labels, predictions, options);
}

/** How many answers are wrongly negative (`tf.metrics.false_negatives`). */
export function falseNegatives(
  labels: TensorLike,
  predictions: TensorLike,
  options: MetricOptions = {},
): Metric {
  return counting('false_negatives', falseNegative, labels, predictions, options);
}

/** right / (right + wrong), 0 while there are none. */
function share([right, newRight]: Metric, [wrong, newWrong]: Metric): Metric {
  return [
    divNoNan(right, add(right, wrong), { name: 'value' }),
    divNoNan(newRight, add(newRight, newWrong), { name: 'update_op' }),
  ];
}

/** The share of positive answers that are right (`tf.metrics.precision`). Labels and predictions are taken as bool. */
export function precision(labels: TensorLike, predictions: TensorLike, options: MetricOptions = {}): Metric {
  const { weights } = options;
  return metric('precision', options, () =>
    share(
      counting('true_positives', truePositive, labels, predictions, { weights }),
      counting('false_positives', falsePositive, labels, predictions, { weights }),
    ),
  );
}

/** The share of positive labels that are found (`tf.metrics.recall`). Labels and predictions are taken as bool. */
export function recall(labels: TensorLike, predictions: TensorLike, options: MetricOptions = {}): Metric {
  const { weights } = options;
  return metric('recall', options, () =>
    share(
      counting('true_positives', truePositive, labels, predictions, { weights }),
      counting('false_negatives', falseNegative, labels, predictions, { weights }),
    ),
  );
}
