/** SparseToDense: a dense tensor from a list of its elements. It belongs to the scatter family. */
import { shapeFromInput } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';

function inferSparseToDense(c: InferContext): TensorShape[] {
  const [indices, shape, values, fallback] = [c.shape(0), c.shape(1), c.shape(2), c.shape(3)];
  if (shape.rank !== null && shape.rank !== 1)
    c.fail(`output_shape must be a vector, got shape ${shape.toString()}`);
  if (indices.rank !== null && indices.rank > 2) {
    c.fail(`sparse_indices must have rank 2 at most, got shape ${indices.toString()}`);
  }
  if (fallback.rank !== null && fallback.rank !== 0) {
    c.fail(`default_value must be a scalar, got shape ${fallback.toString()}`);
  }
  const result = shapeFromInput(c, 1);
  const columns = indices.rank === null ? null : indices.rank === 2 ? indices.dim(1) : 1;
  if (columns !== null && result.rank !== null && columns !== result.rank) {
    c.fail(`sparse_indices of shape ${indices.toString()} do not index an output of rank ${result.rank}`);
  }
  if (values.rank !== null && values.rank > 1) {
    c.fail(`sparse_values must be a scalar or a vector, got shape ${values.toString()}`);
  }
  const count = indices.rank === null ? null : indices.rank === 0 ? 1 : indices.dim(0);
  const given = values.rank === 1 ? values.dim(0) : null;
  if (count !== null && given !== null && count !== given) {
    c.fail(`there are ${count} sparse_indices and ${given} sparse_values`);
  }
  return [result];
}

/** dvalues = dy at the indices, ddefault = sum(dy) - sum(dvalues). */
function sparseToDenseGrad({ ops, input, dy }: GradContext): (Tensor | null)[] {
  const indices = input(0);
  const rank = indices.shape.rank;
  const vectors = rank === 2 ? indices : ops.reshape(indices, [-1, 1]);
  const each = ops.gatherNd(dy, vectors);
  const values = ops.sumToShapeOf(rank === 0 ? ops.reshape(each, ops.shape(input(2))) : each, input(2));
  return [null, null, values, ops.sub(ops.reduceSum(dy), ops.reduceSum(each))];
}

export const SPARSE_DENSE = {
  SparseToDense: op({
    summary: 'A dense tensor with values at the given indices.',
    inputs: ['sparse_indices: Tindices', 'output_shape: Tindices', 'sparse_values: T', 'default_value: T'],
    outputs: ['dense: T'],
    attrs: ['validate_indices: bool = true', 'T: type', 'Tindices: index'],
    infer: inferSparseToDense,
    grad: sparseToDenseGrad,
  }),
} satisfies Record<string, OpDef>;
