/** `BasicRNNCell` and `GRUCell`: cells whose state is their output. */
import {
  add,
  biasAdd,
  concat,
  matMul,
  mul,
  sigmoid,
  split,
  sub,
  tanh,
  type Tensor,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { constantInitializer, zerosInitializer } from './initializers.js';
import type { Activation } from './layer.js';
import { RNNCell, type ActivationOptions } from './rnnCell.js';

/**
 * The most basic cell (`tf.nn.rnn_cell.BasicRNNCell`): output = state = activation([inputs, state] kernel + bias).
 * Variables `kernel` [n + numUnits, numUnits] and `bias` [numUnits].
 */
export class BasicRNNCell extends RNNCell<Tensor> {
  static readonly kind = 'basic_rnn_cell';
  readonly #activation: Activation;
  #kernel: Variable | null = null;
  #bias: Variable | null = null;

  constructor(
    readonly numUnits: number,
    options: ActivationOptions = {},
  ) {
    super(options);
    this.requireUnits(numUnits);
    this.#activation = options.activation ?? tanh;
  }

  override get stateSize(): number {
    return this.numUnits;
  }

  override get outputSize(): number {
    return this.numUnits;
  }

  protected override build(inputs: TensorShape): void {
    const depth = this.inputDepth(inputs);
    this.#kernel = this.addWeight('kernel', [depth + this.numUnits, this.numUnits]);
    this.#bias = this.addWeight('bias', [this.numUnits], zerosInitializer());
  }

  override call(inputs: Tensor, state: Tensor): [Tensor, Tensor] {
    const product = matMul(concat([inputs, state], 1), this.built(this.#kernel));
    const output = this.#activation(biasAdd(product, this.built(this.#bias)));
    return [output, output];
  }
}

export interface GRUCellOptions extends ActivationOptions {
  readonly kernelInitializer?: Initializer | undefined;
  /** Default: ones for the gates, zeros for the candidate. */
  readonly biasInitializer?: Initializer | undefined;
}

/**
 * Gated recurrent unit (`tf.nn.rnn_cell.GRUCell`; Cho et al., 2014): with gates r, u = sigmoid([x, h] gates) and the
 * candidate c = activation([x, r h] candidate), the new state is u h + (1 - u) c. Variables `gates/kernel`
 * [n + numUnits, 2 numUnits], `gates/bias`, `candidate/kernel` [n + numUnits, numUnits], `candidate/bias`.
 */
export class GRUCell extends RNNCell<Tensor> {
  static readonly kind = 'gru_cell';
  readonly #activation: Activation;
  #gates: [Variable, Variable] | null = null;
  #candidate: [Variable, Variable] | null = null;

  constructor(
    readonly numUnits: number,
    private readonly settings: GRUCellOptions = {},
  ) {
    super(settings);
    this.requireUnits(numUnits);
    this.#activation = settings.activation ?? tanh;
  }

  override get stateSize(): number {
    return this.numUnits;
  }

  override get outputSize(): number {
    return this.numUnits;
  }

  protected override build(inputs: TensorShape): void {
    const { kernelInitializer, biasInitializer } = this.settings;
    const rows = this.inputDepth(inputs) + this.numUnits;
    const columns = 2 * this.numUnits;
    this.#gates = [
      this.addWeight('gates/kernel', [rows, columns], kernelInitializer),
      this.addWeight('gates/bias', [columns], biasInitializer ?? constantInitializer(1)),
    ];
    this.#candidate = [
      this.addWeight('candidate/kernel', [rows, this.numUnits], kernelInitializer),
      this.addWeight('candidate/bias', [this.numUnits], biasInitializer ?? zerosInitializer()),
    ];
  }

  override call(inputs: Tensor, state: Tensor): [Tensor, Tensor] {
    const gates = sigmoid(this.linear(inputs, state, this.#gates));
    const [r, u] = split(gates, 2, { axis: 1 }) as [Tensor, Tensor];
    const candidate = this.#activation(this.linear(inputs, mul(r, state), this.#candidate));
    const next = add(mul(u, state), mul(sub(1, u), candidate));
    return [next, next];
  }

  /** [inputs, state] kernel + bias */
  private linear(inputs: Tensor, state: Tensor, weights: [Variable, Variable] | null): Tensor {
    const [kernel, bias] = weights ?? [null, null];
    return biasAdd(matMul(concat([inputs, state], 1), this.built(kernel)), this.built(bias));
  }
}
