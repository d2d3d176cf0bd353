/** Learning rates along cosines: with restarts, with a linear part, with noise (Loshchilov and Hutter, 2016; Bello et al., 2017). */
import {
  add,
  cast,
  cos,
  div,
  floor,
  log,
  minimum,
  mul,
  nameScope,
  pow,
  randomNormal,
  sqrt,
  sub,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

export interface CosineDecayRestartsOptions extends NameOptions {
  /** Each period is so many times as long as the one before; default 2. */
  readonly tMul?: number;
  /** And begins at so many times its rate; default 1. */
  readonly mMul?: number;
  /** The smallest share of the rate; default 0. */
  readonly alpha?: number;
}

/** A cosine from the rate to alpha times the rate, begun anew at the end of each period (`tf.train.cosine_decay_restarts`). */
export function cosineDecayRestarts(
  learningRate: TensorLike,
  globalStep: TensorLike,
  firstDecaySteps: TensorLike,
  { tMul = 2, mMul = 1, alpha = 0, name = 'SGDRDecay' }: CosineDecayRestartsOptions = {},
): Tensor {
  return nameScope(name, (scope) => {
    const completed = div(cast(globalStep, 'float32'), cast(firstDecaySteps, 'float32'));
    const { restart, share } = periodOf(completed, tMul);
    const cosine = mul(mul(0.5, pow(mMul, restart)), add(1, cos(mul(Math.PI, share))));
    return mul(learningRate, add(mul(1 - alpha, cosine), alpha), { name: scope });
  });
}

/** The number of the period, and how much of it is over. Period i is tMul^i long. */
function periodOf(completed: Tensor, tMul: number): { restart: Tensor; share: Tensor } {
  if (tMul === 1) {
    const restart = floor(completed);
    return { restart, share: sub(completed, restart) };
  }
  const restart = floor(div(log(sub(1, mul(completed, 1 - tMul))), Math.log(tMul)));
  const length = pow(tMul, restart);
  const start = div(sub(1, length), 1 - tMul);
  return { restart, share: div(sub(completed, start), length) };
}

export interface LinearCosineDecayOptions extends NameOptions {
  /** Cosine periods until `decaySteps`; default 0.5. */
  readonly numPeriods?: number;
  /** Default 0. */
  readonly alpha?: number;
  /** Default 0.001. */
  readonly beta?: number;
}

/** rate * ((alpha + 1 - step / decaySteps) * cosine + beta) (`tf.train.linear_cosine_decay`). */
export function linearCosineDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  options: LinearCosineDecayOptions = {},
): Tensor {
  return nameScope(options.name ?? 'LinearCosineDecay', () => {
    const { share } = clamped(globalStep, decaySteps);
    return decayed(learningRate, share, sub(1, share), options);
  });
}

export interface NoisyLinearCosineDecayOptions extends LinearCosineDecayOptions {
  /** Variance of the noise at first; default 1. */
  readonly initialVariance?: number;
  /** It falls with (1 + step) to this power; default 0.55. */
  readonly varianceDecay?: number;
}

/** As `linearCosineDecay` with Gaussian noise on the linear part (`tf.train.noisy_linear_cosine_decay`). */
export function noisyLinearCosineDecay(
  learningRate: TensorLike,
  globalStep: TensorLike,
  decaySteps: TensorLike,
  options: NoisyLinearCosineDecayOptions = {},
): Tensor {
  const { initialVariance = 1, varianceDecay = 0.55 } = options;
  return nameScope(options.name ?? 'NoisyLinearCosineDecay', () => {
    const { step, share } = clamped(globalStep, decaySteps);
    const deviation = sqrt(div(initialVariance, pow(add(1, step), varianceDecay)));
    const noise = mul(randomNormal([]), deviation);
    return decayed(learningRate, share, add(sub(1, share), noise), options);
  });
}

/** The step, `decaySteps` at most, and its share of them. */
function clamped(globalStep: TensorLike, decaySteps: TensorLike): { step: Tensor; share: Tensor } {
  const last = cast(decaySteps, 'float32');
  const step = minimum(cast(globalStep, 'float32'), last);
  return { step, share: div(step, last) };
}

function decayed(
  learningRate: TensorLike,
  share: Tensor,
  linear: Tensor,
  { numPeriods = 0.5, alpha = 0, beta = 0.001 }: LinearCosineDecayOptions,
): Tensor {
  const cosine = mul(0.5, add(1, cos(mul(2 * numPeriods * Math.PI, share))));
  return mul(learningRate, add(mul(add(alpha, linear), cosine), beta));
}
