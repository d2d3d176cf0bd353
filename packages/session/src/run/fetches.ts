/**
 * Fetches as callers write them: any nesting of arrays and records of tensors, operations,
 * variables and names. The result has the same nesting.
 */
import {
  InvalidArgumentError,
  isTensorConvertible,
  Operation,
  SparseTensor,
  Tensor,
  type Graph,
  type TensorConvertible,
  type TensorValue,
} from '@forerun/graph';
import type { Pair } from './nestedFeeds.js';
import type { FetchedSparseTensor } from './sparseFeeds.js';

/** One thing to fetch. A name is a tensor (`loss:0`) or an operation (`train`). */
export type FetchLeaf = Tensor | SparseTensor | Operation | TensorConvertible | string;
export type Fetches = FetchLeaf | Pair<Fetches> | readonly Fetches[] | { readonly [key: string]: Fetches };

/** The result of fetching `F`: values for tensors and variables, three for sparse tensors, `undefined` for operations. */
export type Fetched<F> = F extends Tensor
  ? TensorValue
  : F extends SparseTensor
    ? FetchedSparseTensor
    : F extends Operation
      ? undefined
      : F extends TensorConvertible
        ? TensorValue
        : F extends string
          ? F extends `${string}:${number}`
            ? TensorValue
            : TensorValue | undefined
          : F extends Pair<infer T>
            ? Pair<Fetched<T>>
            : { -readonly [K in keyof F]: Fetched<F[K]> };

/** The distinct tensors and operations of a fetch structure, and how to put results into it. */
export interface ResolvedFetches {
  readonly tensors: readonly Tensor[];
  readonly operations: readonly Operation[];
  /** Puts the tensors' values into the structure of the request; its type is `Fetched` of it. */
  readonly assemble: (values: readonly TensorValue[]) => unknown;
}

/** Resolves names and nesting. Throws `NotFoundError` or `InvalidArgumentError` naming what cannot be fetched. */
export function resolveFetches(graph: Graph, fetches: Fetches): ResolvedFetches {
  const tensors = new Map<Tensor, number>();
  const operations = new Set<Operation>();
  const place = (item: Fetches): Slot => {
    if (item instanceof SparseTensor) {
      return { indices: place(item.indices), values: place(item.values), denseShape: place(item.denseShape) };
    }
    if (typeof item === 'object' && !isLeaf(item)) {
      return Array.isArray(item)
        ? (item as readonly Fetches[]).map(place)
        : withFields(item, Object.entries(item as Readonly<Record<string, Fetches>>), place);
    }
    const element = leafElement(graph, item);
    if (element instanceof Operation) {
      operations.add(element);
      return undefined;
    }
    const position = tensors.get(element) ?? tensors.size;
    tensors.set(element, position);
    return position;
  };
  const slots = place(fetches);
  return {
    tensors: [...tensors.keys()],
    operations: [...operations],
    assemble: (values) => fill(slots, values),
  };
}

type Slot = number | undefined | readonly Slot[] | { readonly [key: string]: Slot };

function fill(slot: Slot, values: readonly TensorValue[]): unknown {
  if (slot === undefined) return undefined;
  if (typeof slot === 'number') return values[slot];
  if (Array.isArray(slot)) return (slot as readonly Slot[]).map((item) => fill(item, values));
  return withFields(slot, Object.entries(slot), (item) => fill(item, values));
}

/** A record with other values, or an object of the same class: the state of an LSTM stays a pair. */
function withFields<T, U>(
  like: object,
  fields: readonly (readonly [string, T])[],
  map: (value: T) => U,
): Readonly<Record<string, U>> {
  const copy = Object.create(Object.getPrototypeOf(like) as object | null) as Record<string, U>;
  for (const [key, value] of fields) copy[key] = map(value);
  return copy;
}

function isLeaf(item: object): item is Exclude<FetchLeaf, string | SparseTensor> {
  return item instanceof Tensor || item instanceof Operation || isTensorConvertible(item);
}

function leafElement(graph: Graph, item: Exclude<FetchLeaf, SparseTensor>): Tensor | Operation {
  const element = typeof item === 'string' ? graph.asGraphElement(item) : item;
  const found = isTensorConvertible(element) ? element.asTensor() : element;
  if (!(found instanceof Tensor) && !(found instanceof Operation)) {
    throw new InvalidArgumentError(
      `cannot fetch a value of type ${typeof item}: fetch tensors, operations, variables or names`,
    );
  }
  if (found.graph !== graph) {
    throw new InvalidArgumentError(
      `cannot fetch "${found.name}": it belongs to another graph than the session's`,
    );
  }
  if (found instanceof Tensor && found.dtype === 'resource') {
    throw new InvalidArgumentError(
      `cannot fetch the handle "${found.name}": fetch the variable's value instead`,
    );
  }
  return found;
}
