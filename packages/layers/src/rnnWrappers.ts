/** Cells made of cells: `MultiRNNCell`, `ResidualWrapper`, `DeviceWrapper`. */
import {
  InvalidArgumentError,
  add,
  concat,
  convertToTensor,
  device,
  nameScope,
  split,
  type DType,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { RNNCell, type ApplyCellOptions, type RNNCellOptions } from './rnnCell.js';
import { flattenNest, type RNNState, type StateSize } from './rnnNest.js';
import { variableScope } from './variableScope.js';

export interface MultiRNNCellOptions extends RNNCellOptions {
  /** `false`: one state, the cells' states side by side; say so as `new MultiRNNCell<Tensor, Tensor>(…)` too. */
  readonly stateIsTuple?: boolean | undefined;
}

/**
 * Cells on top of each other (`tf.nn.rnn_cell.MultiRNNCell`): each takes the output of the one before. Its state is
 * the list of their states. Variables are in `multi_rnn_cell/cell_0/…`. Every layer needs a cell of its own.
 */
export class MultiRNNCell<
  S extends RNNState = RNNState,
  M extends RNNState = readonly S[],
> extends RNNCell<M> {
  static readonly kind = 'multi_rnn_cell';
  readonly #stateIsTuple: boolean;
  readonly #last: RNNCell<S>;

  constructor(
    readonly cells: readonly RNNCell<S>[],
    options: MultiRNNCellOptions = {},
  ) {
    super(options);
    if (!isList(cells)) throw new InvalidArgumentError('MultiRNNCell: cells must be a list of cells');
    const last = cells.at(-1);
    if (last === undefined) throw new InvalidArgumentError('MultiRNNCell: there must be at least one cell');
    if (new Set(cells).size !== cells.length) {
      throw new InvalidArgumentError('MultiRNNCell: a cell stands twice in the list; make one per layer');
    }
    this.#last = last;
    this.#stateIsTuple = options.stateIsTuple ?? true;
    if (!this.#stateIsTuple && cells.some(({ stateSize }) => typeof stateSize !== 'number')) {
      throw new InvalidArgumentError(
        'MultiRNNCell: stateIsTuple is false, but some cells have states of parts',
      );
    }
  }

  override get stateSize(): StateSize {
    const sizes = this.cells.map((cell) => cell.stateSize);
    return this.#stateIsTuple ? sizes : this.flatSizes().reduce((sum, size) => sum + size, 0);
  }

  override takesNests(): boolean {
    return this.cells[0]?.takesNests() ?? false;
  }

  override get outputSize(): number | TensorShape {
    return this.#last.outputSize;
  }

  override get weights(): readonly Variable[] {
    return this.cells.flatMap(({ weights }) => weights);
  }

  override get trainableWeights(): readonly Variable[] {
    return this.cells.flatMap(({ trainableWeights }) => trainableWeights);
  }

  override zeroState(batchSize: number | Tensor, dtype: DType): M {
    if (!this.#stateIsTuple) return super.zeroState(batchSize, dtype);
    return nameScope(`${this.kind}_zero_state`, () =>
      this.pack(this.cells.map((cell) => cell.zeroState(batchSize, dtype))),
    );
  }

  override call(inputs: Tensor, state: M): [Tensor, M] {
    const states = this.unpack(state);
    let output = inputs;
    const next = this.cells.flatMap((cell, i) =>
      states.slice(i, i + 1).map((own) =>
        variableScope(`cell_${i}`, () => {
          const [y, newState] = cell.apply(output, own);
          output = y;
          return newState;
        }),
      ),
    );
    return [output, this.pack(next)];
  }

  private flatSizes(): number[] {
    return this.cells.map(({ stateSize }) => Number(stateSize));
  }

  private unpack(state: M): readonly S[] {
    // M is a list of S, or with stateIsTuple false the tensor that holds the states side by side.
    if (this.#stateIsTuple) return state as readonly S[];
    return split(state as Tensor, this.flatSizes(), { axis: 1 }) as RNNState[] as S[];
  }

  private pack(states: readonly S[]): M {
    const state: RNNState = this.#stateIsTuple ? states : concat(flattenNest<Tensor>(states), 1);
    return state as M;
  }
}

/** `Array.isArray` that keeps the type of the elements. */
function isList<T>(value: readonly T[]): boolean {
  return Array.isArray(value);
}

/** A cell around another, with its state and variables: opens no scope of its own. */
export abstract class CellWrapper<S extends RNNState> extends RNNCell<S> {
  protected constructor(readonly cell: RNNCell<S>) {
    super();
    if (!(cell instanceof RNNCell))
      throw new InvalidArgumentError(`${this.kind}: the first argument must be a cell`);
  }

  override get stateSize(): StateSize {
    return this.cell.stateSize;
  }

  override get outputSize(): number | TensorShape {
    return this.cell.outputSize;
  }

  override get weights() {
    return this.cell.weights;
  }

  override get trainableWeights() {
    return this.cell.trainableWeights;
  }

  override get name(): string {
    return this.cell.name;
  }

  override zeroState(batchSize: number | Tensor, dtype: DType): S {
    return this.cell.zeroState(batchSize, dtype);
  }

  abstract override apply(inputs: TensorLike, state: S, options?: ApplyCellOptions): [Tensor, S];

  override call(inputs: Tensor, state: S): [Tensor, S] {
    return this.apply(inputs, state);
  }
}

export interface ResidualWrapperOptions {
  /** Combines inputs and outputs; default: their sum, for which the shapes must be equal. */
  readonly residualFn?: ((inputs: Tensor, outputs: Tensor) => Tensor) | undefined;
}

/** Adds the inputs to the outputs (`tf.nn.rnn_cell.ResidualWrapper`; Wu et al., 2016). */
export class ResidualWrapper<S extends RNNState = RNNState> extends CellWrapper<S> {
  static readonly kind = 'residual_wrapper';

  constructor(
    cell: RNNCell<S>,
    private readonly settings: ResidualWrapperOptions = {},
  ) {
    super(cell);
  }

  override apply(inputs: TensorLike, state: S, options?: ApplyCellOptions): [Tensor, S] {
    const x = convertToTensor(inputs);
    const [output, newState] = this.cell.apply(x, state, options);
    return [(this.settings.residualFn ?? sumOfEqualShapes)(x, output), newState];
  }
}

function sumOfEqualShapes(inputs: Tensor, outputs: Tensor): Tensor {
  if (!inputs.shape.isCompatibleWith(outputs.shape)) {
    throw new InvalidArgumentError(
      `ResidualWrapper: inputs ${inputs.shape.toString()} and outputs ${outputs.shape.toString()} must have one shape`,
    );
  }
  return add(inputs, outputs);
}

/** Labels the operations of a cell with a device (`tf.nn.rnn_cell.DeviceWrapper`). Labels are kept, not obeyed. */
export class DeviceWrapper<S extends RNNState = RNNState> extends CellWrapper<S> {
  static readonly kind = 'device_wrapper';

  constructor(
    cell: RNNCell<S>,
    readonly device: string,
  ) {
    super(cell);
  }

  override zeroState(batchSize: number | Tensor, dtype: DType): S {
    return device(this.device, () => super.zeroState(batchSize, dtype));
  }

  override apply(inputs: TensorLike, state: S, options?: ApplyCellOptions): [Tensor, S] {
    return device(this.device, () => this.cell.apply(inputs, state, options));
  }
}
