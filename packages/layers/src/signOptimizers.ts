/** Optimizers that scale a gradient by whether it agrees in sign with its running average (Bello et al., 2017). */
import {
  add,
  controlDependencies,
  exp,
  gather,
  group,
  mul,
  scatterSub,
  scatterUpdate,
  sign,
  sub,
  type IndexedSlices,
  type Operation,
  type Tensor,
  type TensorLike,
  type Variable,
} from '@forerun/graph';
import { getOrCreateGlobalStep } from './globalStep.js';
import { HyperParameters, type HyperParameter, type OptimizerOptions } from './hyperParameters.js';
import { RuleOptimizer } from './ruleOptimizer.js';

export interface SignOptions extends OptimizerOptions {
  /** Decay of the running average; default 0.9. */
  readonly beta?: TensorLike | undefined;
  /** The weight of the agreement of signs in each step, from the global step; default 1. */
  readonly signDecayFn?: ((globalStep: Tensor) => TensorLike) | undefined;
}

type Rule = 'AddSign' | 'PowerSign';

/** Both rules: `var -= lr * factor * gradient`, where `strength` is alpha or the logarithm of the base. */
abstract class SignOptimizer extends RuleOptimizer {
  readonly #scalars: HyperParameters;

  protected constructor(
    rule: Rule,
    learningRate: HyperParameter,
    strength: TensorLike,
    { name = `${rule}Optimizer`, beta = 0.9, signDecayFn, useLocking = false }: SignOptions,
  ) {
    const decay = (): TensorLike => signDecayFn?.(getOrCreateGlobalStep().asTensor()) ?? 1;
    const own = rule === 'AddSign' ? 'alpha' : 'logbase';
    const parameters = { learning_rate: learningRate, [own]: strength, sign_decay: decay, beta };
    super(name, {
      rule,
      slots: [{ input: 'm', name: 'm' }],
      parameters,
      inputs: { lr: 'learning_rate', [own]: own, sign_decay: 'sign_decay', beta: 'beta' },
      useLocking,
    });
    this.#scalars = new HyperParameters(parameters);
  }

  protected abstract factor(agreement: Tensor, scalar: (name: string) => Tensor): Tensor;

  protected override prepare(): void {
    super.prepare();
    this.#scalars.prepare();
  }

  /** The average of every row decays; only rows with gradients move. */
  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): Operation {
    const m = this.requireSlot(variable, 'm');
    const scalar = (name: string): Tensor => this.#scalars.get(name);
    const beta = scalar('beta');
    const average = add(mul(gather(m, indices), beta), mul(values, sub(1, beta)));
    const agreement = mul(scalar('sign_decay'), mul(sign(values), sign(average)));
    const step = mul(mul(scalar('learning_rate'), this.factor(agreement, scalar)), values);
    const decayed = controlDependencies([average], () => m.assign(mul(m, beta), { readValue: false }));
    const updated = controlDependencies([decayed], () =>
      scatterUpdate(m, indices, average, { readValue: false }),
    );
    return group([updated, scatterSub(variable, indices, step, { readValue: false })]);
  }
}

/**
 * `var -= lr * (alpha + signDecay * sign(gradient) * sign(m)) * gradient`, where `m` is the running average of the
 * gradients, in the slot `<variable>/AddSignOptimizer` (`tf.contrib.opt.AddSignOptimizer`).
 */
export class AddSignOptimizer extends SignOptimizer {
  constructor(
    learningRate: HyperParameter = 0.1,
    { alpha = 1, ...options }: SignOptions & { readonly alpha?: TensorLike } = {},
  ) {
    super('AddSign', learningRate, alpha, options);
  }

  protected override factor(agreement: Tensor, scalar: (name: string) => Tensor): Tensor {
    return add(scalar('alpha'), agreement);
  }
}

/**
 * `var -= lr * base^(signDecay * sign(gradient) * sign(m)) * gradient`, where `m` is the running average of the
 * gradients, in the slot `<variable>/PowerSignOptimizer` (`tf.contrib.opt.PowerSignOptimizer`). Default base e.
 */
export class PowerSignOptimizer extends SignOptimizer {
  constructor(
    learningRate: HyperParameter = 0.1,
    { base = Math.E, ...options }: SignOptions & { readonly base?: number } = {},
  ) {
    super('PowerSign', learningRate, Math.log(base), options);
  }

  protected override factor(agreement: Tensor, scalar: (name: string) => Tensor): Tensor {
    return exp(mul(scalar('logbase'), agreement));
  }
}
