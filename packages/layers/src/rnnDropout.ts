/** `DropoutWrapper`: dropout at a cell's inputs, outputs and states. */
import type { TensorShape } from '@forerun/graph';
import {
  InvalidArgumentError,
  Tensor,
  add,
  convertToTensor,
  div,
  floor,
  mul,
  randomUniform,
  type DType,
  type TensorLike,
} from '@forerun/graph';
import { dropout } from './nnDropout.js';
import type { ApplyCellOptions, RNNCell } from './rnnCell.js';
import {
  LSTMStateTuple,
  flattenNest,
  mapNest,
  partsOf,
  withParts,
  type Nest,
  type RNNState,
} from './rnnNest.js';
import { CellWrapper } from './rnnWrappers.js';

/**
 * Decides for a part of the state: `true` drops in all of it (parts of parts are asked again), `false` in none,
 * a structure of such values decides for the parts one level down.
 */
export type StateFilter = (state: RNNState) => Nest<boolean>;

export interface DropoutWrapperOptions {
  /** Probability of keeping an element of the inputs: a number or a scalar. Default 1. */
  readonly inputKeepProb?: number | Tensor | undefined;
  /** Of the outputs. Default 1. */
  readonly outputKeepProb?: number | Tensor | undefined;
  /** Of the states. Default 1. */
  readonly stateKeepProb?: number | Tensor | undefined;
  /** One mask for all steps and all sequences of the batch (Gal and Ghahramani, 2015). Default `false`. */
  readonly variationalRecurrent?: boolean | undefined;
  /** Depth of the inputs; needed for variational dropout of the inputs. */
  readonly inputSize?: number | TensorShape | undefined;
  /** Of the masks; needed for variational dropout. */
  readonly dtype?: DType | undefined;
  readonly seed?: number | undefined;
  /** Which parts of the state to drop in. Default: all, but of an LSTM's state only `h`. */
  readonly dropoutStateFilter?: StateFilter | undefined;
}

type Place = 'input' | 'state' | 'output';

/**
 * Adds dropout to a cell (`tf.nn.rnn_cell.DropoutWrapper`): to the inputs before the step, to the new state and the
 * output after it. Throws `InvalidArgumentError` for a probability outside (0, 1].
 */
export class DropoutWrapper<S extends RNNState = RNNState> extends CellWrapper<S> {
  static readonly kind = 'dropout_wrapper';
  readonly #keep: Readonly<Record<Place, number | Tensor>>;
  /** Masks of variational dropout: uniform numbers, one tensor per leaf. */
  readonly #noise: Readonly<Record<Place, readonly Tensor[]>> | null;

  constructor(
    cell: RNNCell<S>,
    private readonly settings: DropoutWrapperOptions = {},
  ) {
    super(cell);
    this.#keep = {
      input: probability('inputKeepProb', settings.inputKeepProb),
      state: probability('stateKeepProb', settings.stateKeepProb),
      output: probability('outputKeepProb', settings.outputKeepProb),
    };
    this.#noise = settings.variationalRecurrent === true ? this.makeNoise() : null;
  }

  override apply(inputs: TensorLike, state: S, options?: ApplyCellOptions): [Tensor, S] {
    const x = this.drop('input', convertToTensor(inputs), 0);
    const [output, newState] = this.cell.apply(x, state, options);
    return [this.drop('output', output, 0), this.drops('state') ? this.dropState(newState) : newState];
  }

  private drops(place: Place): boolean {
    return this.#keep[place] !== 1;
  }

  private drop(place: Place, value: Tensor, index: number): Tensor {
    if (!this.drops(place)) return value;
    const noise = this.#noise?.[place][index];
    const keepProb = this.#keep[place];
    if (noise === undefined) return dropout(value, { keepProb, seed: this.seedOf(place, index) });
    // floor(keepProb + u) is 1 with probability keepProb.
    return mul(div(value, keepProb), floor(add(noise, keepProb)));
  }

  private dropState(state: S): S {
    const filter = this.settings.dropoutStateFilter ?? sparesMemory;
    let index = 0;
    const walk = (part: RNNState, decision: Nest<boolean>): RNNState => {
      const parts = partsOf(part);
      if (decision === false || parts === null) {
        const first = index;
        index += flattenNest(part).length;
        return decision !== false && part instanceof Tensor ? this.drop('state', part, first) : part;
      }
      const decisions = decision === true ? parts.map(filter) : (partsOf(decision) ?? []);
      return withParts(
        part,
        parts.map((child, i) => walk(child, decisions[i] ?? true)),
      );
    };
    // The walk keeps the structure.
    return walk(state, filter(state)) as S;
  }

  private makeNoise(): Record<Place, readonly Tensor[]> {
    const { dtype, inputSize } = this.settings;
    if (dtype === undefined)
      throw new InvalidArgumentError('DropoutWrapper: variationalRecurrent needs the option "dtype"');
    if (this.drops('input') && inputSize === undefined) {
      throw new InvalidArgumentError(
        'DropoutWrapper: variationalRecurrent with inputKeepProb below 1 needs the option "inputSize"',
      );
    }
    const noise = (place: Place, sizes: readonly (number | TensorShape)[]): Tensor[] =>
      this.drops(place)
        ? sizes.map((size, i) => randomUniform(rowOf(size), { dtype, seed: this.seedOf(place, i) }))
        : [];
    return {
      input: noise('input', [inputSize ?? 1]),
      state: noise('state', flattenNest(this.cell.stateSize)),
      output: noise('output', [this.outputSize]),
    };
  }

  /** Different seeds for every place, from the one given: an FNV hash of both. */
  private seedOf(place: Place, index: number): number | undefined {
    const { seed } = this.settings;
    if (seed === undefined) return undefined;
    let hash = 0x811c9dc5;
    for (const letter of `${seed}${place}_${index}`)
      hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
    return hash & 0x7fffffff;
  }
}

/** A mask's shape: one row for the whole batch. */
function rowOf(size: number | TensorShape): number[] {
  return [1, ...(typeof size === 'number' ? [size] : size.toStatic())];
}

/** The default filter: an LSTM's memory is not dropped. */
function sparesMemory(state: RNNState): Nest<boolean> {
  return state instanceof LSTMStateTuple
    ? mapNest<unknown, boolean>(new LSTMStateTuple(0, 1), Boolean)
    : true;
}

function probability(name: string, value: number | Tensor = 1): number | Tensor {
  if (typeof value !== 'number' || (value > 0 && value <= 1)) return value;
  throw new InvalidArgumentError(`DropoutWrapper: ${name} must be in (0, 1], got ${value}`);
}
