/** The shape rules of ops that take the three tensors of a sparse tensor as inputs 0, 1 and 2. */
import { withRank } from '../inferHelpers.js';
import type { InferContext } from '../opDef.js';
import type { TensorShape } from '../shape.js';

/** The names of the inputs, for messages. */
export interface SparseInputs {
  readonly indices: string;
  readonly values: string;
  readonly shape: string;
}

/** Rejects inputs that do not fit together; returns what is known of indices, values and rank. */
export function checkSparse(
  c: InferContext,
  names: SparseInputs,
  wanted?: number,
): { indices: TensorShape; values: TensorShape; rank: number | null } {
  const indices = withRank(c, 0, 2, names.indices);
  const values = withRank(c, 1, 1, names.values);
  const shape = withRank(c, 2, 1, names.shape);
  const rank = shape.dim(0) ?? indices.dim(1);
  if (indices.dim(1) !== null && indices.dim(1) !== rank) {
    c.fail(
      `${names.indices} of shape ${indices.toString()} and ${names.shape} of shape ${shape.toString()} differ in rank`,
    );
  }
  if (wanted !== undefined && rank !== null && rank !== wanted) {
    c.fail(`${names.shape} must have ${wanted} elements, got ${rank}`);
  }
  const count = indices.slice(0, 1).mergeWith(values);
  if (count === null) {
    c.fail(
      `${names.indices} of shape ${indices.toString()} and ${names.values} of shape ${values.toString()} differ in number`,
    );
  }
  return { indices: count.concat([rank]), values: count, rank };
}
