/** The optimizers: gradient descent, momentum, Adam. */
import {
  controlDependencies,
  convertToTensor,
  group,
  InternalError,
  mul,
  resourceApplyAdam,
  resourceApplyGradientDescent,
  resourceApplyMomentum,
  type NameOptions,
  type Operation,
  type Tensor,
  type TensorLike,
  type Variable,
} from '@forerun/graph';
import { Optimizer } from './optimizer.js';

/** Options of all optimizers. `useLocking` is kept for files: runs are ordered anyway. */
export interface OptimizerOptions extends NameOptions {
  readonly useLocking?: boolean;
}

/** Hyper-parameters as tensors; made in `prepare`, so that they lie in the scope of the training operation. */
class HyperParameters {
  readonly #tensors = new Map<string, Tensor>();

  constructor(private readonly values: Readonly<Record<string, TensorLike>>) {}

  prepare(): void {
    for (const [name, value] of Object.entries(this.values)) {
      this.#tensors.set(name, convertToTensor(value, { name, dtype: 'float32' }));
    }
  }

  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new InternalError(`hyper-parameter "${name}" is not prepared`);
    return tensor;
  }
}

/** `var -= learningRate * gradient` (`tf.train.GradientDescentOptimizer`). */
export class GradientDescentOptimizer extends Optimizer {
  readonly #parameters: HyperParameters;
  readonly #useLocking: boolean;

  /** `learningRate` is a number or a scalar tensor. */
  constructor(
    learningRate: TensorLike,
    { useLocking = false, name = 'GradientDescent' }: OptimizerOptions = {},
  ) {
    super(name);
    this.#useLocking = useLocking;
    this.#parameters = new HyperParameters({ learning_rate: learningRate });
  }

  protected override prepare(): void {
    this.#parameters.prepare();
  }

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    const rate = this.#parameters.get('learning_rate');
    return resourceApplyGradientDescent(variable, rate, gradient, { useLocking: this.#useLocking });
  }
}

/**
 * `accum = momentum * accum + gradient; var -= learningRate * accum` (`tf.train.MomentumOptimizer`), with
 * `useNesterov` as in Sutskever et al., 2013. The slot is called `<variable>/Momentum`.
 */
export class MomentumOptimizer extends Optimizer {
  readonly #parameters: HyperParameters;
  readonly #options: { readonly useLocking: boolean; readonly useNesterov: boolean };

  constructor(
    learningRate: TensorLike,
    momentum: TensorLike,
    {
      useLocking = false,
      name = 'Momentum',
      useNesterov = false,
    }: OptimizerOptions & { readonly useNesterov?: boolean } = {},
  ) {
    super(name);
    this.#options = { useLocking, useNesterov };
    this.#parameters = new HyperParameters({ learning_rate: learningRate, momentum });
  }

  protected override prepare(): void {
    this.#parameters.prepare();
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) this.zerosSlot(variable, 'momentum', this.name);
  }

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    const accum = this.requireSlot(variable, 'momentum');
    const [rate, momentum] = [this.#parameters.get('learning_rate'), this.#parameters.get('momentum')];
    return resourceApplyMomentum(variable, accum, rate, gradient, momentum, this.#options);
  }
}

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: TensorLike;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: TensorLike;
  /** Default 1e-8. */
  readonly epsilon?: TensorLike;
}

/**
 * Adam (`tf.train.AdamOptimizer`; Kingma and Ba, 2014, the form before section 2.1 with epsilon hat). Slots
 * are `<variable>/Adam` and `<variable>/Adam_1`; `beta1_power` and `beta2_power` count the steps.
 */
export class AdamOptimizer extends Optimizer {
  readonly #parameters: HyperParameters;
  readonly #useLocking: boolean;
  readonly #betas: readonly TensorLike[];

  constructor(
    learningRate: TensorLike = 0.001,
    { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, useLocking = false, name = 'Adam' }: AdamOptions = {},
  ) {
    super(name);
    this.#useLocking = useLocking;
    this.#betas = [beta1, beta2];
    this.#parameters = new HyperParameters({ learning_rate: learningRate, beta1, beta2, epsilon });
  }

  protected override prepare(): void {
    this.#parameters.prepare();
  }

  protected override createSlots(variables: readonly Variable[]): void {
    this.betaPowers();
    for (const variable of variables) {
      this.zerosSlot(variable, 'm', this.name);
      this.zerosSlot(variable, 'v', this.name);
    }
  }

  /** beta1 and beta2 to the power of the next step's number. */
  private betaPowers(): [Variable, Variable] {
    const [beta1 = 0.9, beta2 = 0.999] = this.#betas;
    return [this.ownVariable('beta1_power', beta1), this.ownVariable('beta2_power', beta2)];
  }

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    const [beta1Power, beta2Power] = this.betaPowers().map((power) => power.snapshot);
    if (beta1Power === undefined || beta2Power === undefined) throw new InternalError('Adam has no powers');
    const parameters = {
      beta1Power,
      beta2Power,
      lr: this.#parameters.get('learning_rate'),
      beta1: this.#parameters.get('beta1'),
      beta2: this.#parameters.get('beta2'),
      epsilon: this.#parameters.get('epsilon'),
    };
    const [m, v] = [this.requireSlot(variable, 'm'), this.requireSlot(variable, 'v')];
    return resourceApplyAdam(variable, m, v, parameters, gradient, { useLocking: this.#useLocking });
  }

  protected override finish(updates: readonly Operation[], name: string): Operation {
    const [power1, power2] = this.betaPowers();
    const advanced = controlDependencies(updates, () => [
      power1.assign(mul(power1, this.#parameters.get('beta1')), { readValue: false }),
      power2.assign(mul(power2, this.#parameters.get('beta2')), { readValue: false }),
    ]);
    return group([...updates, ...advanced], { name });
  }
}
