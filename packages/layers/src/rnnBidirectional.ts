/** Cells that run in both directions over time. */
import {
  checkOptions,
  concat,
  convertToTensor,
  reverse,
  reverseSequence,
  stack,
  unstack,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import type { RNNCell } from './rnnCell.js';
import type { RNNState } from './rnnNest.js';
import { batchSizeOf, inputList, staticRnn } from './rnnStatic.js';
import { dynamicRnn, requireSteps, type LoopOptions } from './rnnDynamic.js';
import { requireCell, sequenceLengths, sizeAlong, type RNNOptions } from './rnnSteps.js';
import { variableScope } from './variableScope.js';

/** Options of a run in both directions. */
export interface BidirectionalOptions<F, B> extends Omit<RNNOptions<F>, 'initialState'> {
  readonly initialStateFw?: F | undefined;
  readonly initialStateBw?: B | undefined;
}

/**
 * Runs one cell forwards and another backwards over a list of inputs (`tf.nn.static_bidirectional_rnn`; Schuster and
 * Paliwal, 1997): `[outputs, stateFw, stateBw]`, an output being both cells' outputs side by side. With lengths
 * every sequence is reversed within its own. Scope `bidirectional_rnn`, with `fw` and `bw` in it.
 */
export function staticBidirectionalRnn<F extends RNNState, B extends RNNState>(
  cellFw: RNNCell<F>,
  cellBw: RNNCell<B>,
  inputs: readonly TensorLike[],
  options: BidirectionalOptions<F, B> = {},
): [Tensor[], F, B] {
  const caller = 'staticBidirectionalRnn';
  requireCell(caller, cellFw, 'cellFw');
  requireCell(caller, cellBw, 'cellBw');
  checkOptions(caller, options, "{ dtype: 'float32' }");
  const steps = inputList(caller, inputs);
  const { initialStateFw, initialStateBw, dtype, sequenceLength, scope = 'bidirectional_rnn' } = options;
  const shared = { dtype, sequenceLength };
  return variableScope(scope, () => {
    const [forward, stateFw] = variableScope('fw', (fw) =>
      staticRnn(cellFw, steps, { ...shared, initialState: initialStateFw, scope: fw }),
    );
    const [backward, stateBw] = variableScope('bw', (bw) => {
      const lengths = sequenceLengths(caller, sequenceLength, batchSizeOf(steps));
      const [ys, state] = staticRnn(cellBw, reverseSteps(steps, lengths), {
        ...shared,
        initialState: initialStateBw,
        scope: bw,
      });
      return [reverseSteps(ys, lengths), state] as const;
    });
    const outputs = forward.map((y, i) => concat([y, ...backward.slice(i, i + 1)], 1));
    return [outputs, stateFw, stateBw];
  });
}

/** Steps in reverse, within the lengths where there are some. */
function reverseSteps(steps: readonly Tensor[], lengths: Tensor | null): Tensor[] {
  if (lengths === null) return [...steps].reverse();
  return unstack(reverseSequence(stack(steps), lengths, { seqAxis: 0, batchAxis: 1 }));
}

export interface BidirectionalDynamicOptions<F, B> extends BidirectionalOptions<F, B>, LoopOptions {
  /** Whether inputs and outputs are [time, batch, ...] rather than [batch, time, ...]. Default `false`. */
  readonly timeMajor?: boolean | undefined;
}

/**
 * Runs one cell forwards and another backwards over inputs [batch, time, n] (`tf.nn.bidirectional_dynamic_rnn`):
 * `[[outputsFw, outputsBw], [stateFw, stateBw]]`. See `dynamicRnn`; with lengths every sequence is reversed
 * within its own. Scope `bidirectional_rnn`, with `fw` and `bw` in it.
 */
export function bidirectionalDynamicRnn<F extends RNNState, B extends RNNState>(
  cellFw: RNNCell<F>,
  cellBw: RNNCell<B>,
  inputs: TensorLike,
  options: BidirectionalDynamicOptions<F, B> = {},
): [outputs: [Tensor, Tensor], states: [F, B]] {
  const caller = 'bidirectionalDynamicRnn';
  requireCell(caller, cellFw, 'cellFw');
  requireCell(caller, cellBw, 'cellBw');
  checkOptions(caller, options, "{ dtype: 'float32' }");
  const { initialStateFw, initialStateBw, scope = 'bidirectional_rnn', ...shared } = options;
  return variableScope(scope, () => {
    const x = convertToTensor(inputs);
    requireSteps(caller, x);
    const [forward, stateFw] = variableScope('fw', (fw) =>
      dynamicRnn(cellFw, x, { ...shared, initialState: initialStateFw, scope: fw }),
    );
    const [backward, stateBw] = variableScope('bw', (bw) => {
      const turn = (y: Tensor): Tensor => reverseTime(caller, y, options);
      const [y, state] = dynamicRnn(cellBw, turn(x), { ...shared, initialState: initialStateBw, scope: bw });
      return [turn(y), state] as const;
    });
    return [
      [forward, backward],
      [stateFw, stateBw],
    ];
  });
}

/** Time in reverse, within the lengths where there are some. */
function reverseTime<F, B>(
  caller: string,
  x: Tensor,
  { sequenceLength, timeMajor = false }: BidirectionalDynamicOptions<F, B>,
): Tensor {
  const [seqAxis, batchAxis] = timeMajor ? [0, 1] : [1, 0];
  const lengths = sequenceLengths(caller, sequenceLength, sizeAlong(x, batchAxis));
  return lengths === null ? reverse(x, [seqAxis]) : reverseSequence(x, lengths, { seqAxis, batchAxis });
}
