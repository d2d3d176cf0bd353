/** Nested structures of tensors and tensor arrays, as loops and conditionals take and return them. */
import { convertToTensor } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { isTensorConvertible, Tensor, type TensorConvertible } from '../tensor.js';
import { TensorArray } from './tensorArray.js';

/** Tensors, tensor arrays, and arrays and records of these. */
export type Nest = Tensor | TensorArray | readonly Nest[] | { readonly [key: string]: Nest };
/** As `Nest`, with numbers and variables in place of tensors. */
export type NestLike =
  | Tensor
  | TensorArray
  | TensorConvertible
  | number
  | boolean
  | readonly NestLike[]
  | { readonly [key: string]: NestLike };

/** What remains of a nest like `T` when literals have become tensors. */
export type Nested<T> = NestLike extends T
  ? Nest
  : T extends Tensor | TensorArray
    ? T
    : T extends TensorConvertible | number | boolean
      ? Tensor
      : T extends readonly NestLike[] | Readonly<Record<string, NestLike>>
        ? { -readonly [K in keyof T]: Nested<T[K]> }
        : Nest;

/** The arguments of a loop's callbacks. */
export type NestedList<V extends readonly NestLike[]> = { -readonly [K in keyof V]: Nested<V[K]> };

/** A flattened nest: its tensors in order, and how to put others in their places. */
export interface Flat {
  readonly tensors: readonly Tensor[];
  /** The same structure with other tensors; `describe` names the structure for messages. */
  readonly rebuild: (tensors: readonly Tensor[]) => Nest;
  readonly describe: string;
}

/** Flattens a nest; numbers, booleans and variables become tensors. */
export function flatten(nest: NestLike): Flat {
  if (nest instanceof TensorArray) {
    return {
      tensors: [nest.flow],
      rebuild: ([flow]) => nest.withFlow(flow ?? nest.flow),
      describe: 'TensorArray',
    };
  }
  if (nest instanceof Tensor || typeof nest !== 'object' || isTensorConvertible(nest)) {
    return leaf(convertToTensor(nest));
  }
  const keys = Array.isArray(nest) ? null : Object.keys(nest);
  const parts =
    keys === null
      ? (nest as readonly NestLike[])
      : keys.map((key) => (nest as Record<string, NestLike>)[key]);
  const flats = parts.map((part) => flatten(required(part)));
  const names = flats.map(({ describe }, i) => (keys === null ? describe : `${keys[i] ?? ''}: ${describe}`));
  return {
    tensors: flats.flatMap(({ tensors }) => tensors),
    rebuild: (tensors) => collect(keys, rebuildParts(flats, tensors)),
    describe: keys === null ? `[${names.join(', ')}]` : `{${names.join(', ')}}`,
  };
}

function required(part: NestLike | undefined): NestLike {
  if (part === undefined) throw new InvalidArgumentError(`expected a tensor, got ${String(part)}`);
  return part;
}

function leaf(tensor: Tensor): Flat {
  return { tensors: [tensor], rebuild: ([other]) => other ?? tensor, describe: 'Tensor' };
}

function rebuildParts(flats: readonly Flat[], tensors: readonly Tensor[]): Nest[] {
  let next = 0;
  return flats.map((flat) => {
    const part = flat.rebuild(tensors.slice(next, next + flat.tensors.length));
    next += flat.tensors.length;
    return part;
  });
}

function collect(keys: readonly string[] | null, parts: readonly Nest[]): Nest {
  if (keys === null) return parts;
  return Object.fromEntries(parts.map((part, i) => [keys[i] ?? '', part]));
}
