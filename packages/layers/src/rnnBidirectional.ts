/** Cells that run in both directions over time. */
import {
  checkOptions,
  concat,
  reverseSequence,
  stack,
  unstack,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import type { RNNCell } from './rnnCell.js';
import type { RNNState } from './rnnNest.js';
import { batchSizeOf, inputList, staticRnn } from './rnnStatic.js';
import { requireCell, sequenceLengths, type RNNOptions } from './rnnSteps.js';
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

