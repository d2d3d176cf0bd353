/** `BasicLSTMCell` and `LSTMCell`: cells with a memory beside their output. */
import {
  add,
  biasAdd,
  clipByValue,
  concat,
  matMul,
  mul,
  sigmoid,
  split,
  tanh,
  type Tensor,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { zerosInitializer } from './initializers.js';
import type { Activation } from './layer.js';
import { RNNCell, type ActivationOptions } from './rnnCell.js';
import { LSTMStateTuple } from './rnnNest.js';

/** The state of an LSTM: a pair or, with `stateIsTuple: false`, the concatenation [c, h]. */
export type LSTMState = LSTMStateTuple | Tensor;

export interface BasicLSTMCellOptions extends ActivationOptions {
  /** Added to the forget gates, so that training begins by remembering. Default 1; 0 for weights of CudnnLSTM. */
  readonly forgetBias?: number | undefined;
  /** `false`: state [batch, 2 n], as before TensorFlow 1. Say so as `new BasicLSTMCell<Tensor>(…)` too. */
  readonly stateIsTuple?: boolean | undefined;
}

/** What the LSTM cells share: the form of the state, the gates. */
abstract class AnyLSTMCell<S extends LSTMState> extends RNNCell<S> {
  protected readonly activation: Activation;
  protected readonly forgetBias: number;
  readonly #stateIsTuple: boolean;

  constructor(
    readonly numUnits: number,
    options: BasicLSTMCellOptions,
  ) {
    super(options);
    this.requireUnits(numUnits);
    this.activation = options.activation ?? tanh;
    this.forgetBias = options.forgetBias ?? 1;
    this.#stateIsTuple = options.stateIsTuple ?? true;
  }

  abstract override get outputSize(): number;

  override get stateSize(): LSTMStateTuple<number> | number {
    const { numUnits, outputSize } = this;
    return this.#stateIsTuple ? new LSTMStateTuple(numUnits, outputSize) : numUnits + outputSize;
  }

  /** c and h of a state in either form. */
  protected unpack(state: LSTMState): [Tensor, Tensor] {
    if (state instanceof LSTMStateTuple) return [state.c, state.h];
    return split(state, [this.numUnits, this.outputSize], { axis: 1 }) as [Tensor, Tensor];
  }

  /** The state of c and h, in the form that the constructor was asked for and that S therefore is. */
  protected pack(c: Tensor, h: Tensor): S {
    const state: LSTMState = this.#stateIsTuple ? new LSTMStateTuple(c, h) : concat([c, h], 1);
    return state as S;
  }

  /** The four gates before their nonlinearities: i (input), j (new input), f (forget), o (output). */
  protected gates(inputs: Tensor, h: Tensor, kernel: Variable, bias: Variable): Gates {
    const all = biasAdd(matMul(concat([inputs, h], 1), kernel), bias);
    return split(all, 4, { axis: 1 }) as Gates;
  }
}

type Gates = [i: Tensor, j: Tensor, f: Tensor, o: Tensor];

/**
 * The basic LSTM cell (`tf.nn.rnn_cell.BasicLSTMCell`; Hochreiter and Schmidhuber, 1997; forget bias as in Zaremba et
 * al., 2014). Variables `kernel` [n + numUnits, 4 numUnits], gates in the order i, j, f, o, and `bias`.
 */
export class BasicLSTMCell<S extends LSTMState = LSTMStateTuple> extends AnyLSTMCell<S> {
  static readonly kind = 'basic_lstm_cell';
  #kernel: Variable | null = null;
  #bias: Variable | null = null;

  constructor(numUnits: number, options: BasicLSTMCellOptions = {}) {
    super(numUnits, options);
  }

  override get outputSize(): number {
    return this.numUnits;
  }

  protected override build(inputs: TensorShape): void {
    const rows = this.inputDepth(inputs) + this.numUnits;
    this.#kernel = this.addWeight('kernel', [rows, 4 * this.numUnits]);
    this.#bias = this.addWeight('bias', [4 * this.numUnits], zerosInitializer());
  }

  override call(inputs: Tensor, state: S): [Tensor, S] {
    const [c, h] = this.unpack(state);
    const [i, j, f, o] = this.gates(inputs, h, this.built(this.#kernel), this.built(this.#bias));
    const kept = mul(c, sigmoid(add(f, this.forgetBias)));
    const newC = add(kept, mul(sigmoid(i), this.activation(j)));
    const newH = mul(this.activation(newC), sigmoid(o));
    return [newH, this.pack(newC, newH)];
  }
}

export interface LSTMCellOptions extends BasicLSTMCellOptions {
  /** Diagonal connections from the memory to the gates. Default `false`. */
  readonly usePeepholes?: boolean | undefined;
  /** Bound of the memory's absolute value. */
  readonly cellClip?: number | undefined;
  /** Of kernel, peepholes and projection. */
  readonly initializer?: Initializer | undefined;
  /** Size of a projection of the output. */
  readonly numProj?: number | undefined;
  /** Bound of the projection's absolute value; needs `numProj`. */
  readonly projClip?: number | undefined;
}

/**
 * LSTM cell with peepholes, clipping and projection (`tf.nn.rnn_cell.LSTMCell`; Sak et al., 2014). Variables `kernel`
 * [n + outputs, 4 numUnits] and `bias`, `w_f_diag`, `w_i_diag`, `w_o_diag` [numUnits] with peepholes,
 * `projection/kernel` [numUnits, numProj] with a projection.
 */
export class LSTMCell<S extends LSTMState = LSTMStateTuple> extends AnyLSTMCell<S> {
  static readonly kind = 'lstm_cell';
  #kernel: Variable | null = null;
  #bias: Variable | null = null;
  #peepholes: { readonly f: Variable; readonly i: Variable; readonly o: Variable } | null = null;
  #projection: Variable | null = null;

  constructor(
    numUnits: number,
    private readonly settings: LSTMCellOptions = {},
  ) {
    super(numUnits, settings);
    if (settings.numProj !== undefined) this.requireUnits(settings.numProj, 'numProj');
  }

  override get outputSize(): number {
    return this.settings.numProj ?? this.numUnits;
  }

  protected override build(inputs: TensorShape): void {
    const { usePeepholes = false, initializer, numProj } = this.settings;
    const rows = this.inputDepth(inputs) + this.outputSize;
    this.#kernel = this.addWeight('kernel', [rows, 4 * this.numUnits], initializer);
    this.#bias = this.addWeight('bias', [4 * this.numUnits], zerosInitializer());
    const diagonal = (name: string): Variable => this.addWeight(name, [this.numUnits], initializer);
    if (usePeepholes) {
      this.#peepholes = { f: diagonal('w_f_diag'), i: diagonal('w_i_diag'), o: diagonal('w_o_diag') };
    }
    if (numProj !== undefined) {
      this.#projection = this.addWeight('projection/kernel', [this.numUnits, numProj], initializer);
    }
  }

  override call(inputs: Tensor, state: S): [Tensor, S] {
    const { cellClip } = this.settings;
    const [c, h] = this.unpack(state);
    const [i, j, f, o] = this.gates(inputs, h, this.built(this.#kernel), this.built(this.#bias));
    const peep = (gate: Tensor, from: 'f' | 'i' | 'o', memory: Tensor): Tensor =>
      this.#peepholes === null ? gate : add(gate, mul(this.#peepholes[from], memory));
    const forget = sigmoid(peep(add(f, this.forgetBias), 'f', c));
    const memory = add(mul(forget, c), mul(sigmoid(peep(i, 'i', c)), this.activation(j)));
    const newC = cellClip === undefined ? memory : clipByValue(memory, -cellClip, cellClip);
    const newH = this.project(mul(sigmoid(peep(o, 'o', newC)), this.activation(newC)));
    return [newH, this.pack(newC, newH)];
  }

  private project(h: Tensor): Tensor {
    const { projClip } = this.settings;
    if (this.#projection === null) return h;
    const projected = matMul(h, this.#projection);
    return projClip === undefined ? projected : clipByValue(projected, -projClip, projClip);
  }
}
