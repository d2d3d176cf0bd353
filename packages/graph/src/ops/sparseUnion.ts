/** Two sparse tensors element by element, over the places where either has one: sums, the larger, the smaller. */
import type { NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { controlDependencies, nameScope } from '../scopes.js';
import { SparseTensor } from '../sparseTensor.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { getItem } from './arrayItem.js';
import { concat } from './arrayJoin.js';
import { transpose, unravelIndex } from './arrayMove.js';
import { assertEqual } from './assertions.js';
import { add, maximum, minimum, mul } from './binary.js';
import { greaterEqual } from './comparison.js';
import { unique } from './dynamicUnique.js';
import { reduceSum } from './reduction.js';
import { cumprod } from './reductionScan.js';
import { tensorScatterAdd } from './scatter.js';
import { unsortedSegmentSum } from './segmentUnsorted.js';
import { size } from './shape.js';
import { identity } from './source.js';
import { sparseReorder } from './sparse.js';
import { requireSparse, sparseRetain } from './sparseComposed.js';
import { abs } from './unary.js';

/** Where either of two sparse tensors has an element, and what each has there: 0 where it has none. */
function union(
  caller: string,
  a: SparseTensor,
  b: SparseTensor,
): { indices: Tensor; values: [Tensor, Tensor]; shape: Tensor } {
  requireSparse(caller, a);
  requireSparse(caller, b);
  if (baseDType(a.dtype) !== baseDType(b.dtype))
    throw new InvalidArgumentError(
      `${caller}: the values are ${a.dtype} and ${b.dtype}: they must have one dtype`,
    );
  const message = `${caller}: the shapes of the sparse tensors differ`;
  const check = assertEqual(a.denseShape, b.denseShape, { message });
  const shape = controlDependencies([check], () => identity(a.denseShape));
  const strides = cumprod(shape, { exclusive: true, reverse: true });
  const linear = reduceSum(mul(concat([a.indices, b.indices], 0), strides), { axis: 1 });
  const [places, positions] = unique(linear);
  const count = size(places);
  const own = size(a.values);
  const [positionsA, positionsB] = [getItem(positions, [0, own]), getItem(positions, [own, null])];
  return {
    indices: transpose(unravelIndex(places, shape)),
    values: [
      unsortedSegmentSum(a.values, positionsA, count),
      unsortedSegmentSum(b.values, positionsB, count),
    ],
    shape,
  };
}

function combined(
  caller: string,
  scope: string,
  [a, b]: readonly [SparseTensor, SparseTensor],
  combine: (x: Tensor, y: Tensor) => Tensor,
): SparseTensor {
  return nameScope(scope, () => {
    const { indices, values, shape } = union(caller, a, b);
    return sparseReorder(new SparseTensor(indices, combine(...values), shape));
  });
}

/**
 * The sum of two sparse tensors of one shape, a sparse tensor, or of a sparse and a dense one, a dense tensor
 * (`tf.sparse.add`). Elements that cancel stay, as zeros, unless `threshold` is given: then those whose absolute value is
 * smaller are left out.
 */
export function sparseAdd(a: SparseTensor, b: SparseTensor, options?: SparseAddOptions): SparseTensor;
export function sparseAdd(
  a: SparseTensor | TensorLike,
  b: SparseTensor | TensorLike,
  options?: SparseAddOptions,
): Tensor | SparseTensor;
export function sparseAdd(
  a: SparseTensor | TensorLike,
  b: SparseTensor | TensorLike,
  { threshold, name = 'SparseAdd' }: SparseAddOptions = {},
): Tensor | SparseTensor {
  if (a instanceof SparseTensor && b instanceof SparseTensor) {
    const sum = combined('sparseAdd', name, [a, b], add);
    return threshold === undefined ? sum : sparseRetain(sum, greaterEqual(abs(sum.values), threshold));
  }
  const [sparse, dense] = a instanceof SparseTensor ? [a, b] : [b, a];
  requireSparse('sparseAdd', sparse);
  return nameScope(name, () => tensorScatterAdd(dense as TensorLike, sparse.indices, sparse.values));
}

export interface SparseAddOptions extends NameOptions {
  readonly threshold?: number | undefined;
}

/** The larger of the elements of two sparse tensors of one shape; elements that one lacks count as 0 (`tf.sparse.maximum`). */
export function sparseMaximum(
  spA: SparseTensor,
  spB: SparseTensor,
  { name = 'SparseSparseMaximum' }: NameOptions = {},
): SparseTensor {
  return combined('sparseMaximum', name, [spA, spB], maximum);
}

/** The smaller of the elements of two sparse tensors of one shape; elements that one lacks count as 0 (`tf.sparse.minimum`). */
export function sparseMinimum(
  spA: SparseTensor,
  spB: SparseTensor,
  { name = 'SparseSparseMinimum' }: NameOptions = {},
): SparseTensor {
  return combined('sparseMinimum', name, [spA, spB], minimum);
}
