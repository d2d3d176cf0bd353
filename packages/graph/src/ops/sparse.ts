/**
 * Ops on sparse tensors, given by their three tensors: products with dense matrices, order, rows without elements,
 * and sums. They belong to the scatter family.
 */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import { throughParts } from '../composedOp.js';
import { op, type ComposeContext, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { SparseTensor } from '../sparseTensor.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { withShapeOf } from './arrayHost.js';
import type { Ops } from './index.js';
import { reductionAxes } from './reductionAxes.js';
import { SPARSE_RESHAPE } from './sparseReshape.js';
import { SPARSE_ROWS } from './sparseRows.js';
import { checkSparse, type SparseInputs } from './sparseInfer.js';

const MATRIX: SparseInputs = { indices: 'a_indices', values: 'a_values', shape: 'a_shape' };
const INPUT: SparseInputs = { indices: 'input_indices', values: 'input_values', shape: 'input_shape' };

function inferDenseMatMul(c: InferContext): TensorShape[] {
  checkSparse(c, MATRIX, 2);
  const given = shapeFromInput(c, 2);
  const a = given.rank === null ? TensorShape.ofRank(2) : given;
  const b = withRank(c, 3, 2, 'b');
  const [adjointA, adjointB] = [c.attrs.bool('adjoint_a'), c.attrs.bool('adjoint_b')];
  const [rows, inner] = adjointA ? [a.dim(1), a.dim(0)] : [a.dim(0), a.dim(1)];
  const [innerB, columns] = adjointB ? [b.dim(1), b.dim(0)] : [b.dim(0), b.dim(1)];
  if (inner !== null && innerB !== null && inner !== innerB) {
    c.fail(
      `inner dimensions differ: a ${a.toString()}${adjointA ? ' (adjoint)' : ''}, b ${b.toString()}${adjointB ? ' (adjoint)' : ''}`,
    );
  }
  return [new TensorShape([rows, columns])];
}

/** Column `d` of a matrix. */
function column(ops: Ops, x: Tensor, d: number): Tensor {
  return ops.stridedSlice(x, [0, d], [0, d + 1], { beginMask: 1, endMask: 1, shrinkAxisMask: 2 });
}

/** d a_values[k] = dy[row of k] . b[column of k], db = transpose(a) dy */
function denseMatMulGrad({ ops, attrs, input, dy }: GradContext): (Tensor | null)[] {
  const [indices, values, shape, b] = [input(0), input(1), input(2), input(3)];
  const [adjointA, adjointB] = [attrs.bool('adjoint_a'), attrs.bool('adjoint_b')];
  const product = apply('SparseTensorDenseMatMul', [indices, values, shape, dy], {
    attrs: { adjoint_a: !adjointA },
  });
  const db = adjointB ? ops.transpose(product) : product;
  const [rows, columns] = [column(ops, indices, adjointA ? 1 : 0), column(ops, indices, adjointA ? 0 : 1)];
  const factors = ops.gather(adjointB ? ops.transpose(b) : b, columns);
  const dValues = ops.reduceSum(ops.mul(ops.gather(dy, rows), factors), { axis: 1 });
  return [null, withShapeOf(dValues, values), null, withShapeOf(db, b)];
}

function inferReorder(c: InferContext): TensorShape[] {
  const { indices, values } = checkSparse(c, INPUT);
  return [indices, values];
}

/** dy[p] goes back to where element p was: the elements' numbers are put in order, too. */
function reorderGrad({ ops, input, dys }: GradContext): (Tensor | null)[] {
  const [indices, values, shape] = [input(0), input(1), input(2)];
  const [, dy = null] = dys;
  if (dy === null) return [null, null, null];
  const numbers = ops.range(0, ops.size(values));
  const order = applyOp('SparseReorder', [indices, numbers, shape]).output(1);
  return [null, withShapeOf(ops.gather(dy, ops.invertPermutation(order)), values), null];
}

function inferReduceSum(c: InferContext): TensorShape[] {
  const { rank } = checkSparse(c, INPUT);
  const axesShape = c.shape(3);
  if (axesShape.rank !== null && axesShape.rank > 1) {
    c.fail(`reduction_axes must be a scalar or a vector, got shape ${axesShape.toString()}`);
  }
  const given = shapeFromInput(c, 2);
  const dims = given.dims ?? (rank === null ? null : TensorShape.ofRank(rank).dims);
  const axes = reductionAxes(c, c.constant(3), dims?.length ?? null);
  const keep = c.attrs.bool('keep_dims');
  if (dims === null) return [TensorShape.UNKNOWN];
  if (axes === null) return [keep ? TensorShape.ofRank(dims.length) : TensorShape.UNKNOWN];
  if (keep) return [new TensorShape(dims.map((dim, d) => (axes.includes(d) ? 1 : dim)))];
  return [new TensorShape(dims.filter((_, d) => !axes.includes(d)))];
}

/** d values[k] = dy where element k was added */
function reduceSumGrad({ ops, input, dy }: GradContext): (Tensor | null)[] {
  const [indices, values, axes] = [input(0), input(1), input(3)];
  const shape = ops.cast(input(2), 'int32');
  const rank = ops.size(shape);
  const flat = ops.reshape(ops.floorMod(axes, rank), [-1]);
  const isReduced = ops.reduceAny(ops.equal(ops.expandDims(ops.range(0, rank), 1), flat), { axis: 1 });
  const kept = ops.where(isReduced, ops.onesLike(shape), shape);
  const at = ops.whereV2(isReduced, ops.zerosLike(indices), indices);
  return [null, withShapeOf(ops.gatherNd(ops.reshape(dy, kept), at), values), null, null];
}

/**
 * Softmax of the elements that a sparse tensor has in each row of its last axis. Elements lie in order, so a row ends where
 * the indices but the last change.
 */
function composeSoftmax({ ops, input }: ComposeContext): Tensor[] {
  const [indices, values] = [input(0), input(1)];
  const rank = indices.shape.dim(1) ?? 0;
  const count = indices.shape.dim(0);
  if (count === 0) return [values];
  const rows = ops.slice(ops.cast(indices, 'int32'), [0, 0], [-1, rank - 1]);
  const [later, earlier] = [ops.slice(rows, [1, 0], [-1, -1]), ops.stridedSlice(rows, [0], [-1])];
  const steps = ops.cast(ops.reduceAny(ops.notEqual(later, earlier), { axis: 1 }), 'int32');
  const ids = ops.cumsum(ops.concat([ops.constant([0], { dtype: 'int32' }), steps], 0));
  const segments = ops.gather(ops.shape(values), 0);
  const most = ops.gather(ops.unsortedSegmentMax(ops.stopGradient(values), ids, segments), ids);
  const powers = ops.exp(ops.sub(values, most));
  return [ops.div(powers, ops.gather(ops.unsortedSegmentSum(powers, ids, segments), ids))];
}

export const SPARSE = {
  SparseSoftmax: op({
    summary:
      'Softmax of the elements of a sparse tensor in each row of its last axis; the others count as -infinity.',
    inputs: ['sp_indices: int64', 'sp_values: T', 'sp_shape: int64'],
    outputs: ['output: T'],
    attrs: ['T: {float16, float32, float64}'],
    infer: (c) => {
      const names = { indices: 'sp_indices', values: 'sp_values', shape: 'sp_shape' };
      const { values, rank } = checkSparse(c, names);
      if (rank !== null && rank < 2) c.fail(`the sparse tensor must have rank 2 or more, got ${rank}`);
      return [values];
    },
    compose: composeSoftmax,
    grad: throughParts(composeSoftmax),
  }),

  SparseTensorDenseMatMul: op({
    summary: 'The product of a sparse and a dense matrix.',
    inputs: ['a_indices: Tindices', 'a_values: T', 'a_shape: int64', 'b: T'],
    outputs: ['product: T'],
    attrs: ['T: type', 'Tindices: index = int64', 'adjoint_a: bool = false', 'adjoint_b: bool = false'],
    infer: inferDenseMatMul,
    grad: denseMatMulGrad,
  }),

  SparseReorder: op({
    summary: 'The elements of a sparse tensor in row-major order.',
    inputs: ['input_indices: int64', 'input_values: T', 'input_shape: int64'],
    outputs: ['output_indices: int64', 'output_values: T'],
    attrs: ['T: type'],
    infer: inferReorder,
    grad: reorderGrad,
  }),

  SparseReduceSum: op({
    summary: 'Sums of the elements of a sparse tensor along axes, as a dense tensor.',
    inputs: ['input_indices: int64', 'input_values: T', 'input_shape: int64', 'reduction_axes: int32'],
    outputs: ['output: T'],
    attrs: ['keep_dims: bool = false', 'T: numeric'],
    infer: inferReduceSum,
    grad: reduceSumGrad,
  }),

  ...SPARSE_ROWS,
  ...SPARSE_RESHAPE,
} satisfies Record<string, OpDef>;

function requireSparse(caller: string, x: unknown): asserts x is SparseTensor {
  if (!(x instanceof SparseTensor)) {
    throw new InvalidArgumentError(`${caller}: a SparseTensor is wanted, got ${typeof x}`);
  }
}

export interface SparseMatmulOptions extends NameOptions {
  /** Transposes the sparse matrix. */
  readonly adjointA?: boolean | undefined;
  /** Transposes the dense matrix. */
  readonly adjointB?: boolean | undefined;
}

/**
 * The product of the sparse matrix `spA` and the dense matrix `b` (`tf.sparse.sparse_dense_matmul`, in any order of
 * elements; repeated indices add up, those out of range are left out). Differentiable by `spA.values` and `b`.
 * Throws when the inner dimensions differ.
 */
export function sparseTensorDenseMatmul(
  spA: SparseTensor,
  b: TensorLike,
  { adjointA = false, adjointB = false, name }: SparseMatmulOptions = {},
): Tensor {
  requireSparse('sparseTensorDenseMatmul', spA);
  const dense = convertToTensor(b, { dtype: spA.dtype });
  return apply('SparseTensorDenseMatMul', [spA.indices, spA.values, spA.denseShape, dense], {
    name,
    attrs: { adjoint_a: adjointA, adjoint_b: adjointB },
  });
}

/**
 * The same sparse tensor with its elements in row-major order (`tf.sparse.reorder`); elements with equal indices
 * keep their order.
 */
export function sparseReorder(spInput: SparseTensor, { name }: NameOptions = {}): SparseTensor {
  requireSparse('sparseReorder', spInput);
  const node = applyOp('SparseReorder', [spInput.indices, spInput.values, spInput.denseShape], { name });
  return new SparseTensor(node.output(0), node.output(1), spInput.denseShape);
}

/**
 * The sparse tensor with the softmax of each row of its last axis in place of its elements, which must be in order; those that
 * are not there count as -infinity (`tf.sparse.softmax`). Throws for a rank below 2.
 */
export function sparseSoftmax(spInput: SparseTensor, { name }: NameOptions = {}): SparseTensor {
  requireSparse('sparseSoftmax', spInput);
  const { indices, values, denseShape } = spInput;
  return new SparseTensor(
    indices,
    apply('SparseSoftmax', [indices, values, denseShape], { name }),
    denseShape,
  );
}

export interface SparseReduceOptions extends NameOptions {
  /** Default: all of them. Negative ones count from the last. */
  readonly axis?: number | readonly number[] | undefined;
  readonly keepDims?: boolean | undefined;
}

/**
 * Sums of the elements of a sparse tensor along `axis`, as a dense tensor (`tf.sparse.reduce_sum`). The rank must
 * be known when there is no axis.
 */
export function sparseReduceSum(
  spInput: SparseTensor,
  { axis, keepDims = false, name }: SparseReduceOptions = {},
): Tensor {
  requireSparse('sparseReduceSum', spInput);
  const { rank } = spInput.shape;
  if (axis === undefined && rank === null) {
    throw new InvalidArgumentError('sparseReduceSum: without an axis the rank must be known');
  }
  const all = Array.from({ length: rank ?? 0 }, (_, d) => d);
  const axes = axis === undefined ? all : typeof axis === 'number' ? [axis] : axis;
  const inputs = [spInput.indices, spInput.values, spInput.denseShape];
  return apply('SparseReduceSum', [...inputs, convertToTensor(axes, { dtype: 'int32' })], {
    name,
    attrs: { keep_dims: keepDims },
  });
}

/**
 * The sparse tensor with an element of value `defaultValue` at the beginning of each row (along the first dimension)
 * that has none, elements grouped by rows, and which rows these are (`tf.sparse.fill_empty_rows`): a bool vector.
 */
export function sparseFillEmptyRows(
  spInput: SparseTensor,
  defaultValue: TensorLike,
  { name }: NameOptions = {},
): [filled: SparseTensor, emptyRowIndicator: Tensor] {
  requireSparse('sparseFillEmptyRows', spInput);
  const fallback = convertToTensor(defaultValue, { dtype: spInput.dtype });
  const inputs = [spInput.indices, spInput.values, spInput.denseShape, fallback];
  const node = applyOp('SparseFillEmptyRows', inputs, { name });
  return [new SparseTensor(node.output(0), node.output(1), spInput.denseShape), node.output(2)];
}
