/**
 * Functions on sparse tensors that are made of other ops: parts of them, several joined, and the way from dense
 * tensors. All results are in row-major order, as sparse tensors have to be.
 */
import { constant, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { controlDependencies, nameScope } from '../scopes.js';
import { SparseTensor } from '../sparseTensor.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { gather, gatherNd, oneHot } from './arrayIndex.js';
import { getItem } from './arrayItem.js';
import { concat, stack } from './arrayJoin.js';
import { reshape } from './arrayView.js';
import { assertEqual } from './assertions.js';
import { add, floorDiv, floorMod, maximum, minimum, mul, sub } from './binary.js';
import { greaterEqual, less, logicalAnd, notEqual } from './comparison.js';
import { sparseToDense } from './ctc.js';
import { booleanMask } from './dynamicWhere.js';
import { ones, zerosLike } from './fill.js';
import { reduceAll, reduceMax } from './reduction.js';
import { where } from './selection.js';
import { shape as shapeOf, size } from './shape.js';
import { identity } from './source.js';
import { sparseReorder } from './sparse.js';
import { sparseReshape } from './sparseReshape.js';
import { cast } from './unary.js';

/** Throws unless `x` is a sparse tensor; `caller` is named. */
export function requireSparse(caller: string, x: unknown): asserts x is SparseTensor {
  if (!(x instanceof SparseTensor))
    throw new InvalidArgumentError(`${caller}: a SparseTensor is wanted, got ${String(x)}`);
}

function rankOf(caller: string, { indices, denseShape }: SparseTensor): number {
  const rank = denseShape.shape.dim(0) ?? indices.shape.dim(1);
  if (rank === null) throw new InvalidArgumentError(`${caller}: the rank of the sparse tensor must be known`);
  return rank;
}

/** An axis from 0 on. Throws for one that is none of `rank` dimensions. */
function axisOf(caller: string, axis: number, rank: number): number {
  const from0 = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && from0 >= 0 && from0 < rank) return from0;
  throw new InvalidArgumentError(`${caller}: axis ${axis} is none of the ${rank} dimensions`);
}

/** A vector of 64-bit sizes or places. */
function places(x: TensorLike): Tensor {
  return cast(
    Array.isArray(x) && !x.some((item) => item instanceof Tensor)
      ? constant(x, { dtype: 'int64' })
      : convertToTensor(x),
    'int64',
  );
}

/** `value` at `axis`, 0 elsewhere: what is added to an index vector. */
function along(axis: number, rank: number, value: Tensor): Tensor {
  return mul(
    oneHot(axis, rank, {
      dtype: 'int64',
      onValue: constant(1, { dtype: 'int64' }),
      offValue: constant(0, { dtype: 'int64' }),
    }),
    value,
  );
}

/** The elements of a dense tensor that are not 0, or not empty (`tf.sparse.from_dense`). */
export function sparseFromDense(
  tensor: TensorLike,
  { name = 'dense_to_sparse' }: NameOptions = {},
): SparseTensor {
  return nameScope(name, () => {
    const dense = convertToTensor(tensor);
    const indices = where(baseDType(dense.dtype) === 'bool' ? dense : notEqual(dense, zerosLike(dense)));
    return new SparseTensor(indices, gatherNd(dense, indices), shapeOf(dense, { outType: 'int64' }));
  });
}

/** The elements for which `toRetain`, a bool for each, is true (`tf.sparse.retain`). */
export function sparseRetain(
  spInput: SparseTensor,
  toRetain: TensorLike,
  { name = 'sparse_retain' }: NameOptions = {},
): SparseTensor {
  requireSparse('sparseRetain', spInput);
  return nameScope(name, () => {
    const keep = where(convertToTensor(toRetain, { dtype: 'bool' }));
    const chosen = reshape(keep, [-1]);
    return new SparseTensor(
      gather(spInput.indices, chosen),
      gather(spInput.values, chosen),
      spInput.denseShape,
    );
  });
}

/** The dimensions in the order `perm`; by default reversed (`tf.sparse.transpose`). */
export function sparseTranspose(
  spInput: SparseTensor,
  { perm, name = 'SparseTranspose' }: NameOptions & { readonly perm?: readonly number[] | undefined } = {},
): SparseTensor {
  requireSparse('sparseTranspose', spInput);
  const rank = rankOf('sparseTranspose', spInput);
  const order = perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (
    order.length !== rank ||
    new Set(order.map((axis) => axisOf('sparseTranspose', axis, rank))).size !== rank
  )
    throw new InvalidArgumentError(
      `sparseTranspose: perm [${order.join(',')}] must name each of the ${rank} dimensions once`,
    );
  return nameScope(name, () => {
    const axes = constant(order, { dtype: 'int32' });
    const moved = new SparseTensor(
      gather(spInput.indices, axes, { axis: 1 }),
      spInput.values,
      gather(spInput.denseShape, axes),
    );
    return sparseReorder(moved);
  });
}

/** A dimension of size 1 before `axis`, by default at the end (`tf.sparse.expand_dims`). */
export function sparseExpandDims(
  spInput: SparseTensor,
  { axis = -1, name = 'expand_dims' }: NameOptions & { readonly axis?: number } = {},
): SparseTensor {
  requireSparse('sparseExpandDims', spInput);
  const at = axisOf('sparseExpandDims', axis, rankOf('sparseExpandDims', spInput) + 1);
  return nameScope(name, () => {
    const shape = spInput.denseShape;
    const one = constant([1], { dtype: 'int64' });
    return sparseReshape(spInput, concat([getItem(shape, [0, at]), one, getItem(shape, [at, null])], 0));
  });
}

export interface SparseConcatOptions extends NameOptions {
  /** Whether the other dimensions may differ: the largest counts. Default: they must be equal, which a run checks. */
  readonly expandNonconcatDims?: boolean | undefined;
}

/** Several sparse tensors of one rank side by side along `axis` (`tf.sparse.concat`). */
export function sparseConcat(
  axis: number,
  spInputs: readonly SparseTensor[],
  { expandNonconcatDims = false, name = 'SparseConcat' }: SparseConcatOptions = {},
): SparseTensor {
  const [first] = spInputs;
  if (first === undefined)
    throw new InvalidArgumentError('sparseConcat: there must be at least one sparse tensor');
  spInputs.forEach((input) => requireSparse('sparseConcat', input));
  const rank = rankOf('sparseConcat', first);
  const at = axisOf('sparseConcat', axis, rank);
  return nameScope(name, () => {
    let end: Tensor = constant(0, { dtype: 'int64' });
    const indices = spInputs.map((input) => {
      const moved = add(input.indices, along(at, rank, end));
      end = add(end, getItem(input.denseShape, at));
      return moved;
    });
    const shapes = stack(spInputs.map(({ denseShape }) => denseShape));
    const largest = expandNonconcatDims ? reduceMax(shapes, { axis: 0 }) : sameBut(at, shapes);
    const others = sub(largest, along(at, rank, getItem(largest, at)));
    const values = concat(
      spInputs.map((input) => input.values),
      0,
    );
    return sparseReorder(new SparseTensor(concat(indices, 0), values, add(others, along(at, rank, end))));
  });
}

/** The first of several shapes, once a run has seen that they differ at `axis` alone. */
function sameBut(axis: number, shapes: Tensor): Tensor {
  const [before, after] = [getItem(shapes, ':', [0, axis]), getItem(shapes, ':', [axis + 1, null])];
  const others = concat([before, after], 1);
  const message = 'sparseConcat: the dimensions besides the axis differ (expandNonconcatDims allows it)';
  const check = assertEqual(others, getItem(others, [0, 1]), { message });
  return controlDependencies([check], () => identity(getItem(shapes, 0)));
}

/** The part of `size` from `start` on, both int64 vectors; what is behind the end is left out (`tf.sparse.slice`). */
export function sparseSlice(
  spInput: SparseTensor,
  start: TensorLike,
  sizes: TensorLike,
  { name = 'SparseSlice' }: NameOptions = {},
): SparseTensor {
  requireSparse('sparseSlice', spInput);
  return nameScope(name, () => {
    const { indices, values, denseShape } = spInput;
    const [from, count] = [places(start), places(sizes)];
    const end = minimum(add(from, count), denseShape);
    const within = reduceAll(logicalAnd(greaterEqual(indices, from), less(indices, end)), { axis: 1 });
    const shape = maximum(sub(end, from), constant(0, { dtype: 'int64' }));
    return new SparseTensor(sub(booleanMask(indices, within), from), booleanMask(values, within), shape);
  });
}

/**
 * `numSplit` parts along `axis` (`tf.sparse.split`). Where the size does not divide evenly, the first parts are
 * larger by one.
 */
export function sparseSplit(
  spInput: SparseTensor,
  numSplit: number,
  axis: number,
  { name = 'SparseSplit' }: NameOptions = {},
): SparseTensor[] {
  requireSparse('sparseSplit', spInput);
  if (!(Number.isInteger(numSplit) && numSplit > 0))
    throw new InvalidArgumentError(`sparseSplit: numSplit must be a positive integer, got ${numSplit}`);
  const rank = rankOf('sparseSplit', spInput);
  const at = axisOf('sparseSplit', axis, rank);
  return nameScope(name, () => {
    const whole = spInput.denseShape;
    const parts = constant(numSplit, { dtype: 'int64' });
    const length = getItem(whole, at);
    const [share, rest] = [floorDiv(length, parts), floorMod(length, parts)];
    const startOf = (part: number): Tensor => {
      const number = constant(part, { dtype: 'int64' });
      return add(mul(share, number), minimum(rest, number));
    };
    return Array.from({ length: numSplit }, (_, part) => {
      const from = startOf(part);
      const others = sub(whole, along(at, rank, length));
      const sizes = add(others, along(at, rank, sub(startOf(part + 1), from)));
      return sparseSlice(spInput, along(at, rank, from), sizes);
    });
  });
}

/**
 * Values at the places that ids tell: the last dimension of the indices of `spIds` is replaced by its values, the size of the
 * dimension by `vocabSize`, and the elements are those of `spValues` (`tf.sparse.merge`).
 */
export function sparseMerge(
  spIds: SparseTensor,
  spValues: SparseTensor,
  vocabSize: TensorLike,
  { alreadySorted = false, name = 'SparseMerge' }: NameOptions & { readonly alreadySorted?: boolean } = {},
): SparseTensor {
  requireSparse('sparseMerge', spIds);
  requireSparse('sparseMerge', spValues);
  return nameScope(name, () => {
    const ids = reshape(cast(spIds.values, 'int64'), [-1, 1]);
    const indices = concat([getItem(spIds.indices, ':', [0, -1]), ids], 1);
    const last = reshape(places(typeof vocabSize === 'number' ? [vocabSize] : vocabSize), [1]);
    const shape = concat([getItem(spIds.denseShape, [0, -1]), last], 0);
    const merged = new SparseTensor(indices, spValues.values, shape);
    return alreadySorted ? merged : sparseReorder(merged);
  });
}

/**
 * Whether an id occurs in a row: bool `[..., vocabSize]` from ids `[..., any]` (`tf.sparse.to_indicator`).
 */
export function sparseToIndicator(
  spInput: SparseTensor,
  vocabSize: TensorLike,
  { name = 'SparseToIndicator' }: NameOptions = {},
): Tensor {
  requireSparse('sparseToIndicator', spInput);
  return nameScope(name, () => {
    const present = ones([size(spInput.values)], { dtype: 'bool' });
    const marks = new SparseTensor(spInput.indices, present, spInput.denseShape);
    const { indices, values, denseShape } = sparseMerge(spInput, marks, vocabSize);
    return sparseToDense(indices, denseShape, values, { defaultValue: false, validateIndices: false });
  });
}
