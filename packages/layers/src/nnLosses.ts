/** Cross-entropies that are composed of other ops. */
import {
  InvalidArgumentError,
  abs,
  add,
  convertToTensor,
  exp,
  log1p,
  mul,
  nameScope,
  neg,
  relu,
  sub,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/**
 * Cross-entropy of independent labels in [0, 1] with sigmoid(`logits`), in which the positive part counts `posWeight`
 * times (`tf.nn.weighted_cross_entropy_with_logits`): (1 - z) x + (1 + (w - 1) z) log(1 + e^-x), without overflow.
 * Above 1 the weight favours recall, below 1 precision.
 */
export function weightedCrossEntropyWithLogits(
  labels: TensorLike,
  logits: TensorLike,
  posWeight: TensorLike,
  { name = 'logistic_loss' }: NameOptions = {},
): Tensor {
  return nameScope(name, (scope) => {
    const x = convertToTensor(logits);
    const z = convertToTensor(labels, { dtype: x.dtype });
    if (!x.shape.isCompatibleWith(z.shape)) {
      throw new InvalidArgumentError(
        `weightedCrossEntropyWithLogits: labels have shape ${z.shape.toString()}, logits ${x.shape.toString()}`,
      );
    }
    const weight = add(1, mul(sub(posWeight, 1), z));
    const softplus = add(log1p(exp(neg(abs(x)))), relu(neg(x)));
    return add(mul(sub(1, z), x), mul(weight, softplus), { name: scope });
  });
}
