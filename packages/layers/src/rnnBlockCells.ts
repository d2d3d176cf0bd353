/** `LSTMBlockCell`, `GRUBlockCell` and `GRUBlockCellV2`: cells of which a step is one op of the graph. */
import {
  gruBlockCell,
  lstmBlockCell,
  type BlockLstmOptions,
  type BlockLstmWeights,
  type Tensor,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { constantInitializer, zerosInitializer } from './initializers.js';
import { RNNCell, type RNNCellOptions } from './rnnCell.js';
import { LSTMStateTuple } from './rnnNest.js';

export interface LSTMBlockCellOptions extends RNNCellOptions {
  /** Added to the forget gates. Default 1. */
  readonly forgetBias?: number | undefined;
  /** Bound of the memory's absolute value. Default: none. */
  readonly cellClip?: number | undefined;
  /** Diagonal connections from the memory to the gates. Default `false`. */
  readonly usePeephole?: boolean | undefined;
}

/** What a fused LSTM cell shares with the same cell over all steps: variables and attributes. */
export abstract class FusedLSTMCell extends RNNCell<LSTMStateTuple> {
  #kernel: Variable | null = null;
  #bias: Variable | null = null;
  #peepholes: readonly [Variable, Variable, Variable] | undefined;

  constructor(
    readonly numUnits: number,
    private readonly settings: LSTMBlockCellOptions,
  ) {
    super(settings);
    this.requireUnits(numUnits);
  }

  override get stateSize(): LSTMStateTuple<number> {
    return new LSTMStateTuple(this.numUnits, this.numUnits);
  }

  override get outputSize(): number {
    return this.numUnits;
  }

  /** Makes the variables for `inputs` columns. */
  protected makeWeights(inputs: number): void {
    const { numUnits } = this;
    this.#kernel = this.addWeight('kernel', [inputs + numUnits, 4 * numUnits]);
    this.#bias = this.addWeight('bias', [4 * numUnits], zerosInitializer());
    const diagonal = (name: string): Variable => this.addWeight(name, [numUnits]);
    if (this.settings.usePeephole !== true) return;
    this.#peepholes = [diagonal('w_i_diag'), diagonal('w_f_diag'), diagonal('w_o_diag')];
  }

  protected get blockWeights(): BlockLstmWeights {
    return { w: this.built(this.#kernel), b: this.built(this.#bias), peepholes: this.#peepholes };
  }

  protected get blockOptions(): BlockLstmOptions {
    const { forgetBias = 1, cellClip = -1, usePeephole = false } = this.settings;
    return { forgetBias, cellClip, usePeephole };
  }
}

/**
 * LSTM cell of one op (`tf.contrib.rnn.LSTMBlockCell`; Zaremba et al., 2014), with the variables of `LSTMCell` under the same
 * names: `kernel` [n + numUnits, 4 numUnits], gates in the order i, j, f, o, `bias`, and `w_i_diag`, `w_f_diag`, `w_o_diag`
 * with peepholes. Clipping lets gradients pass, as in TensorFlow.
 */
export class LSTMBlockCell extends FusedLSTMCell {
  static readonly kind = 'lstm_cell';

  constructor(numUnits: number, options: LSTMBlockCellOptions = {}) {
    super(numUnits, options);
  }

  protected override build(inputs: TensorShape): void {
    this.makeWeights(this.inputDepth(inputs));
  }

  override call(inputs: Tensor, { c, h }: LSTMStateTuple): [Tensor, LSTMStateTuple] {
    const step = lstmBlockCell(inputs, c, h, this.blockWeights, this.blockOptions);
    return [step.h, new LSTMStateTuple(step.cs, step.h)];
  }
}

/** Names of a GRU's variables: gates and their bias, candidate and its bias. */
type GruNames = readonly [gates: string, gateBias: string, candidate: string, candidateBias: string];

/**
 * Gated recurrent unit of one op (`tf.contrib.rnn.GRUBlockCell`; Cho et al., 2014). Variables `w_c` [n + numUnits, 2 numUnits] and
 * `b_ru` of the gates, `w_ru` [n + numUnits, numUnits] and `b_c` of the candidate: TensorFlow has the names of the two
 * matrices exchanged, and so have its checkpoints. `GRUBlockCellV2` has the names of `GRUCell`.
 */
export class GRUBlockCell extends RNNCell<Tensor> {
  static readonly kind: string = 'gru_cell';
  #weights: readonly Variable[] = [];
  protected readonly names: GruNames = ['w_c', 'b_ru', 'w_ru', 'b_c'];

  constructor(
    readonly numUnits: number,
    options: RNNCellOptions = {},
  ) {
    super(options);
    this.requireUnits(numUnits);
  }

  override get stateSize(): number {
    return this.numUnits;
  }

  override get outputSize(): number {
    return this.numUnits;
  }

  protected override build(inputs: TensorShape): void {
    const { numUnits, names } = this;
    const rows = this.inputDepth(inputs) + numUnits;
    this.#weights = [
      this.addWeight(names[0], [rows, 2 * numUnits]),
      this.addWeight(names[1], [2 * numUnits], constantInitializer(1)),
      this.addWeight(names[2], [rows, numUnits]),
      this.addWeight(names[3], [numUnits], zerosInitializer()),
    ];
  }

  override call(inputs: Tensor, state: Tensor): [Tensor, Tensor] {
    const [wRu, bRu, wC, bC] = [0, 1, 2, 3].map((i) => this.built(this.#weights[i] ?? null)) as [
      ...[Variable, Variable],
      ...[Variable, Variable],
    ];
    const { h } = gruBlockCell(inputs, state, { wRu, wC, bRu, bC });
    return [h, h];
  }
}

/** `GRUBlockCell` with the variables of `GRUCell` (`tf.contrib.rnn.GRUBlockCellV2`): `gates/kernel` and so on. */
export class GRUBlockCellV2 extends GRUBlockCell {
  static override readonly kind = 'gru_cell';
  protected override readonly names: GruNames = [
    ...(['gates/kernel', 'gates/bias'] as const),
    ...(['candidate/kernel', 'candidate/bias'] as const),
  ];
}
