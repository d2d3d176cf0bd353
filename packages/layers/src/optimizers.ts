/** Optimizers of one rule each: gradient descent, momentum, and those that scale by sums of past gradients. */
import {
  InvalidArgumentError,
  applyUpdate,
  type IndexedSlices,
  type Operation,
  type TensorLike,
  type Variable,
} from '@forerun/graph';
import { HyperParameters, type HyperParameter, type OptimizerOptions } from './hyperParameters.js';
import { constantInitializer, onesInitializer } from './initializers.js';
import { RuleOptimizer, type RuleSpec } from './ruleOptimizer.js';

/** `var -= learningRate * gradient` (`tf.train.GradientDescentOptimizer`). */
export class GradientDescentOptimizer extends RuleOptimizer {
  readonly #rows: HyperParameters;

  /** `learningRate` is a number or a scalar tensor. */
  constructor(
    learningRate: HyperParameter,
    { useLocking = false, name = 'GradientDescent' }: OptimizerOptions = {},
  ) {
    const parameters = { learning_rate: learningRate };
    super(name, { rule: 'GradientDescent', parameters, inputs: { alpha: 'learning_rate' }, useLocking });
    this.#rows = new HyperParameters(parameters);
  }

  /** Rows are subtracted one after the other, so that duplicates need no summing. */
  protected override applySparseDuplicateIndices(slices: IndexedSlices, variable: Variable): Operation {
    this.#rows.prepare();
    const values = { alpha: this.#rows.get('learning_rate'), l1: 0, l2: 0 };
    return applyUpdate('ProximalGradientDescent', {
      state: { var: variable },
      values: { ...values, grad: slices.values, indices: slices.indices },
    });
  }
}

/**
 * `accum = momentum * accum + gradient; var -= learningRate * accum` (`tf.train.MomentumOptimizer`), with
 * `useNesterov` as in Sutskever et al., 2013. The slot is called `<variable>/Momentum`.
 */
export class MomentumOptimizer extends RuleOptimizer {
  constructor(
    learningRate: HyperParameter,
    momentum: HyperParameter,
    {
      useLocking = false,
      name = 'Momentum',
      useNesterov = false,
    }: OptimizerOptions & { readonly useNesterov?: boolean } = {},
  ) {
    super(name, {
      rule: 'Momentum',
      slots: [{ input: 'accum', name: 'momentum' }],
      parameters: { learning_rate: learningRate, momentum },
      inputs: { lr: 'learning_rate', momentum: 'momentum' },
      attrs: { use_nesterov: useNesterov },
      useLocking,
    });
  }
}

export interface AdagradOptions extends OptimizerOptions {
  /** Where the sums of squares begin, above 0; default 0.1. */
  readonly initialAccumulatorValue?: number;
}

/** Throws unless sums of squares begin above 0, so that nothing is divided by 0. */
function positive(what: string, value: number): number {
  if (value > 0) return value;
  throw new InvalidArgumentError(`${what} must be positive, got ${value}`);
}

/**
 * `accum += gradient^2; var -= learningRate * gradient / sqrt(accum)` (`tf.train.AdagradOptimizer`; Duchi et al.,
 * 2011). The slot "accumulator" is called `<variable>/Adagrad`.
 */
export class AdagradOptimizer extends RuleOptimizer {
  constructor(
    learningRate: HyperParameter,
    { initialAccumulatorValue = 0.1, useLocking = false, name = 'Adagrad' }: AdagradOptions = {},
  ) {
    const start = positive('AdagradOptimizer: initialAccumulatorValue', initialAccumulatorValue);
    super(name, {
      rule: 'Adagrad',
      slots: [{ input: 'accum', name: 'accumulator', initializer: constantInitializer(start) }],
      parameters: { learning_rate: learningRate },
      inputs: { lr: 'learning_rate' },
      useLocking,
    });
  }
}

export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of the running averages; default 0.95. */
  readonly rho?: HyperParameter;
  /** Default 1e-8. */
  readonly epsilon?: HyperParameter;
}

/**
 * Adadelta (`tf.train.AdadeltaOptimizer`; Zeiler, 2012): steps scaled by the ratio of the running sizes of past
 * steps and gradients. Slots "accum" and "accum_update" are `<variable>/Adadelta` and `<variable>/Adadelta_1`.
 */
export class AdadeltaOptimizer extends RuleOptimizer {
  constructor(
    learningRate: HyperParameter = 0.001,
    { rho = 0.95, epsilon = 1e-8, useLocking = false, name = 'Adadelta' }: AdadeltaOptions = {},
  ) {
    super(name, {
      rule: 'Adadelta',
      slots: [
        { input: 'accum', name: 'accum' },
        { input: 'accum_update', name: 'accum_update' },
      ],
      parameters: { lr: learningRate, rho, epsilon },
      inputs: { lr: 'lr', rho: 'rho', epsilon: 'epsilon' },
      useLocking,
    });
  }
}

export interface RMSPropOptions extends OptimizerOptions {
  /** Decay of the mean square; default 0.9. */
  readonly decay?: HyperParameter;
  /** Default 0. */
  readonly momentum?: HyperParameter;
  /** Added under the root; default 1e-10. */
  readonly epsilon?: HyperParameter;
  /** Divide by the estimated standard deviation, not by the root mean square. Default false. */
  readonly centered?: boolean;
}

/**
 * RMSProp (`tf.train.RMSPropOptimizer`; Tieleman and Hinton, 2012; centered as in Graves, 2013). Slots are "rms",
 * which begins with ones, "mg" if centered, and "momentum": `<variable>/RMSProp`, `_1` and `_2` in this order.
 */
export class RMSPropOptimizer extends RuleOptimizer {
  constructor(learningRate: HyperParameter, options: RMSPropOptions = {}) {
    const { decay = 0.9, momentum = 0, epsilon = 1e-10, centered = false } = options;
    const { useLocking = false, name = 'RMSProp' } = options;
    super(name, {
      rule: centered ? 'CenteredRMSProp' : 'RMSProp',
      slots: [
        { input: 'ms', name: 'rms', initializer: onesInitializer() },
        ...(centered ? [{ input: 'mg', name: 'mg' }] : []),
        { input: 'mom', name: 'momentum' },
      ],
      parameters: { learning_rate: learningRate, decay, momentum, epsilon },
      inputs: { lr: 'learning_rate', rho: 'decay', momentum: 'momentum', epsilon: 'epsilon' },
      useLocking,
    });
  }
}

export interface FtrlOptions extends OptimizerOptions {
  /** Not above 0; default -0.5, the inverse square root. */
  readonly learningRatePower?: number;
  /** Not below 0; default 0.1. */
  readonly initialAccumulatorValue?: number;
  readonly l1RegularizationStrength?: number;
  readonly l2RegularizationStrength?: number;
  /** A penalty on the size of the variable beside l2, which is a penalty on the step. */
  readonly l2ShrinkageRegularizationStrength?: number;
  /** Parts of the slots' names; default `name`. */
  readonly accumName?: string;
  readonly linearName?: string;
}

/** FTRL-proximal (`tf.train.FtrlOptimizer`; McMahan et al., 2013). Slots are "accum" and "linear". */
export class FtrlOptimizer extends RuleOptimizer {
  constructor(learningRate: HyperParameter, options: FtrlOptions = {}) {
    super(options.name ?? 'Ftrl', ftrlSpec(learningRate, options));
  }
}

function ftrlSpec(learningRate: HyperParameter, options: FtrlOptions): RuleSpec {
  const { learningRatePower = -0.5, initialAccumulatorValue = 0.1 } = options;
  const { l1RegularizationStrength: l1 = 0, l2RegularizationStrength: l2 = 0 } = options;
  const shrinkage = options.l2ShrinkageRegularizationStrength ?? 0;
  if (learningRatePower > 0) {
    throw new InvalidArgumentError(
      `FtrlOptimizer: learningRatePower must not be positive, got ${learningRatePower}`,
    );
  }
  const weights = { initialAccumulatorValue, l1RegularizationStrength: l1, l2RegularizationStrength: l2 };
  for (const [what, value] of Object.entries({ ...weights, l2ShrinkageRegularizationStrength: shrinkage })) {
    if (value < 0)
      throw new InvalidArgumentError(`FtrlOptimizer: ${what} must not be negative, got ${value}`);
  }
  const initializer = constantInitializer(initialAccumulatorValue);
  const shrinks = shrinkage > 0;
  return {
    rule: shrinks ? 'FtrlV2' : 'Ftrl',
    slots: [
      { input: 'accum', name: 'accum', operationName: options.accumName, initializer },
      { input: 'linear', name: 'linear', operationName: options.linearName },
    ],
    parameters: {
      learning_rate: learningRate,
      l1_regularization_strength: l1,
      l2_regularization_strength: l2,
      learning_rate_power: learningRatePower,
      ...(shrinks ? { l2_shrinkage_regularization_strength: shrinkage } : {}),
    },
    inputs: {
      lr: 'learning_rate',
      l1: 'l1_regularization_strength',
      l2: 'l2_regularization_strength',
      lr_power: 'learning_rate_power',
      ...(shrinks ? { l2_shrinkage: 'l2_shrinkage_regularization_strength' } : {}),
    },
    useLocking: options.useLocking ?? false,
  };
}

export interface PenaltyOptions extends OptimizerOptions {
  readonly l1RegularizationStrength?: HyperParameter;
  readonly l2RegularizationStrength?: HyperParameter;
}

const PENALTIES = { l1: 'l1_regularization_strength', l2: 'l2_regularization_strength' };

function penalties({
  l1RegularizationStrength = 0,
  l2RegularizationStrength = 0,
}: PenaltyOptions): Record<string, HyperParameter> {
  return { [PENALTIES.l1]: l1RegularizationStrength, [PENALTIES.l2]: l2RegularizationStrength };
}

/**
 * Gradient descent followed by the proximal step of l1 and l2 penalties (`tf.train.ProximalGradientDescentOptimizer`;
 * Duchi and Singer, 2009).
 */
export class ProximalGradientDescentOptimizer extends RuleOptimizer {
  constructor(learningRate: HyperParameter, options: PenaltyOptions = {}) {
    super(options.name ?? 'ProximalGradientDescent', {
      rule: 'ProximalGradientDescent',
      parameters: { learning_rate: learningRate, ...penalties(options) },
      inputs: { alpha: 'learning_rate', ...PENALTIES },
      useLocking: options.useLocking ?? false,
    });
  }
}

/** Adagrad followed by the proximal step of l1 and l2 penalties (`tf.train.ProximalAdagradOptimizer`). */
export class ProximalAdagradOptimizer extends RuleOptimizer {
  constructor(learningRate: HyperParameter, options: PenaltyOptions & AdagradOptions = {}) {
    const start = positive(
      'ProximalAdagradOptimizer: initialAccumulatorValue',
      options.initialAccumulatorValue ?? 0.1,
    );
    super(options.name ?? 'ProximalAdagrad', {
      rule: 'ProximalAdagrad',
      slots: [{ input: 'accum', name: 'accumulator', initializer: constantInitializer(start) }],
      parameters: { learning_rate: learningRate, ...penalties(options) },
      inputs: { lr: 'learning_rate', ...PENALTIES },
      useLocking: options.useLocking ?? false,
    });
  }
}

export interface AdagradDAOptions extends PenaltyOptions {
  /** Above 0; default 0.1. */
  readonly initialGradientSquaredAccumulatorValue?: number;
}

/**
 * Adagrad with dual averaging (`tf.train.AdagradDAOptimizer`; Duchi et al., 2011): the variable is computed anew
 * from the sums of all gradients, so that l1 makes it sparse; its initial value is forgotten. Slots are
 * "gradient_accumulator" and "gradient_squared_accumulator".
 */
export class AdagradDAOptimizer extends RuleOptimizer {
  /** `globalStep` is the number of the step, from 1 on, as an integer variable or tensor. */
  constructor(learningRate: HyperParameter, globalStep: TensorLike, options: AdagradDAOptions = {}) {
    const start = positive(
      'AdagradDAOptimizer: initialGradientSquaredAccumulatorValue',
      options.initialGradientSquaredAccumulatorValue ?? 0.1,
    );
    super(options.name ?? 'AdagradDA', {
      rule: 'AdagradDA',
      slots: [
        { input: 'gradient_accumulator', name: 'gradient_accumulator' },
        {
          input: 'gradient_squared_accumulator',
          name: 'gradient_squared_accumulator',
          initializer: constantInitializer(start),
        },
      ],
      parameters: { learning_rate: learningRate, ...penalties(options) },
      inputs: { lr: 'learning_rate', ...PENALTIES },
      step: globalStep,
      useLocking: options.useLocking ?? false,
    });
  }
}
