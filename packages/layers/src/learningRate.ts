/**
 * Learning rates that change with the training step (`tf.train.exponential_decay` …). Each takes the
 * step as a tensor or variable of any numeric dtype and computes a float32 scalar.
 */
import {
  InvalidArgumentError,
  add,
  cast,
  ceil,
  convertToTensor,
  cos,
  div,
  exp,
  floor,
  lessEqual,
  maximum,
  minimum,
  mul,
  nameScope,
  pow,
  sub,
  where,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

export interface StaircaseOptions extends NameOptions {
  /** Decay in steps: the exponent is rounded down. Default `false`. */
  readonly staircase?: boolean;
}

/** step / decaySteps as a float32 scalar. */
function progress(globalStep: TensorLike, decaySteps: TensorLike, staircase = false): Tensor {
  const share = div(cast(globalStep, 'float32'), cast(decaySteps, 'float32'));
  return staircase ? floor(share) : share;
}

/** learningRate * decayRate ^ (step / decaySteps). */
export function exponentialDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  decayRate: TensorLike,
  { staircase = false, name = 'ExponentialDecay' }: StaircaseOptions = {},
): Tensor {
  return nameScope(name, (scope) =>
    mul(learningRate, pow(decayRate, progress(globalStep, decaySteps, staircase)), { name: scope }),
  );
}

/** learningRate * exp(-decayRate * step / decaySteps). */
export function naturalExpDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  decayRate: TensorLike,
  { staircase = false, name = 'ExponentialTimeDecay' }: StaircaseOptions = {},
): Tensor {
  return nameScope(name, (scope) => {
    const exponent = mul(mul(decayRate, -1), progress(globalStep, decaySteps, staircase));
    return mul(learningRate, exp(exponent), { name: scope });
  });
}

/** learningRate / (1 + decayRate * step / decaySteps). */
export function inverseTimeDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  decayRate: TensorLike,
  { staircase = false, name = 'InverseTimeDecay' }: StaircaseOptions = {},
): Tensor {
  return nameScope(name, (scope) =>
    div(learningRate, add(1, mul(decayRate, progress(globalStep, decaySteps, staircase))), { name: scope }),
  );
}

/**
 * `values[i]` while the step is at most `boundaries[i]`, then the last value. Throws `InvalidArgumentError`
 * unless there is one value more than boundaries and the boundaries rise.
 */
export function piecewiseConstant(
  x: TensorLike,
  boundaries: readonly number[],
  values: readonly number[],
  { name = 'PiecewiseConstant' }: NameOptions = {},
): Tensor {
  if (values.length !== boundaries.length + 1) {
    throw new InvalidArgumentError(
      `piecewiseConstant: ${boundaries.length} boundaries need ${boundaries.length + 1} values, got ${values.length}`,
    );
  }
  if (boundaries.some((boundary, i) => i > 0 && boundary <= (boundaries[i - 1] ?? boundary))) {
    throw new InvalidArgumentError(
      `piecewiseConstant: the boundaries must rise, got [${boundaries.join(', ')}]`,
    );
  }
  return nameScope(name, () => {
    const step = convertToTensor(x);
    let rate = convertToTensor(values.at(-1) ?? 0, { dtype: 'float32' });
    for (let i = boundaries.length - 1; i >= 0; i--) {
      const boundary = convertToTensor(boundaries[i] ?? 0, { dtype: step.dtype });
      rate = where(lessEqual(step, boundary), values[i] ?? 0, rate);
    }
    return rate;
  });
}

/**
 * (learningRate - endLearningRate) * (1 - step / decaySteps) ^ power + endLearningRate, constant after
 * `decaySteps`, or with `cycle` over the next multiple of `decaySteps`.
 */
export function polynomialDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  {
    endLearningRate = 0.0001,
    power = 1,
    cycle = false,
    name = 'PolynomialDecay',
  }: NameOptions & {
    readonly endLearningRate?: TensorLike;
    readonly power?: TensorLike;
    readonly cycle?: boolean;
  } = {},
): Tensor {
  return nameScope(name, (scope) => {
    const share = cycle ? cycledShare(globalStep, decaySteps) : minimum(progress(globalStep, decaySteps), 1);
    const range = sub(learningRate, endLearningRate);
    return add(mul(range, pow(sub(1, share), power)), endLearningRate, { name: scope });
  });
}

/** The step's share of the first multiple of `decaySteps` that it does not exceed. */
function cycledShare(globalStep: TensorLike, decaySteps: TensorLike): Tensor {
  const share = progress(globalStep, decaySteps);
  return div(share, maximum(ceil(share), 1));
}

/**
 * learningRate * ((1 - alpha) * (1 + cos(pi * step / decaySteps)) / 2 + alpha), constant after `decaySteps`
 * (Loshchilov and Hutter, 2016).
 */
export function cosineDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  { alpha = 0, name = 'CosineDecay' }: NameOptions & { readonly alpha?: number } = {},
): Tensor {
  return nameScope(name, () => {
    const share = minimum(progress(globalStep, decaySteps), 1);
    const cosine = mul(0.5, add(1, cos(mul(Math.PI, share))));
    return mul(learningRate, add(mul(1 - alpha, cosine), alpha));
  });
}
