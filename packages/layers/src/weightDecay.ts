/**
 * Optimizers with decoupled weight decay (Loshchilov and Hutter, 2017): before its step each variable loses a share
 * of itself, which does not pass through the optimizer's averages.
 */
import { mul, type Operation, type Tensor, type Variable } from '@forerun/graph';
import { AdamOptimizer, type AdamOptions } from './adam.js';
import { HyperParameters, type HyperParameter, type OptimizerOptions } from './hyperParameters.js';
import type { ApplyGradientsOptions, GradientAndVariable, MinimizeOptions } from './optimizer.js';
import { GradientDescentOptimizer, MomentumOptimizer } from './optimizers.js';

export interface WeightDecayOptions {
  /** The variables that decay; default all that are trained. */
  readonly decayVarList?: readonly Variable[] | undefined;
}

/** `var -= weightDecay * var`, before another update of the variable. */
class WeightDecay {
  readonly #parameters: HyperParameters;
  /** `null`: all variables decay. */
  variables: readonly Variable[] | null = null;

  constructor(weightDecay: HyperParameter) {
    this.#parameters = new HyperParameters({ weight_decay: weightDecay });
  }

  prepare(): void {
    this.#parameters.prepare();
  }

  of(variable: Variable): Operation[] {
    if (this.variables?.includes(variable) === false) return [];
    const lost = mul(this.#parameters.get('weight_decay'), variable);
    return [variable.assignSub(lost, { readValue: false })];
  }
}

/** Adam with decoupled weight decay (`tf.contrib.opt.AdamWOptimizer`). `weightDecay` is not scaled by the learning rate. */
export class AdamWOptimizer extends AdamOptimizer {
  readonly #decay: WeightDecay;

  constructor(weightDecay: HyperParameter, learningRate: HyperParameter = 0.001, options: AdamOptions = {}) {
    super(learningRate, { name: 'AdamW', ...options });
    this.#decay = new WeightDecay(weightDecay);
  }

  override minimize(loss: Tensor, options: MinimizeOptions & WeightDecayOptions = {}): Operation {
    return super.minimize(loss, options);
  }

  override applyGradients(
    gradsAndVars: readonly GradientAndVariable[],
    { decayVarList, ...options }: ApplyGradientsOptions & WeightDecayOptions = {},
  ): Operation {
    this.#decay.variables = decayVarList ?? null;
    return super.applyGradients(gradsAndVars, options);
  }

  protected override prepare(): void {
    super.prepare();
    this.#decay.prepare();
  }

  protected override beforeUpdate(variable: Variable): Operation[] {
    return this.#decay.of(variable);
  }
}

/** Momentum with decoupled weight decay (`tf.contrib.opt.MomentumWOptimizer`). */
export class MomentumWOptimizer extends MomentumOptimizer {
  readonly #decay: WeightDecay;

  constructor(
    weightDecay: HyperParameter,
    learningRate: HyperParameter,
    momentum: HyperParameter,
    options: OptimizerOptions & { readonly useNesterov?: boolean } = {},
  ) {
    super(learningRate, momentum, { name: 'MomentumW', ...options });
    this.#decay = new WeightDecay(weightDecay);
  }

  override minimize(loss: Tensor, options: MinimizeOptions & WeightDecayOptions = {}): Operation {
    return super.minimize(loss, options);
  }

  override applyGradients(
    gradsAndVars: readonly GradientAndVariable[],
    { decayVarList, ...options }: ApplyGradientsOptions & WeightDecayOptions = {},
  ): Operation {
    this.#decay.variables = decayVarList ?? null;
    return super.applyGradients(gradsAndVars, options);
  }

  protected override prepare(): void {
    super.prepare();
    this.#decay.prepare();
  }

  protected override beforeUpdate(variable: Variable): Operation[] {
    return this.#decay.of(variable);
  }
}

/** Gradient descent with decoupled weight decay. */
export class SGDWOptimizer extends GradientDescentOptimizer {
  readonly #decay: WeightDecay;

  constructor(weightDecay: HyperParameter, learningRate: HyperParameter, options: OptimizerOptions = {}) {
    super(learningRate, { name: 'SGDW', ...options });
    this.#decay = new WeightDecay(weightDecay);
  }

  override minimize(loss: Tensor, options: MinimizeOptions & WeightDecayOptions = {}): Operation {
    return super.minimize(loss, options);
  }

  override applyGradients(
    gradsAndVars: readonly GradientAndVariable[],
    { decayVarList, ...options }: ApplyGradientsOptions & WeightDecayOptions = {},
  ): Operation {
    this.#decay.variables = decayVarList ?? null;
    return super.applyGradients(gradsAndVars, options);
  }

  protected override prepare(): void {
    super.prepare();
    this.#decay.prepare();
  }

  protected override beforeUpdate(variable: Variable): Operation[] {
    return this.#decay.of(variable);
  }
}
