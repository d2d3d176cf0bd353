/** `SparseReshape`: the elements of a sparse tensor under another shape. It belongs to the scatter family. */
import { applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type ComposeContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import { SparseTensor } from '../sparseTensor.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { Ops } from './index.js';

function inferReshape(c: InferContext): TensorShape[] {
  const indices = withRank(c, 0, 2, 'input_indices');
  const [from, to] = [withRank(c, 1, 1, 'input_shape'), withRank(c, 2, 1, 'new_shape')];
  const rank = from.dim(0);
  if (indices.dim(1) !== null && rank !== null && indices.dim(1) !== rank)
    c.fail(`input_indices of shape ${indices.toString()} and input_shape of ${rank} elements differ in rank`);
  checkSizes(c);
  return [new TensorShape([indices.dim(0), to.dim(0)]), to];
}

/** Rejects shapes of which it is known that they do not hold the same number of elements. */
function checkSizes(c: InferContext): void {
  const [given, asked] = [1, 2].map((i) => c.constant(i)?.data);
  if (asked === undefined) return;
  const list = `[${[...asked].join(',')}]`;
  if (asked.filter((size) => size === -1).length > 1) c.fail(`new_shape ${list} has more than one -1`);
  if (asked.some((size) => size < -1)) c.fail(`new_shape ${list} has negative sizes`);
  if (given === undefined || [...given, ...asked].some(Number.isNaN)) return;
  const product = (sizes: Float64Array): number => sizes.reduce((all, size) => all * Math.abs(size), 1);
  const [have, want] = [product(given), product(asked)];
  const fits = asked.includes(-1) ? want !== 0 && have % want === 0 : have === want;
  if (!fits)
    c.fail(`input_shape [${[...given].join(',')}] has ${have} elements, which do not fit new_shape ${list}`);
}

/** How many elements lie between neighbours along each axis. */
function stridesOf(ops: Ops, shape: Tensor): Tensor {
  return ops.cumprod(shape, { axis: 0, exclusive: true, reverse: true });
}

/** The place of each element in row-major order, divided up by the other shape; in int32, as all indices on the device. */
function composeReshape({ ops, input }: ComposeContext): Tensor[] {
  const [indices, from, asked] = [input(0), input(1), input(2)].map((x) => ops.cast(x, 'int32'));
  if (indices === undefined || from === undefined || asked === undefined) return [];
  const open = ops.equal(asked, -1);
  const ones = ops.onesLike(asked);
  const others = ops.maximum(ops.reduceProd(ops.where(open, ones, asked)), 1);
  const to = ops.where(open, ops.mul(ones, ops.floorDiv(ops.reduceProd(from), others)), asked);
  const place = ops.reduceSum(ops.mul(indices, stridesOf(ops, from)), { axis: 1, keepDims: true });
  // Tensors without elements have sizes of 0, by which nothing is divided.
  const [strides, sizes] = [ops.maximum(stridesOf(ops, to), 1), ops.maximum(to, 1)];
  const moved = ops.floorMod(ops.floorDiv(place, strides), sizes);
  return [ops.cast(moved, 'int64'), ops.cast(to, 'int64')];
}

export const SPARSE_RESHAPE = {
  SparseReshape: op({
    summary: 'The indices of the elements of a sparse tensor under another shape.',
    inputs: ['input_indices: int64', 'input_shape: int64', 'new_shape: int64'],
    outputs: ['output_indices: int64', 'output_shape: int64'],
    infer: inferReshape,
    compose: composeReshape,
    grad: notDifferentiable('the results are indices'),
  }),
} satisfies Record<string, OpDef>;

/**
 * The sparse tensor with the same elements in row-major order under the shape `shape`, of which one size may be -1 (`tf.sparse.reshape`).
 * Throws for a shape of another number of elements.
 */
export function sparseReshape(
  spInput: SparseTensor,
  shape: TensorLike,
  { name }: NameOptions = {},
): SparseTensor {
  if (!(spInput instanceof SparseTensor))
    throw new InvalidArgumentError('sparseReshape: the input must be a SparseTensor');
  const asked = convertToTensor(shape, { dtype: 'int64' });
  const node = applyOp('SparseReshape', [spInput.indices, spInput.denseShape, asked], { name });
  return new SparseTensor(node.output(0), spInput.values, node.output(1));
}
