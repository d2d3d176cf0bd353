/** `rawRnn`: a cell in a loop that a function of the program steers. */
import {
  InvalidArgumentError,
  TensorArray,
  TensorShape,
  add,
  constant,
  logicalNot,
  logicalOr,
  reduceAll,
  whileLoop,
  zerosLike,
  type Tensor,
} from '@forerun/graph';
import type { RNNCell } from './rnnCell.js';
import { flattenNest, mapNest, packNest, type Nest, type RNNState } from './rnnNest.js';
import type { LoopOptions } from './rnnDynamic.js';
import { copyStateThrough, copyThrough, requireCell } from './rnnSteps.js';
import { variableScope, type VariableScope } from './variableScope.js';

/** What the steering function decides before each step. */
export interface RawRnnStep<S, L> {
  /** Bool [batch]: which sequences end before this step. */
  readonly elementsFinished: Tensor;
  /** Of the next step. */
  readonly nextInput: Tensor;
  /** The state that the next step begins with; at time 0 the initial state. */
  readonly nextCellState: S;
  /**
   * What goes into the outputs, `null` for the cell's output itself. At time 0 it tells the structure instead: tensors
   * with the shape of one row and the dtype of each output.
   */
  readonly emitOutput: Nest<Tensor> | null;
  /** Anything that the function wants to see again; `null` for nothing. */
  readonly nextLoopState: L;
}

/** Called with `null` in place of output, state and loop state at time 0. */
export type RawRnnLoopFn<S, L> = (
  time: Tensor,
  cellOutput: Tensor | null,
  cellState: S | null,
  loopState: L | null,
) => RawRnnStep<S, L>;

export interface RawRnnOptions extends LoopOptions {
  /** Variable scope. Default `rnn`. */
  readonly scope?: string | VariableScope | undefined;
}

/**
 * Runs `cell` as `loopFn` says (`tf.nn.raw_rnn`): `[emitted, state, loopState]`. It is asked once before the loop and once in it
 * for what the next input is, which sequences have ended and what to emit; the loop ends when all have. Emitted is a
 * `TensorArray` (or a structure of them): the rows of ended sequences are zero, their states stay.
 */
export function rawRnn<S extends RNNState, L extends Nest<Tensor> | null = null>(
  cell: RNNCell<S>,
  loopFn: RawRnnLoopFn<S, L>,
  options: RawRnnOptions = {},
): [Nest<TensorArray>, S, L] {
  requireCell('rawRnn', cell);
  if (typeof loopFn !== 'function') throw new InvalidArgumentError('rawRnn: loopFn must be a function');
  const { scope = 'rnn', parallelIterations, swapMemory } = options;
  return variableScope(scope, () => {
    const zero = constant(0, { dtype: 'int32' });
    const first = loopFn(zero, null, null, null);
    const { emitted, start } = firstVars(cell, first);
    const [, , , arrays, state, loopState] = whileLoop(
      (_time, finished) => logicalNot(reduceAll(finished)),
      (time, finished, input, written, parts, memory) => {
        const current = packNest(first.nextCellState, parts) as S;
        const [output, cellState] = cell.apply(input, current);
        const now = unpack(first.nextLoopState, memory);
        const later = add(time, 1);
        const step = loopFn(later, output, cellState, now);
        const emit = flattenNest<Tensor>(step.emitOutput ?? output);
        return [
          later,
          logicalOr(finished, step.elementsFinished),
          step.nextInput,
          written.map((array, i) => array.write(time, emitRow(finished, emit[i]))),
          flattenNest<Tensor>(copyStateThrough(finished, current, step.nextCellState)),
          step.nextLoopState === null ? memory : flattenNest<Tensor>(step.nextLoopState),
        ];
      },
      [zero, ...start],
      { parallelIterations, swapMemory },
    );
    const lastState: Nest<Tensor> = packNest(first.nextCellState, state);
    return [
      packNest<TensorArray>(emitted, arrays),
      lastState as S,
      unpack<L>(first.nextLoopState, loopState),
    ];
  });
}

/** The structure of what is emitted, and the loop variables but for the time. */
function firstVars<S extends RNNState, L extends Nest<Tensor> | null>(
  cell: RNNCell<S>,
  first: RawRnnStep<S, L>,
) {
  const { elementsFinished, nextInput, nextCellState, emitOutput, nextLoopState } = first;
  const batch = nextInput.shape.rank === null ? null : nextInput.shape.dim(0);
  const dtype = flattenNest<Tensor>(nextCellState)[0]?.dtype ?? nextInput.dtype;
  const { outputSize } = cell;
  const size = typeof outputSize === 'number' ? new TensorShape([outputSize]) : outputSize;
  const array = (row: TensorShape, type = dtype): TensorArray =>
    new TensorArray(type, { dynamicSize: true, elementShape: new TensorShape([batch]).concat(row) });
  const emitted: Nest<unknown> = emitOutput === null ? null : mapNest<Tensor, null>(emitOutput, () => null);
  const arrays =
    emitOutput === null
      ? [array(size)]
      : flattenNest<Tensor>(emitOutput).map((row) => array(row.shape, row.dtype));
  const start = [
    elementsFinished,
    nextInput,
    arrays,
    flattenNest<Tensor>(nextCellState),
    nextLoopState === null ? [] : flattenNest<Tensor>(nextLoopState),
  ] as const;
  return { emitted, start };
}

/** One row for every sequence, zeros for those that have ended. */
function emitRow(finished: Tensor, row: Tensor | undefined): Tensor {
  if (row === undefined)
    throw new InvalidArgumentError('rawRnn: emitOutput has fewer parts than it had at time 0');
  return copyThrough(finished, zerosLike(row), row);
}

function unpack<L extends Nest<Tensor> | null>(like: L, parts: readonly Tensor[]): L {
  return like === null ? like : (packNest(like, parts) as L);
}
