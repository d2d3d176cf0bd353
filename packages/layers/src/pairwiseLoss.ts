/** `losses.meanPairwiseSquaredError`. */
import {
  GraphKeys,
  InvalidArgumentError,
  cast,
  divNoNan,
  getDefaultGraph,
  maximum,
  mul,
  nameScope,
  notEqual,
  onesLike,
  reduceSum,
  square,
  sub,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import type { LossOptions } from './weightedLoss.js';

/**
 * The mean over all pairs of elements of an item of the squared difference of their errors
 * (`tf.losses.mean_pairwise_squared_error`), summed over the batch, the first dimension: for errors d of n elements
 * 2 sum(d^2) / (n - 1) - 2 sum(d)^2 / (n (n - 1)). `weights` are a scalar, or of the labels' rank.
 */
export function meanPairwiseSquaredError(
  labels: TensorLike,
  predictions: TensorLike,
  {
    weights = 1,
    scope = 'mean_pairwise_squared_error',
    lossCollection = GraphKeys.LOSSES,
  }: Omit<LossOptions, 'reduction'> = {},
): Tensor {
  return nameScope(scope, () => {
    const [y, p, weight] = [cast(labels, 'float32'), cast(predictions, 'float32'), cast(weights, 'float32')];
    const rank = y.shape.rank ?? p.shape.rank;
    if (!y.shape.isCompatibleWith(p.shape) || rank === null || rank === 0) {
      throw new InvalidArgumentError(
        `mean_pairwise_squared_error: labels have shape ${y.shape.toString()}, predictions ${p.shape.toString()}: they must be equal, of a known rank of 1 or more`,
      );
    }
    const errors = sub(p, y);
    const axis = Array.from({ length: rank - 1 }, (_, i) => i + 1);
    const over = (x: Tensor): Tensor => reduceSum(x, { axis, keepDims: true });
    const present = over(mul(onesLike(errors), cast(notEqual(weight, 0), 'float32')));
    const fewer = sub(present, 1);
    const squares = mul(2, divNoNan(over(square(errors)), maximum(fewer, 0)));
    const sums = mul(2, divNoNan(square(over(errors)), maximum(mul(present, fewer), 0)));
    const loss = reduceSum(mul(sub(squares, sums), weight), { name: 'value' });
    if (lossCollection !== null) getDefaultGraph().addToCollection(lossCollection, loss);
    return loss;
  });
}
