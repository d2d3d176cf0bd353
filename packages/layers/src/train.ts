/** The part of `fr.train` that builds graphs: optimizers, learning rates, the global step. */
export {
  Optimizer,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type GateGradients,
  type GradientAndVariable,
  type MinimizeOptions,
} from './optimizer.js';
export { type HyperParameter, type OptimizerOptions } from './hyperParameters.js';
export {
  AdadeltaOptimizer,
  AdagradDAOptimizer,
  AdagradOptimizer,
  FtrlOptimizer,
  GradientDescentOptimizer,
  MomentumOptimizer,
  ProximalAdagradOptimizer,
  ProximalGradientDescentOptimizer,
  RMSPropOptimizer,
  type AdadeltaOptions,
  type AdagradDAOptions,
  type AdagradOptions,
  type FtrlOptions,
  type PenaltyOptions,
  type RMSPropOptions,
} from './optimizers.js';
export {
  AdaMaxOptimizer,
  AdamOptimizer,
  LAMBOptimizer,
  LazyAdamOptimizer,
  NadamOptimizer,
  type AdamOptions,
  type LAMBOptions,
} from './adam.js';
export { AdamWOptimizer, MomentumWOptimizer, SGDWOptimizer, type WeightDecayOptions } from './weightDecay.js';
export { AddSignOptimizer, PowerSignOptimizer, type SignOptions } from './signOptimizers.js';
export {
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  naturalExpDecay,
  piecewiseConstant,
  polynomialDecay,
  type StaircaseOptions,
} from './learningRate.js';
export { assertGlobalStep, createGlobalStep, getGlobalStep, getOrCreateGlobalStep } from './globalStep.js';
export {
  cosineDecayRestarts,
  linearCosineDecay,
  noisyLinearCosineDecay,
  type CosineDecayRestartsOptions,
  type LinearCosineDecayOptions,
  type NoisyLinearCosineDecayOptions,
} from './learningRateCosine.js';
export { ExponentialMovingAverage, type ExponentialMovingAverageOptions } from './movingAverages.js';
export {
  ExternalOptimizerInterface,
  LbfgsOptimizerInterface,
  type Bounds,
  type ExternalMinimizeOptions,
  type ExternalOptimizerOptions,
  type ExternalResult,
  type LbfgsOptimizerOptions,
} from './externalOptimizer.js';
