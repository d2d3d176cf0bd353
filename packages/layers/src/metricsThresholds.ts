/** Metrics of scores that are compared with many thresholds at once, and areas under their curves. */
import {
  InvalidArgumentError,
  abs,
  add,
  argMax,
  argMin,
  broadcastTo,
  cast,
  constant,
  convertToTensor,
  cumsum,
  div,
  equal,
  gather,
  greater,
  identity,
  logicalAnd,
  logicalNot,
  maximum,
  minimum,
  mul,
  reduceMin,
  reduceSum,
  reshape,
  shape as shapeOf,
  slice,
  sub,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { matched, metric, metricVariable, type Metric, type MetricOptions } from './metricsShared.js';

/** TensorFlow's guard against division by 0. */
const EPSILON = 1e-7;

/** Counts per threshold: so far, or after the batch. */
interface Counts {
  readonly tp: Tensor;
  readonly fp: Tensor;
  readonly tn: Tensor;
  readonly fn: Tensor;
}

/** Adds the batch to the four counts of each threshold. A score is positive above the threshold. */
function confusion(
  labels: TensorLike,
  predictions: TensorLike,
  thresholds: readonly number[],
  weights: TensorLike | undefined,
): { now: Counts; after: Counts } {
  const [truths, scores] = matched(labels, predictions);
  const positive = reshape(cast(truths, 'bool'), [1, -1]);
  const limits = constant(thresholds, { shape: [thresholds.length, 1] });
  const given = greater(reshape(cast(scores, 'float32'), [1, -1]), limits);
  const weight =
    weights === undefined
      ? null
      : reshape(broadcastTo(cast(weights, 'float32'), shapeOf(convertToTensor(scores))), [1, -1]);
  const count = (name: string, holds: Tensor): [Tensor, Tensor] => {
    const total = metricVariable(name, [thresholds.length]);
    const ones = cast(holds, 'float32');
    const batch = reduceSum(weight === null ? ones : mul(ones, weight), { axis: 1 });
    return [identity(total.asTensor()), total.assignAdd(batch)];
  };
  const [tp, newTp] = count('true_positives', logicalAnd(positive, given));
  const [fn, newFn] = count('false_negatives', logicalAnd(positive, logicalNot(given)));
  const [tn, newTn] = count('true_negatives', logicalAnd(logicalNot(positive), logicalNot(given)));
  const [fp, newFp] = count('false_positives', logicalAnd(logicalNot(positive), given));
  return { now: { tp, fp, tn, fn }, after: { tp: newTp, fp: newFp, tn: newTn, fn: newFn } };
}

function overThresholds(
  defaultName: string,
  inputs: {
    labels: TensorLike;
    predictions: TensorLike;
    thresholds: readonly number[];
    options: MetricOptions;
  },
  result: (counts: Counts, name: string) => Tensor,
): Metric {
  const { labels, predictions, thresholds, options } = inputs;
  return metric(defaultName, options, () => {
    const { now, after } = confusion(labels, predictions, thresholds, options.weights);
    return [result(now, 'value'), result(after, 'update_op')];
  });
}

/** `count` thresholds from just below 0 to just above 1. */
function evenly(count: number): number[] {
  if (!Number.isInteger(count) || count < 2) {
    throw new InvalidArgumentError(`numThresholds must be an integer of 2 or more, got ${count}`);
  }
  const inner = Array.from({ length: count - 2 }, (_, i) => (i + 1) / (count - 1));
  return [-EPSILON, ...inner, 1 + EPSILON];
}

type AtThresholds = (
  labels: TensorLike,
  predictions: TensorLike,
  thresholds: readonly number[],
  options?: MetricOptions,
) => Metric;

function atThresholds(name: string, result: (counts: Counts, name: string) => Tensor): AtThresholds {
  return (labels, predictions, thresholds, options = {}) =>
    overThresholds(name, { labels, predictions, thresholds, options }, result);
}

/** `truePositives` of scores in [0, 1], for each threshold (`tf.metrics.true_positives_at_thresholds`). */
export const truePositivesAtThresholds = atThresholds('true_positives', ({ tp }, name) =>
  identity(tp, { name }),
);
/** `falsePositives` for each threshold (`tf.metrics.false_positives_at_thresholds`). */
export const falsePositivesAtThresholds = atThresholds('false_positives', ({ fp }, name) =>
  identity(fp, { name }),
);
/** `trueNegatives` for each threshold (`tf.metrics.true_negatives_at_thresholds`). */
export const trueNegativesAtThresholds = atThresholds('true_negatives', ({ tn }, name) =>
  identity(tn, { name }),
);
/** `falseNegatives` for each threshold (`tf.metrics.false_negatives_at_thresholds`). */
export const falseNegativesAtThresholds = atThresholds('false_negatives', ({ fn }, name) =>
  identity(fn, { name }),
);
/** `precision` for each threshold (`tf.metrics.precision_at_thresholds`). */
export const precisionAtThresholds = atThresholds('precision_at_thresholds', ({ tp, fp }, name) =>
  div(tp, add(EPSILON, add(tp, fp)), { name }),
);
/** `recall` for each threshold (`tf.metrics.recall_at_thresholds`). */
export const recallAtThresholds = atThresholds('recall_at_thresholds', ({ tp, fn }, name) =>
  div(tp, add(EPSILON, add(tp, fn)), { name }),
);

export interface AucOptions extends MetricOptions {
  /** How many thresholds approximate the curve, default 200. */
  readonly numThresholds?: number | undefined;
  /** True against false positive rate (default), or precision against recall. */
  readonly curve?: 'ROC' | 'PR' | undefined;
  readonly summationMethod?: 'trapezoidal' | 'minoring' | 'majoring' | undefined;
}

/** Points of the curve: (x, y) for rising thresholds, so that x falls. */
function curvePoints({ tp, fp, tn, fn }: Counts, curve: 'ROC' | 'PR'): [Tensor, Tensor] {
  const found = div(add(tp, EPSILON), add(add(tp, fn), EPSILON));
  if (curve === 'PR') return [found, div(add(tp, EPSILON), add(add(tp, fp), EPSILON))];
  return [div(fp, add(add(fp, tn), EPSILON)), found];
}

/**
 * The area under the curve of scores in [0, 1] (`tf.metrics.auc`), by sums over thresholds. `labels` are taken as bool.
 */
export function auc(labels: TensorLike, predictions: TensorLike, options: AucOptions = {}): Metric {
  const { numThresholds = 200, curve = 'ROC', summationMethod = 'trapezoidal' } = options;
  const thresholds = evenly(numThresholds);
  const heights = {
    trapezoidal: (a: Tensor, b: Tensor): Tensor => div(add(a, b), 2),
    minoring: (a: Tensor, b: Tensor): Tensor => minimum(a, b),
    majoring: (a: Tensor, b: Tensor): Tensor => maximum(a, b),
  };
  const height = heights[summationMethod] as ((a: Tensor, b: Tensor) => Tensor) | undefined;
  if (height === undefined) {
    throw new InvalidArgumentError(
      `auc: summationMethod "${summationMethod}" is not one of ${Object.keys(heights).join(', ')}`,
    );
  }
  return overThresholds('auc', { labels, predictions, thresholds, options }, (counts, name) => {
    const [x, y] = curvePoints(counts, curve);
    const ends = (z: Tensor): [Tensor, Tensor] => [
      slice(z, [0], [numThresholds - 1]),
      slice(z, [1], [numThresholds - 1]),
    ];
    const [[x0, x1], [y0, y1]] = [ends(x), ends(y)];
    return reduceSum(mul(sub(x0, x1), height(y0, y1)), { name });
  });
}

const ratio = (part: Tensor, rest: Tensor): Tensor => div(part, add(add(part, rest), EPSILON));

/**
 * The share of positives found at the threshold where the share of negatives found is nearest to `specificity`
 * (`tf.metrics.sensitivity_at_specificity`).
 */
export function sensitivityAtSpecificity(
  labels: TensorLike,
  predictions: TensorLike,
  specificity: number,
  options: MetricOptions & { readonly numThresholds?: number | undefined } = {},
): Metric {
  checkShare('specificity', specificity);
  const inputs = { labels, predictions, thresholds: evenly(options.numThresholds ?? 200), options };
  return overThresholds('sensitivity_at_specificity', inputs, ({ tp, fp, tn, fn }, name) => {
    const nearest = argMin(abs(sub(ratio(tn, fp), specificity)), { axis: 0 });
    return identity(gather(ratio(tp, fn), nearest), { name });
  });
}

/**
 * The share of negatives found at the highest threshold where the share of positives found is nearest to `sensitivity`
 * (`tf.metrics.specificity_at_sensitivity`).
 */
export function specificityAtSensitivity(
  labels: TensorLike,
  predictions: TensorLike,
  sensitivity: number,
  options: MetricOptions & { readonly numThresholds?: number | undefined } = {},
): Metric {
  checkShare('sensitivity', sensitivity);
  const inputs = { labels, predictions, thresholds: evenly(options.numThresholds ?? 200), options };
  return overThresholds('specificity_at_sensitivity', inputs, ({ tp, fp, tn, fn }, name) => {
    const distance = abs(sub(ratio(tp, fn), sensitivity));
    const isNearest = cast(equal(distance, reduceMin(distance)), 'int32');
    const last = argMax(cumsum(isNearest), { axis: 0 });
    return identity(gather(ratio(tn, fp), last), { name });
  });
}

function checkShare(what: string, share: number): void {
  if (!(share >= 0 && share <= 1)) throw new InvalidArgumentError(`${what} must be in [0, 1], got ${share}`);
}
