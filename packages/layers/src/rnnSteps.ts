/** What the functions that run a cell over time share: batch sizes, sequence lengths, copying through. */
import {
  InvalidArgumentError,
  cast,
  convertToTensor,
  greaterEqual,
  identity,
  shape,
  slice,
  reshape,
  where,
  zerosLike,
  type DType,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { RNNCell } from './rnnCell.js';
import { flattenNest, mapNest, packNest, requireSameStructure, type Nest, type RNNState } from './rnnNest.js';
import type { VariableScope } from './variableScope.js';

export interface RNNOptions<S> {
  /** State before the first step. Default: zeros, for which `dtype` is needed. */
  readonly initialState?: S | undefined;
  /** Of the initial state. */
  readonly dtype?: DType | undefined;
  /** Number of steps of every sequence, int32 [batch]: outputs past it are zero, the state stays. */
  readonly sequenceLength?: TensorLike | undefined;
  /** Variable scope. Default `rnn`. */
  readonly scope?: string | VariableScope | undefined;
}

/** Throws unless `cell` is one; `caller` is named. */
export function requireCell(caller: string, cell: unknown, what = 'cell'): void {
  if (cell instanceof RNNCell) return;
  throw new InvalidArgumentError(
    `${caller}: ${what} must be an RNNCell such as new fr.nn.rnnCell.GRUCell(64)`,
  );
}

/** The size of dimension `axis`: a number where it is known, else an int32 scalar. */
export function sizeAlong(x: Tensor, axis: number): number | Tensor {
  const dim = x.shape.rank === null ? null : x.shape.dim(axis);
  return dim ?? reshape(slice(shape(x), [axis], [1]), []);
}

/** The state that a run begins with. */
export function startState<S extends RNNState>(
  caller: string,
  cell: RNNCell<S>,
  batchSize: number | Tensor,
  { initialState, dtype }: RNNOptions<S>,
): S {
  if (initialState !== undefined) {
    requireSameStructure(initialState, cell.stateSize, `${caller}: initialState`);
    // Variables and literals become tensors, the structure stays.
    return mapNest<Tensor, Tensor>(initialState, (part) => convertToTensor(part)) as S;
  }
  if (dtype !== undefined) return cell.zeroState(batchSize, dtype);
  throw new InvalidArgumentError(`${caller}: give "dtype" where there is no "initialState"`);
}

/** The lengths as an int32 vector for `batchSize` sequences. */
export function sequenceLengths(
  caller: string,
  given: TensorLike | undefined,
  batchSize: number | Tensor,
): Tensor | null {
  if (given === undefined) return null;
  const lengths = cast(convertToTensor(given), 'int32');
  const text = `sequenceLength must be a vector, one length per sequence`;
  if (lengths.shape.rank !== null && lengths.shape.rank !== 1) {
    throw new InvalidArgumentError(`${caller}: ${text}, its shape is ${lengths.shape.toString()}`);
  }
  const count = lengths.shape.size;
  if (typeof batchSize === 'number' && count !== null && count !== batchSize) {
    throw new InvalidArgumentError(`${caller}: ${text}: ${count} lengths for a batch of ${batchSize}`);
  }
  return identity(lengths, { name: 'sequence_length' });
}

/** True for the sequences that have ended before step `time`; `null` when none has a length. */
export function endedAt(time: TensorLike, lengths: Tensor | null): Tensor | null {
  return lengths === null ? null : greaterEqual(time, lengths);
}

/** Rows of `before` where a sequence has ended, of `after` elsewhere. Scalars have no rows: they move on. */
export function copyThrough(ended: Tensor | null, before: Tensor, after: Tensor): Tensor {
  if (ended === null || after.shape.rank === 0) return after;
  const chosen = where(ended, before, after);
  chosen.setShape(after.shape);
  return chosen;
}

/** `copyThrough` for every part of a state. */
export function copyStateThrough<S extends RNNState>(ended: Tensor | null, before: S, after: S): S {
  if (ended === null) return after;
  const old = flattenNest<Tensor>(before);
  const parts = flattenNest<Tensor>(after).map((part, i) => copyThrough(ended, old[i] ?? part, part));
  return packNest(after as Nest<unknown>, parts) as S;
}

/** One step: the output, zero for ended sequences, and the next state, the old one for those. */
export function stepOf<S extends RNNState>(
  cell: RNNCell<S>,
  input: RNNState,
  state: S,
  ended: Tensor | null,
): [Tensor, S] {
  const [output, next] = cell.apply(input, state);
  if (ended === null) return [output, next];
  return [copyThrough(ended, zerosLike(output), output), copyStateThrough(ended, state, next)];
}
