/** `mapFn`, `scan`, `foldl`, `foldr`: loops over the rows of tensors, made of `whileLoop` and tensor arrays. */
import { constant } from '../apply.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { shape as shapeOf } from '../ops/shape.js';
import { gather } from '../ops/arrayIndex.js';
import { less, greaterEqual } from '../ops/comparison.js';
import { add, sub } from '../ops/binary.js';
import { nameScope } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { flatten, type Flat, type Nest, type Nested, type NestLike } from './nest.js';
import { TensorArray } from './tensorArray.js';
import { whileLoop, type WhileLoopOptions } from './whileLoop.js';

type LoopOptions = Pick<WhileLoopOptions, 'parallelIterations' | 'backProp' | 'swapMemory' | 'name'>;

export interface MapFnOptions extends LoopOptions {
  /** Dtypes of the results, in their flattened order; by default those of `elems`. */
  readonly dtype?: DType | readonly DType[] | undefined;
}

interface Rows {
  readonly flat: Flat;
  readonly arrays: readonly TensorArray[];
  /** Number of rows: a number where it is known. */
  readonly count: Tensor | number;
}

/** Cuts tensors into their rows. Throws when they have none or different numbers of them. */
function rowsOf(elems: NestLike, what: string): Rows {
  const flat = flatten(elems);
  const [first] = flat.tensors;
  if (first === undefined) throw new InvalidArgumentError(`${what}: elems has no tensors`);
  const counts = flat.tensors.map((tensor) => {
    if (tensor.shape.rank === 0) {
      throw new InvalidArgumentError(
        `${what}: elems must have a first dimension to go along, ${tensor.name} is a scalar`,
      );
    }
    return tensor.shape.dims?.[0] ?? null;
  });
  const known = counts.filter((count) => count !== null);
  if (known.some((count) => count !== known[0])) {
    throw new InvalidArgumentError(
      `${what}: elems have different numbers of rows: ${counts.map(String).join(', ')}`,
    );
  }
  const count = known[0] ?? gather(shapeOf(first), 0);
  const arrays = flat.tensors.map((tensor) => new TensorArray(tensor.dtype, { size: count }).unstack(tensor));
  return { flat, arrays, count };
}

function row({ flat, arrays }: Rows, i: Tensor): Nest {
  return flat.rebuild(arrays.map((array) => array.read(i)));
}

const int = (value: number): Tensor => constant(value, { dtype: 'int32' });

function last(count: Tensor | number): Tensor {
  return typeof count === 'number' ? int(count - 1) : sub(count, int(1));
}

function limit(count: Tensor | number): Tensor {
  return typeof count === 'number' ? int(count) : count;
}

/**
 * Applies `fn` to each row of `elems` and stacks the results (`tf.map_fn`). `elems` may be any nesting of tensors with
 * the same first dimension; `fn` gets one of rows. Give `dtype` when results have other dtypes than `elems`.
 */
export function mapFn<const E extends NestLike, const R extends NestLike = E>(
  fn: (row: Nested<E>) => R,
  elems: E,
  { dtype, name, ...options }: MapFnOptions = {},
): Nested<R> {
  return nameScope(name ?? 'map', () => {
    const rows = rowsOf(elems, 'mapFn');
    const dtypes = dtype === undefined ? rows.flat.tensors.map((tensor) => tensor.dtype) : [dtype].flat();
    const empty = dtypes.map((type) => new TensorArray(type, { size: rows.count }));
    const results: { flat: Flat | null } = { flat: null };
    const [, arrays] = whileLoop(
      (i) => less(i, limit(rows.count)),
      (i, written) => {
        const flat = flatten(fn(row(rows, i) as Nested<E>));
        checkDTypes(flat.tensors, dtypes);
        results.flat = flat;
        return [add(i, int(1)), written.map((array, k) => writeTo(array, i, flat.tensors[k]))];
      },
      [int(0), empty],
      options,
    );
    return rebuilt(results.flat, arrays, rows.count) as Nested<R>;
  });
}

function checkDTypes(tensors: readonly Tensor[], dtypes: readonly DType[]): void {
  const given = tensors.map((tensor) => tensor.dtype);
  if (given.join() !== dtypes.join()) {
    throw new InvalidArgumentError(
      `mapFn: fn returns ${given.join(', ')}, expected ${dtypes.join(', ')}: give the results' dtypes as the option dtype`,
    );
  }
}

function writeTo(array: TensorArray, i: Tensor, value: Tensor | undefined): TensorArray {
  if (value === undefined) throw new InvalidArgumentError('the function returned too few tensors');
  return array.write(i, value);
}

function rebuilt(flat: Flat | null, arrays: readonly TensorArray[], count: Tensor | number): Nest {
  if (flat === null) throw new InvalidArgumentError('the function was not called');
  return flat.rebuild(arrays.map((array) => withRows(array.stack(), count)));
}

function withRows(stacked: Tensor, count: Tensor | number): Tensor {
  const { dims } = stacked.shape;
  if (typeof count === 'number' && dims !== null)
    stacked.setShape(new TensorShape([count, ...dims.slice(1)]));
  return stacked;
}

export interface ScanOptions<A> extends LoopOptions {
  /** Value before the first row; by default the first row itself, and the scan begins with the second. */
  readonly initializer?: A | undefined;
  /** Goes from the last row to the first. */
  readonly reverse?: boolean | undefined;
}

export type FoldOptions<A> = Omit<ScanOptions<A>, 'reverse'>;

/**
 * All values of `a = fn(a, row)` over the rows of `elems`, stacked (`tf.scan`). The result has the structure of
 * `initializer`, or of `elems` without one.
 */
export function scan<const E extends NestLike, const A extends NestLike = E>(
  fn: (a: Nested<A>, row: Nested<E>) => NestLike,
  elems: E,
  { initializer, reverse = false, name, ...options }: ScanOptions<A> = {},
): Nested<A> {
  return nameScope(name ?? 'scan', () => {
    const rows = rowsOf(elems, 'scan');
    const walk = new Walk(rows, reverse);
    const start =
      initializer === undefined ? row(rows, walk.first()) : (flattenBack(initializer) as NestLike);
    const flat = flatten(start);
    let arrays = flat.tensors.map(
      (tensor) => new TensorArray(tensor.dtype, { size: rows.count, elementShape: tensor.shape }),
    );
    if (initializer === undefined) {
      arrays = arrays.map((array, k) => writeTo(array, walk.first(), flat.tensors[k]));
    }
    const [, , written] = whileLoop(
      (i) => walk.goesOn(i),
      (i, a, into) => {
        const next = flatten(fn(a as Nested<A>, row(rows, i) as Nested<E>));
        return [
          walk.next(i),
          next.rebuild(next.tensors),
          into.map((array, k) => writeTo(array, i, next.tensors[k])),
        ];
      },
      [walk.start(initializer !== undefined), start, arrays],
      options,
    );
    return rebuilt(flat, written, rows.count) as Nested<A>;
  });
}

function flattenBack(nest: NestLike): Nest {
  const flat = flatten(nest);
  return flat.rebuild(flat.tensors);
}

/** The order in which rows are visited. */
class Walk {
  constructor(
    private readonly rows: Rows,
    private readonly reverse: boolean,
  ) {}

  first(): Tensor {
    return this.reverse ? last(this.rows.count) : int(0);
  }

  start(withFirst: boolean): Tensor {
    return withFirst ? this.first() : this.next(this.first());
  }

  next(i: Tensor): Tensor {
    return this.reverse ? sub(i, int(1)) : add(i, int(1));
  }

  goesOn(i: Tensor): Tensor {
    return this.reverse ? greaterEqual(i, int(0)) : less(i, limit(this.rows.count));
  }
}

function fold<E extends NestLike, A extends NestLike>(
  fn: (a: Nested<A>, row: Nested<E>) => NestLike,
  elems: E,
  { initializer, name, ...options }: FoldOptions<A>,
  reverse: boolean,
): Nested<A> {
  return nameScope(name ?? (reverse ? 'foldr' : 'foldl'), () => {
    const rows = rowsOf(elems, reverse ? 'foldr' : 'foldl');
    const walk = new Walk(rows, reverse);
    const start =
      initializer === undefined ? row(rows, walk.first()) : (flattenBack(initializer) as NestLike);
    const [, result] = whileLoop(
      (i) => walk.goesOn(i),
      (i, a) => [walk.next(i), fn(a as Nested<A>, row(rows, i) as Nested<E>)],
      [walk.start(initializer !== undefined), start],
      options,
    );
    return result as Nested<A>;
  });
}

/** The last value of `a = fn(a, row)` from the first row to the last (`tf.foldl`). */
export function foldl<const E extends NestLike, const A extends NestLike = E>(
  fn: (a: Nested<A>, row: Nested<E>) => NestLike,
  elems: E,
  options: FoldOptions<A> = {},
): Nested<A> {
  return fold(fn, elems, options, false);
}

/** The last value of `a = fn(a, row)` from the last row to the first (`tf.foldr`). */
export function foldr<const E extends NestLike, const A extends NestLike = E>(
  fn: (a: Nested<A>, row: Nested<E>) => NestLike,
  elems: E,
  options: FoldOptions<A> = {},
): Nested<A> {
  return fold(fn, elems, options, true);
}
