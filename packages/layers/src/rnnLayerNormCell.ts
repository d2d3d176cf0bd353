/** `LayerNormBasicLSTMCell`: an LSTM whose gates are normalized. */
import {
  add,
  biasAdd,
  concat,
  matMul,
  moments,
  mul,
  sigmoid,
  split,
  tanh,
  type Tensor,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { constantInitializer, zerosInitializer } from './initializers.js';
import { dropout } from './nnDropout.js';
import { batchNormalization } from './nnNorms.js';
import { RNNCell, type ActivationOptions } from './rnnCell.js';
import { LSTMStateTuple } from './rnnNest.js';

export interface LayerNormBasicLSTMCellOptions extends ActivationOptions {
  readonly forgetBias?: number | undefined;
  /** `false`: no normalization but a bias. Default `true`. */
  readonly layerNorm?: boolean | undefined;
  /** Initial value of the gains. Default 1. */
  readonly normGain?: number | undefined;
  /** Initial value of the shifts. Default 0. */
  readonly normShift?: number | undefined;
  /** Recurrent dropout of the new input (Semeniuta et al., 2016). Default 1: none. */
  readonly dropoutKeepProb?: number | Tensor | undefined;
  readonly dropoutProbSeed?: number | undefined;
}

const NORMS = ['input', 'transform', 'forget', 'output', 'state'] as const;
type Norm = (typeof NORMS)[number];
interface Scale {
  readonly gamma: Variable;
  readonly beta: Variable;
}

/**
 * LSTM with layer normalization and recurrent dropout (`tf.contrib.rnn.LayerNormBasicLSTMCell`; Ba et al., 2016).
 * Variables `kernel`, and `input/gamma`, `input/beta` and the same for `transform`, `forget`, `output`, `state`;
 * `bias` without normalization.
 */
export class LayerNormBasicLSTMCell extends RNNCell<LSTMStateTuple> {
  static readonly kind = 'layer_norm_basic_lstm_cell';
  #kernel: Variable | null = null;
  #bias: Variable | null = null;
  readonly #scales = new Map<Norm, Scale>();

  constructor(
    readonly numUnits: number,
    private readonly settings: LayerNormBasicLSTMCellOptions = {},
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

  protected override build(inputs: TensorShape): void {
    const { numUnits, settings } = this;
    const { layerNorm = true, normGain = 1, normShift = 0 } = settings;
    this.#kernel = this.addWeight('kernel', [this.inputDepth(inputs) + numUnits, 4 * numUnits]);
    if (!layerNorm) {
      this.#bias = this.addWeight('bias', [4 * numUnits], zerosInitializer());
      return;
    }
    for (const norm of NORMS) {
      this.#scales.set(norm, {
        gamma: this.addWeight(`${norm}/gamma`, [numUnits], constantInitializer(normGain)),
        beta: this.addWeight(`${norm}/beta`, [numUnits], constantInitializer(normShift)),
      });
    }
  }

  override call(inputs: Tensor, { c, h }: LSTMStateTuple): [Tensor, LSTMStateTuple] {
    const { forgetBias = 1, activation = tanh } = this.settings;
    const product = matMul(concat([inputs, h], 1), this.built(this.#kernel));
    const all = this.#bias === null ? product : biasAdd(product, this.#bias);
    const [i, j, f, o] = split(all, 4, { axis: 1 }) as [Tensor, Tensor, Tensor, Tensor];
    const added = this.dropped(activation(this.normalize('transform', j)));
    const kept = mul(c, sigmoid(add(this.normalize('forget', f), forgetBias)));
    const memory = add(kept, mul(sigmoid(this.normalize('input', i)), added));
    const newC = this.normalize('state', memory);
    const newH = mul(activation(newC), sigmoid(this.normalize('output', o)));
    return [newH, new LSTMStateTuple(newC, newH)];
  }

  private normalize(norm: Norm, x: Tensor): Tensor {
    const scale = this.#scales.get(norm);
    if (scale === undefined) return x;
    const [mean, variance] = moments(x, [1], { keepDims: true });
    return batchNormalization(x, mean, variance, scale.beta, scale.gamma, 1e-12);
  }

  private dropped(x: Tensor): Tensor {
    const { dropoutKeepProb: keepProb = 1, dropoutProbSeed: seed } = this.settings;
    return keepProb === 1 ? x : dropout(x, { keepProb, seed });
  }
}
