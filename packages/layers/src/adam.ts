/** Adam and its kin: optimizers with running averages of gradients and of their sizes. */
import {
  InternalError,
  abs,
  add,
  applyUpdate,
  controlDependencies,
  div,
  gather,
  greater,
  group,
  maximum,
  mul,
  reduceSum,
  scatterSub,
  scatterUpdate,
  sqrt,
  square,
  sub,
  where,
  type IndexedSlices,
  type Operation,
  type Tensor,
  type TensorLike,
  type Variable,
} from '@forerun/graph';
import { HyperParameters, type HyperParameter, type OptimizerOptions } from './hyperParameters.js';
import { Optimizer } from './optimizer.js';

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: TensorLike;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: TensorLike;
  /** Default 1e-8. */
  readonly epsilon?: TensorLike;
}

/** Slots "m" and "v", and the powers of the decays, which count the steps. */
abstract class MomentsOptimizer extends Optimizer {
  readonly #parameters: HyperParameters;
  readonly #betas: Readonly<Record<string, TensorLike>>;
  protected readonly useLocking: boolean;

  protected constructor(
    name: string,
    learningRate: HyperParameter,
    { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, useLocking = false }: AdamOptions,
    powers: readonly ('beta1' | 'beta2')[] = ['beta1', 'beta2'],
  ) {
    super(name);
    this.useLocking = useLocking;
    const betas = { beta1, beta2 };
    this.#betas = Object.fromEntries(powers.map((beta) => [beta, betas[beta]]));
    this.#parameters = new HyperParameters({ learning_rate: learningRate, beta1, beta2, epsilon });
  }

  protected parameter(name: 'learning_rate' | 'beta1' | 'beta2' | 'epsilon'): Tensor {
    return this.#parameters.get(name);
  }

  protected override prepare(): void {
    this.#parameters.prepare();
  }

  protected override createSlots(variables: readonly Variable[]): void {
    this.powers();
    for (const variable of variables) {
      this.zerosSlot(variable, 'm', this.name);
      this.zerosSlot(variable, 'v', this.name);
    }
  }

  /** The variables `beta1_power` …: the decays to the power of the next step's number. */
  private powers(): (readonly [beta: string, power: Variable])[] {
    return Object.entries(this.#betas).map(
      ([beta, value]) => [beta, this.ownVariable(`${beta}_power`, value)] as const,
    );
  }

  /** The value of a power in this step. */
  protected power(beta: 'beta1' | 'beta2'): Tensor {
    const found = this.powers().find(([name]) => name === beta);
    if (found === undefined) throw new InternalError(`${this.name} keeps no power of ${beta}`);
    return found[1].snapshot;
  }

  protected override finish(updates: readonly Operation[], name: string): Operation {
    const advanced = controlDependencies(updates, () =>
      this.powers().map(([beta, power]) =>
        power.assign(mul(power, this.#parameters.get(beta)), { readValue: false }),
      ),
    );
    return group([...updates, ...advanced], { name });
  }
}

/**
 * Adam (`tf.train.AdamOptimizer`; Kingma and Ba, 2014, the form before section 2.1 with epsilon hat). Slots
 * are `<variable>/Adam` and `<variable>/Adam_1`; `beta1_power` and `beta2_power` count the steps. A gradient of
 * rows moves the whole variable, as the moments of the other rows decay too.
 */
export class AdamOptimizer extends MomentsOptimizer {
  constructor(learningRate: HyperParameter = 0.001, options: AdamOptions = {}) {
    super(options.name ?? 'Adam', learningRate, options);
  }

  /** Nadam looks ahead along the new moment. */
  protected readonly useNesterov: boolean = false;

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    return applyUpdate(
      'Adam',
      {
        state: {
          var: variable,
          m: this.requireSlot(variable, 'm'),
          v: this.requireSlot(variable, 'v'),
        },
        values: {
          beta1_power: this.power('beta1'),
          beta2_power: this.power('beta2'),
          lr: this.parameter('learning_rate'),
          beta1: this.parameter('beta1'),
          beta2: this.parameter('beta2'),
          epsilon: this.parameter('epsilon'),
          grad: gradient,
        },
      },
      { useLocking: this.useLocking, attrs: { use_nesterov: this.useNesterov } },
    );
  }
}

/** Adam with Nesterov momentum (`tf.contrib.opt.NadamOptimizer`; Dozat, 2016). */
export class NadamOptimizer extends AdamOptimizer {
  protected override readonly useNesterov = true;
}

/**
 * Adam that leaves all rows alone that a gradient of rows does not name, their moments too
 * (`tf.contrib.opt.LazyAdamOptimizer`): for large tables of which each step uses few rows. Not the same as Adam.
 */
export class LazyAdamOptimizer extends AdamOptimizer {
  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): Operation {
    const [m, v] = [this.requireSlot(variable, 'm'), this.requireSlot(variable, 'v')];
    const newM = averaged(gather(m, indices), values, this.parameter('beta1'));
    const newV = averaged(gather(v, indices), square(values), this.parameter('beta2'));
    const scale = div(sqrt(sub(1, this.power('beta2'))), sub(1, this.power('beta1')));
    const rate = mul(this.parameter('learning_rate'), scale);
    const step = div(mul(rate, newM), add(sqrt(newV), this.parameter('epsilon')));
    return group([
      scatterUpdate(m, indices, newM, { readValue: false }),
      scatterUpdate(v, indices, newV, { readValue: false }),
      scatterSub(variable, indices, step, { readValue: false }),
    ]);
  }
}

/** Adam by the largest gradient in place of the mean square (`tf.contrib.opt.AdaMaxOptimizer`; Kingma and Ba, 2014). */
export class AdaMaxOptimizer extends MomentsOptimizer {
  constructor(learningRate: HyperParameter = 0.001, options: AdamOptions = {}) {
    super(options.name ?? 'AdaMax', learningRate, options, ['beta1']);
  }

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    return applyUpdate(
      'AdaMax',
      {
        state: {
          var: variable,
          m: this.requireSlot(variable, 'm'),
          v: this.requireSlot(variable, 'v'),
        },
        values: {
          beta1_power: this.power('beta1'),
          lr: this.parameter('learning_rate'),
          beta1: this.parameter('beta1'),
          beta2: this.parameter('beta2'),
          epsilon: this.parameter('epsilon'),
          grad: gradient,
        },
      },
      { useLocking: this.useLocking },
    );
  }

  /** Of a gradient of rows only these rows move, and their averages. */
  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): Operation {
    const [m, v] = [this.requireSlot(variable, 'm'), this.requireSlot(variable, 'v')];
    const newM = averaged(gather(m, indices), values, this.parameter('beta1'));
    const newV = maximum(mul(gather(v, indices), this.parameter('beta2')), abs(values));
    const rate = div(this.parameter('learning_rate'), sub(1, this.power('beta1')));
    const step = mul(rate, div(newM, add(newV, this.parameter('epsilon'))));
    return group([
      scatterUpdate(m, indices, newM, { readValue: false }),
      scatterUpdate(v, indices, newV, { readValue: false }),
      scatterSub(variable, indices, step, { readValue: false }),
    ]);
  }
}

export interface LAMBOptions extends AdamOptions {
  /** Weight decay inside the step; default 0. */
  readonly weightDecayRate?: number;
  /** Variables whose names match one of these get no weight decay. */
  readonly excludeFromWeightDecay?: readonly RegExp[];
  /** Variables whose names match one of these keep Adam's step size; default those of `excludeFromWeightDecay`. */
  readonly excludeFromLayerAdaptation?: readonly RegExp[];
}

/**
 * LAMB (You et al., 2019): Adam's step, with weight decay, scaled for each variable to the ratio of the variable's
 * norm to the step's. Default epsilon 1e-6.
 */
export class LAMBOptimizer extends MomentsOptimizer {
  readonly #options: LAMBOptions;

  constructor(learningRate: HyperParameter = 0.001, options: LAMBOptions = {}) {
    super(options.name ?? 'LAMB', learningRate, { epsilon: 1e-6, ...options });
    this.#options = options;
  }

  protected override applyDense(gradient: Tensor, variable: Variable): Operation {
    const [m, v] = [this.requireSlot(variable, 'm'), this.requireSlot(variable, 'v')];
    const newM = averaged(m, gradient, this.parameter('beta1'));
    const newV = averaged(v, square(gradient), this.parameter('beta2'));
    const step = this.step(variable, newM, newV);
    return group([
      m.assign(newM, { readValue: false }),
      v.assign(newV, { readValue: false }),
      variable.assignSub(mul(this.rate(variable, step), step), { readValue: false }),
    ]);
  }

  /** Adam's corrected step and the weight decay. */
  private step(variable: Variable, m: Tensor, v: Tensor): Tensor {
    const mean = div(m, sub(1, this.power('beta1')));
    const root = sqrt(div(v, sub(1, this.power('beta2'))));
    const step = div(mean, add(root, this.parameter('epsilon')));
    const { weightDecayRate = 0, excludeFromWeightDecay = [] } = this.#options;
    if (weightDecayRate === 0 || matches(variable, excludeFromWeightDecay)) return step;
    return add(step, mul(variable, weightDecayRate));
  }

  /** The learning rate times |variable| / |step|, where neither is 0. */
  private rate(variable: Variable, step: Tensor): Tensor {
    const { excludeFromWeightDecay = [], excludeFromLayerAdaptation = excludeFromWeightDecay } =
      this.#options;
    const rate = this.parameter('learning_rate');
    if (matches(variable, excludeFromLayerAdaptation)) return rate;
    const [size, length] = [norm(variable), norm(step)];
    const moving = where(greater(length, 0), div(size, length), 1);
    return mul(rate, where(greater(size, 0), moving, 1));
  }
}

/** decay * average + (1 - decay) * value */
function averaged(average: TensorLike, value: Tensor, decay: Tensor): Tensor {
  return add(mul(average, decay), mul(value, sub(1, decay)));
}

function norm(x: TensorLike): Tensor {
  return sqrt(reduceSum(square(x)));
}

function matches({ op: { name } }: Variable, patterns: readonly RegExp[]): boolean {
  return patterns.some((pattern) => pattern.test(name));
}
