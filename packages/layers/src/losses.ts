/** `fr.losses`: functions that compare labels with predictions and add their loss to the collection. */
import {
  InvalidArgumentError,
  abs,
  add,
  cast,
  convertToTensor,
  floorDiv,
  log,
  minimum,
  mul,
  nameScope,
  neg,
  realDiv,
  reduceSum,
  relu,
  sigmoidCrossEntropyWithLogits,
  size,
  softmaxCrossEntropyWithLogits,
  sparseSoftmaxCrossEntropyWithLogits,
  square,
  squaredDifference,
  stopGradient,
  sub,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { squeezeLast } from './squeezeLast.js';
import { computeWeightedLoss, type LossOptions } from './weightedLoss.js';

export { meanPairwiseSquaredError } from './pairwiseLoss.js';
export {
  Reduction,
  addLoss,
  computeWeightedLoss,
  getLosses,
  getRegularizationLoss,
  getRegularizationLosses,
  getTotalLoss,
  type LossOptions,
  type ReductionKind,
} from './weightedLoss.js';

/** Builds a loss of labels and predictions of one shape, element by element. */
function elementwiseLoss(
  name: string,
  labels: TensorLike,
  predictions: TensorLike,
  { scope = name, ...options }: LossOptions,
  build: (labels: Tensor, predictions: Tensor) => Tensor,
): Tensor {
  return nameScope(scope, (own) => {
    const [wanted, given] = [cast(labels, 'float32'), cast(predictions, 'float32')];
    checkSameShape(name, 'labels', wanted, 'predictions', given);
    return computeWeightedLoss(build(wanted, given), { ...options, scope: own });
  });
}

function checkSameShape(loss: string, first: string, x: Tensor, second: string, y: Tensor): void {
  if (x.shape.isCompatibleWith(y.shape)) return;
  throw new InvalidArgumentError(
    `${loss}: ${first} have shape ${x.shape.toString()}, ${second} ${y.shape.toString()}: they must be equal`,
  );
}

/** |labels - predictions| (`tf.losses.absolute_difference`). Both have one shape. */
export function absoluteDifference(
  labels: TensorLike,
  predictions: TensorLike,
  options: LossOptions = {},
): Tensor {
  return elementwiseLoss('absolute_difference', labels, predictions, options, (y, p) => abs(sub(p, y)));
}

/** (labels - predictions)^2 (`tf.losses.mean_squared_error`). Both have one shape. */
export function meanSquaredError(
  labels: TensorLike,
  predictions: TensorLike,
  options: LossOptions = {},
): Tensor {
  return elementwiseLoss('mean_squared_error', labels, predictions, options, (y, p) =>
    squaredDifference(p, y),
  );
}

/**
 * Quadratic up to a distance of `delta` (default 1) and linear beyond (`tf.losses.huber_loss`; Huber, 1964):
 * d^2 / 2, or delta * |d| - delta^2 / 2.
 */
export function huberLoss(
  labels: TensorLike,
  predictions: TensorLike,
  { delta = 1, ...options }: LossOptions & { readonly delta?: number } = {},
): Tensor {
  return elementwiseLoss('huber_loss', labels, predictions, options, (y, p) => {
    const distance = abs(sub(p, y));
    const quadratic = minimum(distance, delta);
    return add(mul(0.5, square(quadratic)), mul(delta, sub(distance, quadratic)));
  });
}

/** -labels * log(predictions + epsilon) - (1 - labels) * log(1 - predictions + epsilon) (`tf.losses.log_loss`). */
export function logLoss(
  labels: TensorLike,
  predictions: TensorLike,
  { epsilon = 1e-7, ...options }: LossOptions & { readonly epsilon?: number } = {},
): Tensor {
  return elementwiseLoss('log_loss', labels, predictions, options, (y, p) => {
    const positive = mul(y, log(add(p, epsilon)));
    const negative = mul(sub(1, y), log(add(sub(1, p), epsilon)));
    return sub(neg(positive), negative);
  });
}

/** max(0, 1 - labels * logits) for labels 0 and 1, taken as -1 and 1 (`tf.losses.hinge_loss`). */
export function hingeLoss(labels: TensorLike, logits: TensorLike, options: LossOptions = {}): Tensor {
  return elementwiseLoss('hinge_loss', labels, logits, options, (y, x) => {
    const signs = sub(mul(2, y), 1);
    return relu(sub(1, mul(signs, x)));
  });
}

/** 1 - sum(labels * predictions) over `axis`, for vectors of length 1 (`tf.losses.cosine_distance`). */
export function cosineDistance(
  labels: TensorLike,
  predictions: TensorLike,
  { axis, ...options }: LossOptions & { readonly axis: number },
): Tensor {
  return elementwiseLoss('cosine_distance_loss', labels, predictions, options, (y, p) =>
    sub(1, reduceSum(mul(p, y), { axis, keepDims: true })),
  );
}

/**
 * Cross-entropy of logits [..., classes] with a probability distribution of the same shape
 * (`tf.losses.softmax_cross_entropy`). `labelSmoothing` moves labels towards 1 / classes. No gradient flows to the labels.
 */
export function softmaxCrossEntropy(
  onehotLabels: TensorLike,
  logits: TensorLike,
  {
    labelSmoothing = 0,
    scope = 'softmax_cross_entropy_loss',
    ...options
  }: LossOptions & { readonly labelSmoothing?: number } = {},
): Tensor {
  return nameScope(scope, (own) => {
    const scores = convertToTensor(logits);
    const targets = cast(onehotLabels, scores.dtype);
    checkSameShape('softmax_cross_entropy', 'onehotLabels', targets, 'logits', scores);
    const smoothed = labelSmoothing === 0 ? targets : smoothClasses(targets, labelSmoothing);
    const losses = softmaxCrossEntropyWithLogits({
      labels: stopGradient(smoothed),
      logits: scores,
      name: 'xentropy',
    });
    return computeWeightedLoss(losses, { ...options, scope: own });
  });
}

/** labels * (1 - smoothing) + smoothing / classes. */
function smoothClasses(labels: Tensor, smoothing: number): Tensor {
  const classes = labels.shape.rank === null ? null : labels.shape.dim(-1);
  const count = classes ?? cast(floorDiv(size(labels), size(reduceSum(labels, { axis: -1 }))), labels.dtype);
  return add(
    mul(labels, 1 - smoothing),
    typeof count === 'number' ? smoothing / count : realDiv(smoothing, count),
  );
}

/**
 * Cross-entropy of logits [..., classes] with class numbers [...] (`tf.losses.sparse_softmax_cross_entropy`).
 * Labels of shape [..., 1] are squeezed, as in TensorFlow.
 */
export function sparseSoftmaxCrossEntropy(
  labels: TensorLike,
  logits: TensorLike,
  { scope = 'sparse_softmax_cross_entropy_loss', ...options }: LossOptions = {},
): Tensor {
  return nameScope(scope, (own) => {
    const scores = convertToTensor(logits);
    const numbers = squeezeLast(asIntegers(labels), (scores.shape.rank ?? NaN) - 1);
    const losses = sparseSoftmaxCrossEntropyWithLogits({ labels: numbers, logits: scores, name: 'xentropy' });
    return computeWeightedLoss(losses, { ...options, scope: own });
  });
}

function asIntegers(labels: TensorLike): Tensor {
  const tensor = convertToTensor(labels);
  return tensor.dtype.startsWith('float') ? cast(tensor, 'int32') : tensor;
}

/**
 * Cross-entropy of independent logits with labels in [0, 1] of the same shape
 * (`tf.losses.sigmoid_cross_entropy`). `labelSmoothing` moves labels towards 1/2.
 */
export function sigmoidCrossEntropy(
  multiClassLabels: TensorLike,
  logits: TensorLike,
  {
    labelSmoothing = 0,
    scope = 'sigmoid_cross_entropy_loss',
    ...options
  }: LossOptions & { readonly labelSmoothing?: number } = {},
): Tensor {
  return nameScope(scope, (own) => {
    const scores = convertToTensor(logits);
    const targets = cast(multiClassLabels, scores.dtype);
    checkSameShape('sigmoid_cross_entropy', 'multiClassLabels', targets, 'logits', scores);
    const smoothed =
      labelSmoothing === 0 ? targets : add(mul(targets, 1 - labelSmoothing), labelSmoothing / 2);
    const losses = sigmoidCrossEntropyWithLogits({ labels: smoothed, logits: scores, name: 'xentropy' });
    return computeWeightedLoss(losses, { ...options, scope: own });
  });
}
