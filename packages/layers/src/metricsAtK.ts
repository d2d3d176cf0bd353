/** Metrics of rankings: whether the labels of an example are among its k likeliest classes, and how far up. */
import {
  InvalidArgumentError,
  SparseTensor,
  add,
  cast,
  convertToTensor,
  cumsum,
  div,
  divNoNan,
  equal,
  expandDims,
  fill,
  less,
  logicalAnd,
  logicalNot,
  minimum,
  mul,
  onesLike,
  range,
  reduceAny,
  reduceSum,
  shape,
  size,
  slice,
  sparseToDense,
  stridedSlice,
  sub,
  topK,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { metric, metricVariable, type Metric, type MetricOptions } from './metricsShared.js';

export interface AtKOptions extends MetricOptions {
  /** Count this class only. Default all. */
  readonly classId?: number | undefined;
}

export interface AtTopKOptions extends AtKOptions {
  /** The number of predictions per example; only names depend on it. */
  readonly k?: number | undefined;
}

/** Rows of class numbers, each with a mark whether it counts. */
interface Classes {
  readonly ids: Tensor;
  /** bool, of the shape of `ids`. */
  readonly counted: Tensor;
}

const everything = (ids: Tensor): Tensor => equal(ids, ids);

/** Labels `[..., labels]`; where they have one dimension less than the predictions there is one per example. */
function labelRows(labels: TensorLike | SparseTensor, predictions: Tensor): Classes {
  const rows = labels instanceof SparseTensor ? fromSparse(labels) : fromDense(labels);
  const [own, wanted] = [rows.ids.shape.rank, predictions.shape.rank];
  if (own === null || wanted === null) {
    throw new InvalidArgumentError('metrics at k: the ranks of labels and predictions must be known');
  }
  if (own === wanted) return rows;
  if (own !== wanted - 1) {
    throw new InvalidArgumentError(
      `metrics at k: labels of rank ${own} do not go with predictions of rank ${wanted}: the rank must be the same or one less`,
    );
  }
  return { ids: expandDims(rows.ids, -1), counted: expandDims(rows.counted, -1) };
}

function fromDense(labels: TensorLike): Classes {
  const ids = cast(convertToTensor(labels), 'int32');
  return { ids, counted: everything(ids) };
}

function fromSparse({ indices, values, denseShape }: SparseTensor): Classes {
  const ids = sparseToDense(indices, denseShape, cast(values, 'int32'));
  const ones = onesLike(cast(values, 'int32'));
  return { ids, counted: equal(sparseToDense(indices, denseShape, ones), 1) };
}

/** `counted` without those that occur earlier in their row: labels and predictions are sets. */
function distinct({ ids, counted }: Classes): Tensor {
  const places = range(stridedSlice(shape(ids), [-1], [0], { endMask: 1, shrinkAxisMask: 1 }));
  const earlier = less(expandDims(places, 0), expandDims(places, 1));
  const same = equal(expandDims(ids, -1), expandDims(ids, -2));
  const seen = logicalAnd(logicalAnd(same, earlier), expandDims(counted, -2));
  return logicalAnd(counted, logicalNot(reduceAny(seen, { axis: -1 })));
}

/** Which of `these` occur among `those`, per row. */
function among(these: Classes, those: Classes): Tensor {
  const same = equal(expandDims(these.ids, -1), expandDims(those.ids, -2));
  return reduceAny(logicalAnd(same, expandDims(those.counted, -2)), { axis: -1 });
}

function ofClass({ ids, counted }: Classes, classId: number | undefined): Classes {
  return classId === undefined
    ? { ids, counted }
    : { ids, counted: logicalAnd(counted, equal(ids, classId)) };
}

const countTrue = (marks: Tensor): Tensor => reduceSum(cast(marks, 'float32'), { axis: -1 });

/** How many of `these` are, or are not, among `those`, per row. */
function overlap(these: Classes, those: Classes, wanted: boolean): Tensor {
  const found = among(these, those);
  return countTrue(logicalAnd(distinct(these), wanted ? found : logicalNot(found)));
}

function atKName(name: string, k: number | undefined, classId: number | undefined): string {
  return `${name}_at_${k ?? 'k'}${classId === undefined ? '' : `_class${classId}`}`;
}

/** The weighted sum of counts over all batches, in a local variable. */
function summed(name: string, counts: Tensor, weights: TensorLike | undefined): Metric {
  const total = metricVariable(name);
  const weighted = weights === undefined ? counts : mul(counts, cast(weights, 'float32'));
  return [total.asTensor(), total.assignAdd(reduceSum(weighted))];
}

/** right / (right + wrong), NaN while there are none. */
function ratio([right, newRight]: Metric, [wrong, newWrong]: Metric): Metric {
  return [
    div(right, add(right, wrong), { name: 'value' }),
    div(newRight, add(newRight, newWrong), { name: 'update_op' }),
  ];
}

function ranked(predictionsIdx: TensorLike): Classes {
  const ids = cast(convertToTensor(predictionsIdx), 'int32');
  if (ids.shape.rank === 0) throw new InvalidArgumentError('metrics at k: predictions must not be a scalar');
  return { ids, counted: everything(ids) };
}

/** The classes of the k largest predictions, the largest first. */
const best = (predictions: TensorLike, k: number): Tensor => topK(predictions, { k })[1];

/**
 * The share of the k likeliest classes that are labels of their example (`tf.metrics.precision_at_k`). `labels` are
 * integers `[..., labels]`, a `SparseTensor` of them, or `[...]` with one label per example; `predictions` are
 * floats `[..., classes]`; `weights` go with `[...]`. With `classId` only the occasions are counted on which that
 * class was predicted. NaN while there were none. Sums are kept in float32.
 */
export function precisionAtK(
  labels: TensorLike | SparseTensor,
  predictions: TensorLike,
  k: number,
  options: AtKOptions = {},
): Metric {
  return precisionAtTopK(labels, best(predictions, k), { ...options, k });
}

/** As `precisionAtK`, of the classes `predictionsIdx` `[..., k]` themselves (`tf.metrics.precision_at_top_k`). */
export function precisionAtTopK(
  labels: TensorLike | SparseTensor,
  predictionsIdx: TensorLike,
  options: AtTopKOptions = {},
): Metric {
  const { k, classId, weights } = options;
  return metric(atKName('precision', k, classId), options, () => {
    const predicted = ranked(predictionsIdx);
    const truths = ofClass(labelRows(labels, predicted.ids), classId);
    const guesses = ofClass(predicted, classId);
    return ratio(
      summed(atKName('true_positive', k, classId), overlap(guesses, truths, true), weights),
      summed(atKName('false_positive', k, classId), overlap(guesses, truths, false), weights),
    );
  });
}

/**
 * The share of the labels that are among the k likeliest classes of their example (`tf.metrics.recall_at_k`);
 * arguments as in `precisionAtK`. With `classId` only the occasions are counted on which that class is a label.
 */
export function recallAtK(
  labels: TensorLike | SparseTensor,
  predictions: TensorLike,
  k: number,
  options: AtKOptions = {},
): Metric {
  return recallAtTopK(labels, best(predictions, k), { ...options, k });
}

/** As `recallAtK`, of the classes `predictionsIdx` `[..., k]` themselves (`tf.metrics.recall_at_top_k`). */
export function recallAtTopK(
  labels: TensorLike | SparseTensor,
  predictionsIdx: TensorLike,
  options: AtTopKOptions = {},
): Metric {
  const { k, classId, weights } = options;
  return metric(atKName('recall', k, classId), options, () => {
    const predicted = ranked(predictionsIdx);
    const truths = ofClass(labelRows(labels, predicted.ids), classId);
    const guesses = ofClass(predicted, classId);
    return ratio(
      summed(atKName('true_positive', k, classId), overlap(truths, guesses, true), weights),
      summed(atKName('false_negative', k, classId), overlap(truths, guesses, false), weights),
    );
  });
}

/** How many labels an example could have among k: of dense labels as many as there are columns. */
function relevant(labels: TensorLike | SparseTensor, rows: Classes, k: Tensor): Tensor {
  if (labels instanceof SparseTensor) return minimum(countTrue(distinct(rows)), cast(k, 'float32'));
  const sizes = shape(rows.ids);
  const last = sub(size(sizes), 1);
  const columns = stridedSlice(sizes, [-1], [0], { endMask: 1, shrinkAxisMask: 1 });
  return fill(slice(sizes, [0], [last]), cast(minimum(columns, k), 'float32'));
}

/** Per example: the mean, over its labels, of the precision at the place where each was predicted. */
function averagePrecision(labels: TensorLike | SparseTensor, predicted: Classes): Tensor {
  const rows = labelRows(labels, predicted.ids);
  const right = cast(among(predicted, rows), 'float32');
  const found = cumsum(right, { axis: -1 });
  const precisions = div(found, cumsum(onesLike(right), { axis: -1 }));
  const k = stridedSlice(shape(predicted.ids), [-1], [0], { endMask: 1, shrinkAxisMask: 1 });
  return div(reduceSum(mul(precisions, right), { axis: -1 }), relevant(labels, rows, k));
}

/**
 * The mean average precision of the k likeliest classes (`tf.metrics.average_precision_at_k`): per example the
 * precisions at the places where its labels were predicted, summed and divided by the number of labels or by k,
 * whichever is less. Arguments as in `precisionAtK`. 0 before the first batch.
 */
export function averagePrecisionAtK(
  labels: TensorLike | SparseTensor,
  predictions: TensorLike,
  k: number,
  options: MetricOptions = {},
): Metric {
  const { weights } = options;
  return metric(atKName('average_precision', k, undefined), options, () => {
    const own = averagePrecision(labels, ranked(best(predictions, k)));
    const weight = weights === undefined ? onesLike(own) : mul(onesLike(own), cast(weights, 'float32'));
    const [most, total] = [metricVariable('max'), metricVariable('total')];
    const [newMost, newTotal] = [
      most.assignAdd(reduceSum(weight)),
      total.assignAdd(reduceSum(mul(own, weight))),
    ];
    return [divNoNan(total, most, { name: 'value' }), divNoNan(newTotal, newMost, { name: 'update_op' })];
  });
}

/** The older name of `precisionAtK` (`tf.metrics.sparse_precision_at_k`). */
export const sparsePrecisionAtK = precisionAtK;

/** The older name of `averagePrecisionAtK` (`tf.metrics.sparse_average_precision_at_k`). */
export const sparseAveragePrecisionAtK = averagePrecisionAtK;
