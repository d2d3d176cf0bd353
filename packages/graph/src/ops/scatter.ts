/**
 * Ops that write rows at indices: into a new tensor here, into variables in scatterState.ts. An index
 * out of range is ignored, as on TensorFlow's GPUs. Of several updates of one row all count, in the order in
 * which they are given: they add up, and of replacements the last one stays.
 */
import { INPLACE } from './inplace.js';
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { shapeFromInput } from '../inferHelpers.js';
import { op, type GradContext, type GradFn, type InferContext, type OpDef } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { indexDType, withShapeOf } from './arrayHost.js';
import { checkVectorUpdates } from './scatterInfer.js';
import { SPARSE } from './sparse.js';
import { SPARSE_CWISE } from './sparseCwise.js';
import { SPARSE_DENSE } from './sparseDense.js';
import { SCATTER_STATE } from './scatterState.js';

export * from './scatterState.js';
export * from './sparse.js';
export { sparseReshape } from './sparseReshape.js';

function inferScatterNd(c: InferContext): TensorShape[] {
  const target = shapeFromInput(c, 2);
  checkVectorUpdates(c, { indices: c.shape(0), updates: c.shape(1), target });
  return [target];
}

function inferTensorScatter(c: InferContext): TensorShape[] {
  const [target, indices, updates] = [c.shape(0), c.shape(1), c.shape(2)];
  checkVectorUpdates(c, { indices, updates, target });
  return [target];
}

function tensorScatter(summary: string, grad: GradFn, first = 'tensor', type = 'type'): OpDef {
  return op({
    summary,
    inputs: [`${first}: T`, 'indices: Tindices', 'updates: T'],
    outputs: ['output: T'],
    attrs: [`T: ${type}`, 'Tindices: index'],
    infer: inferTensorScatter,
    grad,
  });
}

/** The rows of `dy` that the updates went to. */
function updatesGrad({ ops, input, dy }: GradContext): Tensor {
  return withShapeOf(ops.gatherNd(dy, input(1)), input(2));
}

/** d tensor = dy, d updates = dy at the indices */
const addGrad: GradFn = (c) => [c.dy, null, updatesGrad(c)];

/** dy is shared equally among the elements that are the extreme of their place. */
function extremeGrad({ ops, input, output, dy }: GradContext): (Tensor | null)[] {
  const [tensor, indices, updates] = [input(0), input(1), input(2)];
  const mark = (x: Tensor, y: Tensor): Tensor => ops.cast(ops.equal(x, y), dy.dtype);
  const ownMarks = mark(tensor, output(0));
  const updateMarks = mark(updates, ops.gatherNd(output(0), indices));
  const others = ops.scatterNd(indices, updateMarks, ops.shape(tensor, { outType: indexDType(indices) }));
  const share = ops.div(dy, ops.add(ownMarks, others));
  return [
    withShapeOf(ops.mul(share, ownMarks), tensor),
    null,
    withShapeOf(ops.mul(ops.gatherNd(share, indices), updateMarks), updates),
  ];
}

const TENSORS = {
  ScatterNd: op({
    summary: 'Zeros of a given shape with updates added at the given index vectors.',
    inputs: ['indices: Tindices', 'updates: T', 'shape: Tindices'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tindices: index'],
    infer: inferScatterNd,
    grad: ({ ops, input, dy }) => [null, withShapeOf(ops.gatherNd(dy, input(0)), input(1)), null],
  }),

  TensorScatterUpdate: tensorScatter('A tensor with rows replaced at the given index vectors.', (c) => {
    const { ops, input, dy } = c;
    // d tensor = dy, zero where it was replaced; d updates = dy at the indices
    const kept = ops.tensorScatterUpdate(dy, input(1), ops.zerosLike(input(2)));
    return [withShapeOf(kept, input(0)), null, updatesGrad(c)];
  }),
  TensorScatterAdd: tensorScatter('A tensor with updates added at the given index vectors.', addGrad),
  TensorScatterSub: tensorScatter('A tensor with updates subtracted at the given index vectors.', (c) => [
    c.dy,
    null,
    c.ops.neg(updatesGrad(c)),
  ]),
  TensorScatterMax: tensorScatter(
    'The maximum of a tensor and updates at the given index vectors.',
    extremeGrad,
  ),
  TensorScatterMin: tensorScatter(
    'The minimum of a tensor and updates at the given index vectors.',
    extremeGrad,
  ),
  ScatterNdNonAliasingAdd: tensorScatter(
    'A tensor with updates added at the given index vectors.',
    addGrad,
    'input',
  ),
};

export const SCATTER = {
  ...TENSORS,
  ...INPLACE,
  ...SPARSE,
  ...SPARSE_CWISE,
  ...SPARSE_DENSE,
  ...SCATTER_STATE,
};

/**
 * A tensor of `shape` with `updates` added at the index vectors `indices` (`tf.scatter_nd`). Repeated
 * index vectors add up; those out of range are ignored. Throws when the shapes do not fit.
 */
export function scatterNd(
  indices: TensorLike,
  updates: TensorLike,
  shape: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('ScatterNd', [indices, updates, shape], { name });
}

function tensorScatterBuilder(type: string) {
  return (tensor: TensorLike, indices: TensorLike, updates: TensorLike, { name }: NameOptions = {}): Tensor =>
    apply(type, [convertToTensor(tensor), indices, updates], { name });
}

/**
 * `tensor` with the rows at the index vectors `indices` replaced by `updates` (`tf.tensor_scatter_update`).
 * Of several updates of one row the last one stays; index vectors out of range are ignored.
 */
export const tensorScatterUpdate = tensorScatterBuilder('TensorScatterUpdate');

/** `tensor` with `updates` added at the index vectors `indices`; repeated ones add up (`tf.tensor_scatter_add`). */
export const tensorScatterAdd = tensorScatterBuilder('TensorScatterAdd');

/** `tensor` with `updates` subtracted at the index vectors `indices` (`tf.tensor_scatter_sub`). */
export const tensorScatterSub = tensorScatterBuilder('TensorScatterSub');

/**
 * The maximum of `tensor` and the `updates` at the index vectors `indices` (`tf.tensor_scatter_nd_max`). The
 * gradient is shared equally among equal elements.
 */
export const tensorScatterMax = tensorScatterBuilder('TensorScatterMax');

/** As `tensorScatterMax`, with the minimum (`tf.tensor_scatter_nd_min`). */
export const tensorScatterMin = tensorScatterBuilder('TensorScatterMin');

/** `input` with `updates` added at the index vectors `indices` (`gen_state_ops.scatter_nd_non_aliasing_add`). */
export const scatterNdNonAliasingAdd = tensorScatterBuilder('ScatterNdNonAliasingAdd');
