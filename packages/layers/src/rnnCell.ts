/** `RNNCell`: what all recurrent cells do — scopes, variables made on first use, states of zeros. */
import type { TensorShape } from '@forerun/graph';
import {
  InvalidArgumentError,
  Tensor,
  checkOptions,
  concat,
  convertToTensor,
  nameScope,
  zeros,
  type DType,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import type { Activation } from './layer.js';
import {
  describeNest,
  flattenNest,
  mapNest,
  requireSameStructure,
  tensorsOf,
  type RNNInputs,
  type RNNState,
  type StateSize,
} from './rnnNest.js';
import { getVariable, variableScope, type Reuse, type VariableScope } from './variableScope.js';

export interface RNNCellOptions {
  /** Variable scope of the cell. Default: its class in snake_case, as `basic_lstm_cell`. Made unique. */
  readonly name?: string | undefined;
  /** `true`: use variables that exist already. */
  readonly reuse?: Reuse | undefined;
  /** Whether optimizers change the variables. Default `true`. */
  readonly trainable?: boolean | undefined;
  /** Of the variables. Default: that of the first inputs. */
  readonly dtype?: DType | undefined;
}

/** Options of cells with an activation. */
export interface ActivationOptions extends RNNCellOptions {
  /** Default `tanh`. */
  readonly activation?: Activation | undefined;
}

export interface ApplyCellOptions {
  /** Variable scope in place of the cell's own; counts at the first use. */
  readonly scope?: string | VariableScope | undefined;
}

interface CellClass {
  readonly name: string;
  /** The default scope; without it the class's name decides, which a minifier may change. */
  readonly kind?: string;
}

/**
 * A recurrent cell (`tf.nn.rnn_cell.RNNCell`): one step from inputs [batch, n] and a state to an output and the next
 * state. Subclasses give `stateSize`, `outputSize` and `call`, and make variables in `build`, or with
 * `getVariable` in `call`. Programs use `apply`, which opens the scope.
 */
export abstract class RNNCell<S extends RNNState = RNNState> {
  readonly #weights: Variable[] = [];
  #scope: VariableScope | null = null;
  #built = false;
  #dtype: DType | null = null;
  /** The class in snake_case. */
  protected readonly kind: string;

  constructor(protected readonly options: RNNCellOptions = {}) {
    const made: CellClass = new.target;
    this.kind = (Object.hasOwn(made, 'kind') ? made.kind : undefined) ?? snakeCase(made.name);
    checkOptions(made.name, options, "{ name: 'cell' }");
  }

  abstract get stateSize(): StateSize;
  abstract get outputSize(): number | TensorShape;

  /** Whether `call` takes lists and records of tensors; else its inputs are one tensor. */
  takesNests(): boolean {
    return false;
  }

  /** All variables, in the order in which they were made. */
  get weights(): readonly Variable[] {
    return this.#weights;
  }

  /** Those variables that optimizers change. */
  get trainableWeights(): readonly Variable[] {
    return this.#weights.filter((variable) => variable.trainable);
  }

  /** The full name of the cell's variable scope. Empty before the first use. */
  get name(): string {
    return this.#scope?.name ?? '';
  }

  /**
   * One step, `cell(inputs, state)` in Python: `[output, newState]`. Throws `InvalidArgumentError` when the
   * state has not the structure of `stateSize`, the last dimension of the inputs is not known, or they are several
   * tensors in a list or record and the cell does not take such.
   */
  apply(inputs: RNNInputs, state: S, { scope }: ApplyCellOptions = {}): [Tensor, S] {
    const x = this.inputsOf(inputs);
    requireSameStructure(state, this.stateSize, `${this.kind}: the state`);
    const opened = (this.#scope ??= this.openScope(scope));
    const reuse = this.#built ? true : this.options.reuse;
    return variableScope(opened, { reuse, auxiliaryNameScope: false }, () =>
      nameScope(opened.originalNameScope, () => {
        this.ensureBuilt(x);
        return this.call(x, state);
      }),
    );
  }

  /**
   * The step itself, within the cell's scope: `[output, newState]`. Call `apply` in its place. A subclass whose
   * `takesNests` is true may declare the inputs as `RNNState`: lists and records of tensors.
   */
  abstract call(inputs: Tensor, state: S): [Tensor, S];

  /** Makes the variables, in cells that know them before they are called. */
  protected build?(inputs: TensorShape): void;

  /** A state of zeros for `batchSize`, a number or an int32 scalar (`zero_state`). */
  zeroState(batchSize: number | Tensor, dtype: DType): S {
    return nameScope(
      `${this.kind}_zero_state`,
      // The structure is that of stateSize, which is the structure of S.
      () => mapNest(this.stateSize, (size) => zerosOf(batchSize, size, dtype)) as S,
    );
  }

  /** The inputs as `call` takes them. */
  private inputsOf(inputs: RNNInputs): Tensor {
    const x = tensorsOf(inputs);
    // where it says so, a subclass's call takes nests
    if (x instanceof Tensor || this.takesNests()) return x as Tensor;
    throw new InvalidArgumentError(
      `${this.kind}: the inputs must be one tensor, they are ${describeNest(x)}`,
    );
  }

  private ensureBuilt(inputs: RNNState): void {
    if (this.#built) return;
    const [x] = flattenNest<Tensor>(inputs);
    if (x === undefined) throw new InvalidArgumentError(`${this.kind}: the inputs must not be empty`);
    this.#dtype = this.options.dtype ?? x.dtype;
    this.build?.(x.shape);
    this.#built = true;
  }

  private openScope(given: string | VariableScope | undefined): VariableScope {
    const { name, reuse } = this.options;
    const own = name ?? this.kind;
    if (given !== undefined) return variableScope(given, { reuse }, (scope) => scope);
    if (reuse === true) return variableScope(own, { reuse }, (scope) => scope);
    return variableScope(null, { defaultName: own, reuse }, (scope) => scope);
  }

  /** Gets or makes a variable of the cell. */
  protected addWeight(name: string, shape: readonly number[], initializer?: Initializer): Variable {
    const { trainable = true } = this.options;
    const variable = getVariable(name, { shape, initializer, trainable, dtype: this.#dtype ?? undefined });
    this.#weights.push(variable);
    return variable;
  }

  /** A variable that `build` has made. Throws where `call` is used without `apply`. */
  protected built(variable: Variable | null): Variable {
    if (variable !== null) return variable;
    throw new InvalidArgumentError(`${this.kind}: the cell has no variables yet: use apply(), not call()`);
  }

  /** The last dimension of the inputs, which must be [batch, n]. */
  protected inputDepth(inputs: TensorShape): number {
    const given = `the inputs have shape ${inputs.toString()}`;
    if (inputs.rank !== null && inputs.rank !== 2) {
      throw new InvalidArgumentError(`${this.kind}: the inputs must have rank 2, ${given}`);
    }
    const depth = inputs.dims === null ? null : inputs.dim(-1);
    if (depth !== null) return depth;
    throw new InvalidArgumentError(`${this.kind}: the last dimension of the inputs must be known, ${given}`);
  }

  /** Rejects sizes that are no positive integers. */
  protected requireUnits(units: number, what = 'numUnits'): void {
    if (Number.isInteger(units) && units > 0) return;
    throw new InvalidArgumentError(`${this.kind}: ${what} must be a positive integer, got ${units}`);
  }
}

/** `LayerNormBasicLSTMCell` -> `layer_norm_basic_lstm_cell`, as TensorFlow names layers. */
function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** Zeros of shape [batch] + size. */
export function zerosOf(batchSize: number | Tensor, size: number | TensorShape, dtype: DType): Tensor {
  const inner = typeof size === 'number' ? [size] : size.toStatic();
  if (typeof batchSize === 'number') return zeros([batchSize, ...inner], { dtype });
  const batch = convertToTensor([batchSize]);
  const result = zeros(concat([batch, convertToTensor(inner, { dtype: 'int32' })], 0), { dtype });
  result.setShape([null, ...inner]);
  return result;
}
