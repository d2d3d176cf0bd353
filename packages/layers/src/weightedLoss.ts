/** What all losses share: weights, reduction to a scalar, and the collection of losses. */
import {
  GraphKeys,
  InvalidArgumentError,
  addN,
  cast,
  convertToTensor,
  divNoNan,
  getDefaultGraph,
  identity,
  mul,
  nameScope,
  notEqual,
  onesLike,
  reduceSum,
  size,
  type NameOptions,
  type Tensor,
  type TensorLike,
  type TensorShape,
} from '@forerun/graph';

/** How the losses of the elements become one (`tf.losses.Reduction`). */
export const Reduction = {
  /** No reduction: one weighted loss per element. */
  NONE: 'none',
  SUM: 'weighted_sum',
  /** Weighted sum divided by the sum of weights. */
  MEAN: 'weighted_mean',
  /** Weighted sum divided by the number of elements. */
  SUM_OVER_BATCH_SIZE: 'weighted_sum_over_batch_size',
  /** Weighted sum divided by the number of elements whose weight is not zero: the default. */
  SUM_BY_NONZERO_WEIGHTS: 'weighted_sum_by_nonzero_weights',
  SUM_OVER_NONZERO_WEIGHTS: 'weighted_sum_by_nonzero_weights',
} as const;
export type ReductionKind = (typeof Reduction)[keyof typeof Reduction];

export interface LossOptions {
  /** Weight of each element: a scalar, or of the losses' rank with dimensions equal or 1. Default 1. */
  readonly weights?: TensorLike | undefined;
  /** Name scope of the loss. */
  readonly scope?: string | undefined;
  /** Collection that the loss joins, default `LOSSES`; `null` for none. */
  readonly lossCollection?: string | null | undefined;
  readonly reduction?: ReductionKind | undefined;
}

/**
 * Weights and reduces `losses`, and adds the result to the collection (`tf.losses.compute_weighted_loss`).
 * Throws `InvalidArgumentError` when the weights do not broadcast to the losses.
 */
export function computeWeightedLoss(
  losses: TensorLike,
  {
    weights = 1,
    scope = 'weighted_loss',
    lossCollection = GraphKeys.LOSSES,
    reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
  }: LossOptions = {},
): Tensor {
  return nameScope(scope, () => {
    const values = cast(losses, 'float32');
    const weight = cast(weights, 'float32');
    checkWeights(weight.shape, values.shape);
    const weighted = weights === 1 ? values : mul(values, weight);
    const loss = reduce(weighted, values, weights === 1 ? null : weight, reduction);
    if (lossCollection !== null) getDefaultGraph().addToCollection(lossCollection, loss);
    return loss;
  });
}

/** Losses that are weighted alike need no tensor of weights: `weight` is `null` for weight 1. */
function reduce(weighted: Tensor, values: Tensor, weight: Tensor | null, reduction: ReductionKind): Tensor {
  if (reduction === Reduction.NONE) return identity(weighted, { name: 'value' });
  const sum = reduceSum(weighted);
  if (reduction === Reduction.SUM) return identity(sum, { name: 'value' });
  return divNoNan(sum, divisor(values, weight, reduction), { name: 'value' });
}

function divisor(values: Tensor, weight: Tensor | null, reduction: ReductionKind): Tensor {
  if (weight === null || reduction === Reduction.SUM_OVER_BATCH_SIZE) {
    return cast(size(values), 'float32', { name: 'num_elements' });
  }
  if (reduction === Reduction.MEAN) return reduceSum(mul(onesLike(values), weight));
  return numPresent(values, weight);
}

/** The number of elements whose weight is not zero. */
function numPresent(values: Tensor, weight: Tensor): Tensor {
  const present = cast(notEqual(weight, 0), 'float32');
  return reduceSum(mul(onesLike(values), present), { name: 'num_present' });
}

function checkWeights(weights: TensorShape, losses: TensorShape): void {
  if (weights.dims === null || weights.rank === 0 || losses.dims === null) return;
  const dims = losses.dims;
  const fits =
    weights.rank === losses.rank &&
    weights.dims.every((dim, i) => dim === 1 || dim === null || dims[i] === null || dim === dims[i]);
  if (fits) return;
  throw new InvalidArgumentError(
    `weights of shape ${weights.toString()} do not broadcast to losses of shape ${losses.toString()}: each dimension must be equal or 1`,
  );
}

/** All losses in the collection (`tf.losses.get_losses`). */
export function getLosses({
  scope,
  lossCollection = GraphKeys.LOSSES,
}: { scope?: string; lossCollection?: string } = {}): Tensor[] {
  return getDefaultGraph().getCollection(lossCollection, scope) as Tensor[];
}

/** Adds a loss made elsewhere to the collection (`tf.losses.add_loss`). */
export function addLoss(
  loss: Tensor,
  { lossCollection = GraphKeys.LOSSES }: { lossCollection?: string } = {},
): void {
  loss.graph.addToCollection(lossCollection, loss);
}

/** All regularization losses (`tf.losses.get_regularization_losses`). */
export function getRegularizationLosses({ scope }: { scope?: string } = {}): Tensor[] {
  return getLosses({
    lossCollection: GraphKeys.REGULARIZATION_LOSSES,
    ...(scope === undefined ? {} : { scope }),
  });
}

/** The sum of all regularization losses, 0 when there are none (`tf.losses.get_regularization_loss`). */
export function getRegularizationLoss({
  scope,
  name = 'total_regularization_loss',
}: NameOptions & { scope?: string } = {}): Tensor {
  const losses = getRegularizationLosses(scope === undefined ? {} : { scope });
  return losses.length === 0 ? convertToTensor(0, { name }) : sumOf(losses, name);
}

/**
 * The sum of all losses and, by default, all regularization losses (`tf.losses.get_total_loss`).
 * Throws `InvalidArgumentError` when there are none.
 */
export function getTotalLoss({
  addRegularizationLosses = true,
  name = 'total_loss',
  scope,
}: NameOptions & { addRegularizationLosses?: boolean; scope?: string } = {}): Tensor {
  const where = scope === undefined ? {} : { scope };
  const losses = [...getLosses(where), ...(addRegularizationLosses ? getRegularizationLosses(where) : [])];
  if (losses.length === 0) throw new InvalidArgumentError('getTotalLoss: the graph has no losses');
  return sumOf(losses, name);
}

function sumOf(losses: readonly Tensor[], name: string): Tensor {
  const [first, ...others] = losses;
  if (first === undefined) throw new InvalidArgumentError('there are no losses to add');
  return nameScope(name, (scope) =>
    others.length === 0 ? identity(first, { name: scope }) : addN(losses, { name: scope }),
  );
}
