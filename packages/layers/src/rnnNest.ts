/**
 * States of recurrent cells: a tensor, a pair of an LSTM, or lists and records of those. What is done with
 * them is done leaf by leaf, in one order, by the functions here.
 */
import {
  InvalidArgumentError,
  Tensor,
  convertToTensor,
  isTensorConvertible,
  type TensorLike,
  type TensorShape,
} from '@forerun/graph';

/** State of an LSTM cell (`tf.nn.rnn_cell.LSTMStateTuple`): the memory `c` and the output `h`. */
export class LSTMStateTuple<T = Tensor> {
  constructor(
    readonly c: T,
    readonly h: T,
  ) {}

  /** So that `const [c, h] = state` works, as in Python. */
  *[Symbol.iterator](): Generator<T> {
    yield this.c;
    yield this.h;
  }
}

/** A value, or pairs, lists and records of values to any depth. */
export type Nest<T> = T | LSTMStateTuple<Nest<T>> | readonly Nest<T>[] | { readonly [key: string]: Nest<T> };

/** What a cell takes at a step: mostly one tensor. */
export type RNNInputs = Nest<TensorLike>;

/** The state of a cell. */
export type RNNState = Nest<Tensor>;

/** Sizes of the parts of a state: `n` stands for shape [batch, n], a `TensorShape` for what follows the batch. */
export type StateSize = Nest<number | TensorShape>;

/** What holds the parts of a nest: how to read and to rebuild one level. */
interface Level<T> {
  readonly parts: readonly Nest<T>[];
  readonly kind: string;
  rebuild<U>(parts: readonly Nest<U>[]): Nest<U>;
}

function isRecord<T>(nest: Nest<T>): nest is Readonly<Record<string, Nest<T>>> {
  return typeof nest === 'object' && nest !== null && Object.getPrototypeOf(nest) === Object.prototype;
}

/** The level below `nest`, or `null` when it is a leaf. */
function levelOf<T>(nest: Nest<T>): Level<T> | null {
  if (Array.isArray(nest)) {
    const parts = nest as readonly Nest<T>[];
    return { parts, kind: `a list of ${parts.length}`, rebuild: (values) => values };
  }
  if (nest instanceof LSTMStateTuple) {
    return {
      parts: [nest.c, nest.h],
      kind: 'an LSTMStateTuple',
      rebuild: <U>(values: readonly Nest<U>[]) => new LSTMStateTuple(values[0], values[1]) as Nest<U>,
    };
  }
  if (!isRecord(nest)) return null;
  const keys = Object.keys(nest).sort();
  return {
    parts: keys.map((key) => nest[key] as Nest<T>),
    kind: `a record of ${keys.join(', ')}`,
    rebuild: <U>(values: readonly Nest<U>[]) =>
      Object.fromEntries(keys.map((key, i) => [key, values[i] as Nest<U>])),
  };
}

/** The parts one level down, `null` for a leaf. */
export function partsOf<T>(nest: Nest<T>): readonly Nest<T>[] | null {
  return levelOf(nest)?.parts ?? null;
}

/** `nest` with other parts one level down. */
export function withParts<T, U>(nest: Nest<T>, parts: readonly Nest<U>[]): Nest<U> {
  const level = levelOf(nest);
  if (level === null) throw new InvalidArgumentError('a leaf has no parts');
  return level.rebuild(parts);
}

/** All leaves: pairs as c, h; lists in order; records by sorted key. */
export function flattenNest<T>(nest: Nest<T>): T[] {
  const parts = partsOf(nest);
  return parts === null ? [nest as T] : parts.flatMap((part) => flattenNest(part));
}

/** The structure of `like` with the leaves `flat`. Throws when their number differs. */
export function packNest<U>(like: Nest<unknown>, flat: readonly U[]): Nest<U> {
  const count = flattenNest(like).length;
  if (count !== flat.length) {
    throw new InvalidArgumentError(`${flat.length} values do not fill a structure of ${count}`);
  }
  let next = 0;
  return mapNest(like, () => flat[next++] as U);
}

/** Every leaf replaced. */
export function mapNest<T, U>(nest: Nest<T>, map: (leaf: T) => U): Nest<U> {
  const level = levelOf(nest);
  return level === null ? map(nest as T) : level.rebuild(level.parts.map((part) => mapNest(part, map)));
}

/** How a nest is written in messages: its levels without the leaves. */
export function describeNest(nest: Nest<unknown>): string {
  return levelOf(nest)?.kind ?? 'one value';
}

/** Throws `InvalidArgumentError` unless both have one structure; `what` is named in the message. */
export function requireSameStructure(got: Nest<unknown>, want: Nest<unknown>, what: string): void {
  const [a, b] = [levelOf(got), levelOf(want)];
  if (a?.kind !== b?.kind) {
    throw new InvalidArgumentError(`${what} must be ${describeNest(want)}, it is ${describeNest(got)}`);
  }
  a?.parts.forEach((part, i) => requireSameStructure(part, b?.parts[i], what));
}

/** Lists and records with tensors in them are structure; all else is a tensor or a literal of one. */
function holdsTensors(value: unknown): boolean {
  if (value instanceof Tensor || isTensorConvertible(value)) return true;
  if (Array.isArray(value)) return value.some(holdsTensors);
  return value instanceof LSTMStateTuple || isRecord(value);
}

/** Inputs of a cell with every leaf a tensor: a list of tensors is a structure, a list of numbers a tensor. */
export function tensorsOf(inputs: RNNInputs): RNNState {
  if (inputs instanceof Tensor || isTensorConvertible(inputs) || !holdsTensors(inputs)) {
    return convertToTensor(inputs as TensorLike);
  }
  const parts = partsOf(inputs);
  return parts === null ? convertToTensor(inputs as TensorLike) : withParts(inputs, parts.map(tensorsOf));
}
