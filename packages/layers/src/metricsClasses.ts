/** Metrics over several classes: intersections over unions, accuracies per class. */
import {
  cast,
  convertToTensor,
  divNoNan,
  equal,
  expandDims,
  greater,
  identity,
  matMul,
  mul,
  oneHot,
  reduceMean,
  reduceSum,
  reshape,
  broadcastTo,
  shape as shapeOf,
  sub,
  add,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { matched, metric, metricVariable, type Metric, type MetricOptions } from './metricsShared.js';

/** Class numbers as a flat int32 vector, and the weight of each. */
function flatten(
  labels: TensorLike,
  predictions: TensorLike,
  weights: TensorLike | undefined,
): { truths: Tensor; guesses: Tensor; weight: Tensor | null } {
  const [wanted, given] = matched(labels, predictions);
  const flat = (x: Tensor): Tensor => reshape(cast(x, 'int32'), [-1]);
  const weight =
    weights === undefined
      ? null
      : reshape(broadcastTo(cast(weights, 'float32'), shapeOf(convertToTensor(given))), [-1]);
  return { truths: flat(wanted), guesses: flat(given), weight };
}

/** Over classes that occur: diagonal / (row + column - diagonal). */
function meanOverUnions(matrix: Tensor, classes: number, name: string): Tensor {
  const diagonal = reduceSum(mul(matrix, oneHot(cast(rangeOf(classes), 'int32'), classes)), { axis: 1 });
  const union = sub(add(reduceSum(matrix, { axis: 0 }), reduceSum(matrix, { axis: 1 })), diagonal);
  const valid = reduceSum(cast(greater(union, 0), 'float32'));
  return divNoNan(reduceSum(divNoNan(diagonal, union)), valid, { name });
}

function rangeOf(count: number): Tensor {
  return convertToTensor(
    Array.from({ length: count }, (_, i) => i),
    { dtype: 'int32' },
  );
}

/**
 * The mean over the classes that occur of intersection / union of labels and predictions (`tf.metrics.mean_iou`). Both
 * hold class numbers below `numClasses`; the matrix of their counts is a local variable, which the update gives.
 */
export function meanIou(
  labels: TensorLike,
  predictions: TensorLike,
  numClasses: number,
  options: MetricOptions = {},
): Metric {
  return metric('mean_iou', options, () => {
    const { truths, guesses, weight } = flatten(labels, predictions, options.weights);
    const total = metricVariable('total_confusion_matrix', [numClasses, numClasses]);
    const rows = oneHot(truths, numClasses);
    const weighted = weight === null ? rows : mul(rows, expandDims(weight, 1));
    const batch = matMul(weighted, oneHot(guesses, numClasses), { transposeA: true });
    const value = meanOverUnions(total.asTensor(), numClasses, 'mean_iou');
    return [value, identity(total.assignAdd(batch), { name: 'update_op' })];
  });
}

/**
 * The mean over all classes of the share of their labels that are predicted (`tf.metrics.mean_per_class_accuracy`); 0
 * for a class that does not occur. The update gives the shares of the classes.
 */
export function meanPerClassAccuracy(
  labels: TensorLike,
  predictions: TensorLike,
  numClasses: number,
  options: MetricOptions = {},
): Metric {
  return metric('mean_accuracy', options, () => {
    const { truths, guesses, weight } = flatten(labels, predictions, options.weights);
    const [total, count] = [metricVariable('total', [numClasses]), metricVariable('count', [numClasses])];
    const rows = oneHot(truths, numClasses);
    const weighted = weight === null ? rows : mul(rows, expandDims(weight, 1));
    const right = mul(weighted, expandDims(cast(equal(truths, guesses), 'float32'), 1));
    const newTotal = total.assignAdd(reduceSum(weighted, { axis: 0 }));
    const newCount = count.assignAdd(reduceSum(right, { axis: 0 }));
    return [
      reduceMean(divNoNan(count, total), { name: 'mean_accuracy' }),
      divNoNan(newCount, newTotal, { name: 'update_op' }),
    ];
  });
}
