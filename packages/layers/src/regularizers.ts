/** Weight penalties (`tf.contrib.layers.l1_regularizer` and its kin): functions from a variable to a scalar loss. */
import {
  InvalidArgumentError,
  abs,
  add,
  convertToTensor,
  l2Loss,
  mul,
  nameScope,
  reduceSum,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/** Gives the penalty of a variable, a scalar, or `null` for none. */
export type Regularizer = (weights: TensorLike) => Tensor | null;

/** `scale * sum(|w|)`; a scale of 0 gives no penalty. Throws for a negative scale. */
export function l1Regularizer(scale: number): Regularizer {
  checkScale(scale);
  return (weights) =>
    scale === 0 ? null : nameScope('l1_regularizer', (name) => mul(scale, reduceSum(abs(weights)), { name }));
}

/** `scale * sum(w^2) / 2`; a scale of 0 gives no penalty. Throws for a negative scale. */
export function l2Regularizer(scale: number): Regularizer {
  checkScale(scale);
  return (weights) =>
    scale === 0 ? null : nameScope('l2_regularizer', (name) => mul(scale, l2Loss(weights), { name }));
}

/** The sum of both penalties. */
export function l1L2Regularizer(scaleL1: number, scaleL2: number): Regularizer {
  const [first, second] = [l1Regularizer(scaleL1), l2Regularizer(scaleL2)];
  return (weights) =>
    nameScope('l1_l2_regularizer', (name) => {
      const value = convertToTensor(weights);
      const [l1, l2] = [first(value), second(value)];
      return l1 === null || l2 === null ? (l1 ?? l2) : add(l1, l2, { name });
    });
}

function checkScale(scale: number): void {
  if (!(scale >= 0 && scale < Infinity)) {
    throw new InvalidArgumentError(
      `the scale of a regularizer must be a finite number of 0 or more, got ${scale}`,
    );
  }
}
