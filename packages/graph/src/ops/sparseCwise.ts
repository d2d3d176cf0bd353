/** Elementwise ops of the elements of a sparse tensor with those of a dense one, which is repeated along axes as needed. */
import { throughParts } from '../composedOp.js';
import { op, type ComposeContext, type InferContext, type OpDef } from '../opDef.js';
import type { Ops } from './index.js';
import type { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkSparse } from './sparseInfer.js';

function infer(c: InferContext): TensorShape[] {
  const { values, rank } = checkSparse(c, { indices: 'sp_indices', values: 'sp_values', shape: 'sp_shape' });
  const dense = c.shape(3);
  const sizes = [...(c.constant(2)?.data ?? [])];
  const whole = rank === null ? null : Array.from({ length: rank }, (_, i) => sizes[i] ?? NaN);
  const fits = dense.dims?.every((dim, i) => {
    const size = whole === null ? NaN : (whole[whole.length - (dense.dims?.length ?? 0) + i] ?? 0);
    return dim === null || dim === 1 || Number.isNaN(size) || dim === size;
  });
  if (fits === false || (rank !== null && (dense.rank ?? 0) > rank)) {
    const shown = whole?.map((size) => (Number.isNaN(size) ? '?' : size)).join(',') ?? '?';
    c.fail(`dense of shape ${dense.toString()} cannot be repeated to sp_shape [${shown}]`);
  }
  return [values];
}

/** The elements of dense at the places of those of the sparse tensor. */
function at({ ops, input }: ComposeContext): Tensor {
  const [indices, dense] = [input(0), input(3)];
  const dims = dense.shape.dims ?? [];
  if (dims.length === 0) return dense;
  const own = ops.slice(
    ops.cast(indices, 'int32'),
    [0, (indices.shape.dim(1) ?? 0) - dims.length],
    [-1, dims.length],
  );
  // An axis of size 1 is repeated: every place in it is the first.
  const repeated = ops.cast(ops.notEqual(ops.shape(dense), 1), 'int32');
  return ops.gatherNd(dense, ops.mul(own, repeated));
}

function elementwise(name: string, combine: (ops: Ops) => (a: Tensor, b: Tensor) => Tensor): OpDef {
  const compose = (c: ComposeContext): Tensor[] => [combine(c.ops)(c.input(1), at(c))];
  return op({
    summary: `The elements of a sparse tensor ${name} those of a dense one at their places.`,
    inputs: ['sp_indices: int64', 'sp_values: T', 'sp_shape: int64', 'dense: T'],
    outputs: ['output: T'],
    attrs: ['T: numeric'],
    infer,
    compose,
    grad: throughParts(compose),
  });
}

export const SPARSE_CWISE = {
  SparseDenseCwiseAdd: elementwise('plus', (ops) => (a, b) => ops.add(a, b)),
  SparseDenseCwiseMul: elementwise('times', (ops) => (a, b) => ops.mul(a, b)),
  SparseDenseCwiseDiv: elementwise('divided by', (ops) => (a, b) => ops.div(a, b)),
} satisfies Record<string, OpDef>;
