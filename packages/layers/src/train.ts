/** The part of `fr.train` that builds graphs: optimizers, learning rates, the global step. */
export {
  Optimizer,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type GradientAndVariable,
  type MinimizeOptions,
} from './optimizer.js';
export {
  AdamOptimizer,
  GradientDescentOptimizer,
  MomentumOptimizer,
  type AdamOptions,
  type OptimizerOptions,
} from './optimizers.js';
export {
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  naturalExpDecay,
  piecewiseConstant,
  polynomialDecay,
  type StaircaseOptions,
} from './learningRate.js';
export { createGlobalStep, getGlobalStep, getOrCreateGlobalStep } from './globalStep.js';
