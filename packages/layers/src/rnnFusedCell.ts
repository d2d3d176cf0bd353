/** `LSTMBlockFusedCell`: an LSTM that is applied to all steps of a sequence at once. */
import {
  InvalidArgumentError,
  Tensor,
  blockLstm,
  cast,
  checkOptions,
  concat,
  convertToTensor,
  expandDims,
  gatherNd,
  mul,
  range,
  reduceMax,
  sequenceMask,
  slice,
  squeeze,
  stack,
  sub,
  transpose,
  unstack,
  type DType,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { FusedLSTMCell, type LSTMBlockCellOptions } from './rnnBlockCells.js';
import { LSTMStateTuple, type RNNState } from './rnnNest.js';
import { sequenceLengths, sizeAlong, startState } from './rnnSteps.js';

export interface FusedCallOptions {
  /** State before the first step. Default: zeros, for which `dtype` is needed. */
  readonly initialState?: LSTMStateTuple | undefined;
  /** Of the initial state. */
  readonly dtype?: DType | undefined;
  /** Number of steps of every sequence, int32 [batch]: outputs past it are zero, the state is the one there. */
  readonly sequenceLength?: TensorLike | undefined;
}

/** The variables of the fused cell, and the op; its inputs are [time, batch, n], maybe with the largest length. */
class FusedSteps extends FusedLSTMCell {
  static readonly kind = 'lstm_fused_cell';

  override takesNests(): boolean {
    return true;
  }

  protected override build(inputs: TensorShape): void {
    if (inputs.rank !== null && inputs.rank !== 3) {
      throw new InvalidArgumentError(
        `${this.kind}: the inputs must be [time, batch, n], they have shape ${inputs.toString()}`,
      );
    }
    this.makeWeights(this.inputDepth(inputs.rank === null ? inputs : inputs.slice(1)));
  }

  /** The outputs of all steps; the memories of all steps stand in the place of the state. */
  override call(inputs: RNNState, { c, h }: LSTMStateTuple): [Tensor, LSTMStateTuple] {
    const [x, last] = inputs as readonly [Tensor, Tensor];
    const steps = blockLstm(last, x, c, h, this.blockWeights, this.blockOptions);
    return [steps.h, new LSTMStateTuple(steps.cs, steps.h)];
  }
}

/**
 * LSTM over all steps at once (`tf.contrib.rnn.LSTMBlockFusedCell`; Zaremba et al., 2014), with the variables of
 * `LSTMBlockCell` in the scope `lstm_fused_cell`. The plan has one matrix product for the inputs of all steps.
 */
export class LSTMBlockFusedCell {
  readonly #steps: FusedSteps;

  constructor(
    readonly numUnits: number,
    options: LSTMBlockCellOptions = {},
  ) {
    this.#steps = new FusedSteps(numUnits, options);
  }

  /** All variables, in the order in which they were made. */
  get weights(): readonly Variable[] {
    return this.#steps.weights;
  }

  /** The full name of the variable scope. Empty before the first use. */
  get name(): string {
    return this.#steps.name;
  }

  /**
   * Runs over inputs [time, batch, n], or a list of [batch, n] with one tensor per step (`cell(inputs, …)` in
   * Python): `[outputs, state]`, outputs [time, batch, numUnits] or a list, and the last state. Throws
   * `InvalidArgumentError` where there is neither `initialState` nor `dtype`, and for inputs of another rank.
   */
  apply(inputs: readonly Tensor[], options?: FusedCallOptions): [Tensor[], LSTMStateTuple];
  apply(inputs: TensorLike, options?: FusedCallOptions): [Tensor, LSTMStateTuple];
  apply(
    inputs: TensorLike | readonly Tensor[],
    options: FusedCallOptions = {},
  ): [Tensor | Tensor[], LSTMStateTuple] {
    checkOptions('LSTMBlockFusedCell.apply', options, "{ dtype: 'float32' }");
    const list = Array.isArray(inputs) && inputs[0] instanceof Tensor;
    const x = list ? stack(inputs as readonly Tensor[]) : convertToTensor(inputs);
    if (x.shape.rank !== null && x.shape.rank !== 3) {
      throw new InvalidArgumentError(
        `LSTMBlockFusedCell: the inputs must be [time, batch, n], they have shape ${x.shape.toString()}`,
      );
    }
    const [outputs, state] = this.run(x, options);
    return [list ? unstack(outputs, { num: inputs.length }) : outputs, state];
  }

  private run(x: Tensor, options: FusedCallOptions): [Tensor, LSTMStateTuple] {
    const [time, batch] = [sizeAlong(x, 0), sizeAlong(x, 1)];
    const start = startState('LSTMBlockFusedCell', this.#steps, batch, options);
    const lengths = sequenceLengths('LSTMBlockFusedCell', options.sequenceLength, batch);
    const last = cast(lengths === null ? time : reduceMax(lengths), 'int64');
    const [all, { c }] = this.#steps.apply([x, last], start);
    if (lengths === null) return [all, new LSTMStateTuple(lastOf(c, time), lastOf(all, time))];
    const mask = transpose(sequenceMask(lengths, { maxlen: time, dtype: all.dtype }));
    const outputs = mul(all, expandDims(mask, -1));
    const end = (first: Tensor, steps: Tensor): Tensor =>
      gatherNd(concat([expandDims(first, 0), steps], 0), stack([lengths, range(batch)], { axis: 1 }));
    return [outputs, new LSTMStateTuple(end(start.c, c), end(start.h, outputs))];
  }
}

/** The last of `time` steps. */
function lastOf(steps: Tensor, time: number | Tensor): Tensor {
  const last = typeof time === 'number' ? time - 1 : sub(time, 1);
  return squeeze(slice(steps, [last, 0, 0], [1, -1, -1]), { axis: [0] });
}
