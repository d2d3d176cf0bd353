/** `staticRnn`: a cell unrolled over a list of inputs while the graph is built. */
import {
  InvalidArgumentError,
  checkOptions,
  convertToTensor,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import type { RNNCell } from './rnnCell.js';
import { flattenNest, tensorsOf, type RNNInputs, type RNNState } from './rnnNest.js';
import {
  endedAt,
  requireCell,
  sequenceLengths,
  sizeAlong,
  startState,
  stepOf,
  type RNNOptions,
} from './rnnSteps.js';
import { variableScope } from './variableScope.js';

/**
 * Runs `cell` over a list of inputs, each [batch, n] (`tf.nn.static_rnn`): `[outputs, state]`, an output per step and
 * the last state. A cell that takes lists or records of tensors gets such an input per step. The graph has a copy of the cell's nodes for every step, all with the same variables. Throws
 * `InvalidArgumentError` without inputs, and where there is neither `initialState` nor `dtype`.
 */
export function staticRnn<S extends RNNState>(
  cell: RNNCell<S>,
  inputs: readonly RNNInputs[],
  options: RNNOptions<S> = {},
): [Tensor[], S] {
  requireCell('staticRnn', cell);
  checkOptions('staticRnn', options, "{ dtype: 'float32' }");
  requireList('staticRnn', inputs);
  const steps = inputs.map(tensorsOf);
  return variableScope(options.scope ?? 'rnn', () => {
    const batchSize = batchSizeOf(steps.flatMap((step) => flattenNest<Tensor>(step)));
    let state = startState('staticRnn', cell, batchSize, options);
    const lengths = sequenceLengths('staticRnn', options.sequenceLength, batchSize);
    const outputs = steps.map((input, time) => {
      const [output, next] = stepOf(cell, input, state, endedAt(time, lengths));
      state = next;
      return output;
    });
    return [outputs, state];
  });
}

/** The inputs as tensors, of which there must be some. */
export function inputList(caller: string, inputs: readonly TensorLike[]): Tensor[] {
  requireList(caller, inputs);
  return inputs.map((input: TensorLike) => convertToTensor(input));
}

function requireList(caller: string, inputs: readonly unknown[]): void {
  if (!Array.isArray(inputs)) {
    throw new InvalidArgumentError(
      `${caller}: inputs must be a list with a tensor per step; fr.unstack(x, { axis: 1 }) makes one`,
    );
  }
  if (inputs.length === 0) throw new InvalidArgumentError(`${caller}: inputs must not be empty`);
}

/** The size of the batch: from whichever step knows it. */
export function batchSizeOf(steps: readonly Tensor[]): number | Tensor {
  const [first] = steps;
  if (first === undefined) throw new InvalidArgumentError('a list of inputs must not be empty');
  const known = steps.find(({ shape }) => shape.rank !== null && shape.dim(0) !== null);
  return sizeAlong(known ?? first, 0);
}
