/** `nn.logPoissonLoss`: the log-likelihood loss of counts. */
import {
  InvalidArgumentError,
  add,
  constant,
  convertToTensor,
  exp,
  greaterEqual,
  lessEqual,
  log,
  logicalAnd,
  mul,
  nameScope,
  onesLike,
  sub,
  where,
  withGraphOf,
  zerosLike,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/**
 * `exp(logInput) - logInput * targets`, elementwise: the negative log-likelihood of counts `targets` under
 * Poisson distributions with means `exp(logInput)`, up to a constant (`tf.nn.log_poisson_loss`). With
 * `computeFullLoss` Stirling's approximation of log(targets!) is added for targets above 1. Throws
 * `InvalidArgumentError` for shapes that differ.
 */
export function logPoissonLoss(
  targets: TensorLike,
  logInput: TensorLike,
  {
    computeFullLoss = false,
    name = 'log_poisson_loss',
  }: NameOptions & { readonly computeFullLoss?: boolean | undefined } = {},
): Tensor {
  const x = convertToTensor(logInput);
  return withGraphOf(x, () =>
    nameScope(name, () => {
      const z = convertToTensor(targets, { dtype: x.dtype });
      if (!z.shape.isCompatibleWith(x.shape)) {
        throw new InvalidArgumentError(
          `logPoissonLoss: targets have shape ${z.shape.toString()}, logInput ${x.shape.toString()}`,
        );
      }
      const loss = sub(exp(x), mul(x, z));
      return computeFullLoss ? add(loss, logFactorial(z)) : loss;
    }),
  );
}

/** Stirling's approximation z log z - z + log(2 pi z) / 2; 0 from 0 to 1, where it is too rough. */
function logFactorial(z: Tensor): Tensor {
  const small = logicalAnd(greaterEqual(z, zerosLike(z)), lessEqual(z, onesLike(z)));
  const safe = where(small, onesLike(z), z); // no logarithm of 0, whose gradient would be NaN
  const tail = mul(log(mul(safe, constant(2 * Math.PI, { dtype: z.dtype }))), 0.5);
  const approximation = add(sub(mul(safe, log(safe)), safe), tail);
  return where(small, zerosLike(z), approximation);
}
