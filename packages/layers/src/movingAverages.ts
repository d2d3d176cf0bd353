/** `ExponentialMovingAverage`: shadow copies of variables that follow them slowly, often better for evaluation. */
import type { Tensor } from '@forerun/graph';
import {
  GraphKeys,
  InvalidArgumentError,
  Variable,
  add,
  cast,
  controlDependencies,
  convertToTensor,
  div,
  getDefaultGraph,
  globalVariables,
  group,
  isFloating,
  minimum,
  mul,
  nameScope,
  pow,
  sub,
  trainableVariables,
  withGraphOf,
  zeros,
  type NameOptions,
  type Operation,
  type TensorLike,
} from '@forerun/graph';

export interface ExponentialMovingAverageOptions extends NameOptions {
  /** The number of updates so far, as a variable or tensor: the decay is then at most (1 + n) / (10 + n). */
  readonly numUpdates?: TensorLike | null;
  /** Averages of tensors, which begin at zero, are divided by the weight that they have got so far. */
  readonly zeroDebias?: boolean;
}

/**
 * Moving averages (`tf.train.ExponentialMovingAverage`): `average = decay * average + (1 - decay) * value` with each run
 * of the operation that `apply` gives. The average of `w` is the variable `w/ExponentialMovingAverage`.
 */
export class ExponentialMovingAverage {
  readonly name: string;
  readonly #averages = new Map<Variable | Tensor, Variable>();
  readonly #debiased = new Map<Variable, { readonly biased: Variable; readonly count: Variable }>();
  readonly #options: ExponentialMovingAverageOptions;

  constructor(
    readonly decay: TensorLike,
    options: ExponentialMovingAverageOptions = {},
  ) {
    this.name = options.name ?? 'ExponentialMovingAverage';
    this.#options = options;
  }

  /**
   * The operation that updates the averages of `varList` (default: the trainable variables), which are made
   * where there are none: those of variables begin with the initial value, those of tensors with zeros. Throws
   * `InvalidArgumentError` for what is no float, or a tensor of unknown shape.
   */
  apply(varList?: readonly (Variable | Tensor)[]): Operation {
    const list = varList ?? trainableVariables();
    const [first] = list;
    if (first === undefined) throw new InvalidArgumentError(`${this.name}: there is nothing to average`);
    return withGraphOf(first instanceof Variable ? first.handle : first, () => {
      for (const source of list) this.create(source);
      return nameScope(this.name, (scope) => {
        const decay = this.currentDecay();
        return group(
          list.map((source) => this.update(source, decay)),
          { name: scope },
        );
      });
    });
  }

  /** The average of a variable or tensor, or `null` before `apply`. */
  average(source: Variable | Tensor): Variable | null {
    return this.#averages.get(source) ?? null;
  }

  /** The name of the average's variable, which need not exist yet. */
  averageName(source: Variable | Tensor): string {
    return this.average(source)?.op.name ?? `${source.op.name}/${this.name}`;
  }

  /**
   * For a `Saver`'s `varList`: variables under the names from which to restore them, so that those that have
   * averages get their averages. Default: the trainable variables and those that were averaged.
   */
  variablesToRestore(movingAvgVariables?: readonly Variable[]): Record<string, Variable> {
    const graph = getDefaultGraph();
    const averaged = graph
      .getCollection(GraphKeys.MOVING_AVERAGE_VARIABLES)
      .filter((item) => item instanceof Variable);
    const moving = new Set(movingAvgVariables ?? [...trainableVariables(), ...averaged]);
    const map: Record<string, Variable> = {};
    for (const variable of moving) map[this.averageName(variable)] = variable;
    for (const variable of globalVariables()) {
      if (!moving.has(variable) && !(variable.op.name in map)) map[variable.op.name] = variable;
    }
    return map;
  }

  private create(source: Variable | Tensor): void {
    if (this.#averages.has(source)) return;
    if (!isFloating(source.dtype)) {
      throw new InvalidArgumentError(
        `${this.name}: ${source.name} is ${source.dtype}; only floats are averaged`,
      );
    }
    const isVariable = source instanceof Variable;
    const initial = isVariable ? (source.initialValue ?? source.snapshot) : zerosLike(this.name, source);
    const average = makeVariable(initial, `${source.op.name}/${this.name}`);
    this.#averages.set(source, average);
    if (isVariable) average.graph.addToCollection(GraphKeys.MOVING_AVERAGE_VARIABLES, source);
    else if (this.#options.zeroDebias === true) {
      const biased = makeVariable(initial, `${average.op.name}/biased`);
      this.#debiased.set(average, { biased, count: makeVariable(() => 0, `${average.op.name}/local_step`) });
    }
  }

  private currentDecay(): Tensor {
    const decay = convertToTensor(this.decay, { name: 'decay', dtype: 'float32' });
    const { numUpdates = null } = this.#options;
    if (numUpdates === null) return decay;
    const n = cast(numUpdates, 'float32');
    return minimum(decay, div(add(n, 1), add(n, 10)));
  }

  private update(source: Variable | Tensor, decay: Tensor): Operation {
    const average = this.#averages.get(source);
    if (average === undefined) throw new InvalidArgumentError(`${source.name} has no average`);
    const weight = sub(1, decay);
    const debiased = this.#debiased.get(average);
    if (debiased === undefined) {
      return average.assignSub(mul(sub(average, source), weight), { readValue: false });
    }
    const { biased, count } = debiased;
    const sum = biased.assignSub(mul(sub(biased, source), weight));
    const times = count.assignAdd(1);
    return average.assign(div(sum, sub(1, pow(decay, times))), { readValue: false });
  }
}

function zerosLike(name: string, tensor: Tensor): () => Tensor {
  if (!tensor.shape.isFullyDefined) {
    throw new InvalidArgumentError(
      `${name}: the shape ${tensor.shape.toString()} of ${tensor.name} must be known to keep its average`,
    );
  }
  const shape = tensor.shape.toStatic();
  return () => zeros([...shape], { dtype: 'float32' });
}

/** A variable with exactly this name, outside the current scopes, which no optimizer trains. */
function makeVariable(initial: TensorLike | (() => TensorLike), name: string): Variable {
  return controlDependencies(null, () =>
    nameScope(null, () => new Variable(initial, { name, dtype: 'float32', trainable: false })),
  );
}
