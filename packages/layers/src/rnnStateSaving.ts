/** `staticStateSavingRnn`: an unrolled cell whose state is kept outside from one run to the next. */
import type { Tensor } from '@forerun/graph';
import {
  InvalidArgumentError,
  controlDependencies,
  identity,
  type Operation,
  type TensorLike,
} from '@forerun/graph';
import type { RNNCell } from './rnnCell.js';
import {
  describeNest,
  flattenNest,
  mapNest,
  packNest,
  requireSameStructure,
  type Nest,
  type RNNInputs,
  type RNNState,
} from './rnnNest.js';
import { staticRnn } from './rnnStatic.js';
import { requireCell, type RNNOptions } from './rnnSteps.js';

/** Keeps states by name: for example variables, which `saveState` assigns. */
export interface StateSaver {
  /** The state that was saved last. */
  state(name: string): TensorLike;
  /** An operation, or a tensor that it gives, that saves a state. */
  saveState(name: string, value: Tensor): Operation | Tensor;
}

/**
 * As `staticRnn`, but the first state comes from `stateSaver` and the last one is saved there, before the last output or the
 * state is read (`tf.nn.static_state_saving_rnn`). `stateName` has the structure of the cell's state. Throws
 * `InvalidArgumentError` when it has not, and as `staticRnn` does.
 */
export function staticStateSavingRnn<S extends RNNState>(
  cell: RNNCell<S>,
  inputs: readonly RNNInputs[],
  stateSaver: StateSaver,
  stateName: Nest<string>,
  options: Pick<RNNOptions<S>, 'sequenceLength' | 'scope'> = {},
): [Tensor[], S] {
  requireCell('staticStateSavingRnn', cell);
  if (typeof stateSaver.state !== 'function' || typeof stateSaver.saveState !== 'function') {
    throw new InvalidArgumentError(
      'staticStateSavingRnn: the state saver needs state(name) and saveState(name, value)',
    );
  }
  if (describeNest(stateName) !== describeNest(cell.stateSize)) {
    requireSameStructure(stateName, cell.stateSize, 'staticStateSavingRnn: stateName');
  }
  const names = flattenNest<string>(stateName);
  // The structure is that of stateSize, which is the structure of S.
  const initialState = packNest(
    cell.stateSize,
    names.map((name) => stateSaver.state(name)),
  ) as Nest<unknown> as S;
  const [outputs, state] = staticRnn(cell, inputs, { ...options, initialState });
  const saved = flattenNest<Tensor>(state).map((part, i) => stateSaver.saveState(names[i] ?? '', part));
  return controlDependencies(saved, () => {
    const last = outputs.at(-1);
    const kept = last === undefined ? outputs : [...outputs.slice(0, -1), identity(last)];
    return [kept, mapNest<Tensor, Tensor>(state, (part) => identity(part)) as S];
  });
}
