/** Shape rules of ops that read or write rows at indices. */
import type { InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';

/** Rank of the part of `params` that an index vector picks from, or `null`. */
export function indexDepth(c: InferContext, indices: TensorShape, params: TensorShape): Dim {
  if (indices.rank === 0) c.fail('indices must have rank 1 or more, got a scalar');
  const depth = indices.rank === null ? null : indices.dim(-1);
  if (depth !== null && params.rank !== null && depth > params.rank) {
    c.fail(`index vectors have ${depth} elements, the indexed tensor has shape ${params.toString()}`);
  }
  return depth;
}

/** Rejects updates that are no rows of `target` at the index vectors in `indices`. */
export function checkVectorUpdates(
  c: InferContext,
  { indices, updates, target }: { indices: TensorShape; updates: TensorShape; target: TensorShape },
): void {
  const depth = indexDepth(c, indices, target);
  if (depth === null) return;
  const expected = indices.slice(0, -1).concat(target.slice(depth));
  if (!expected.isCompatibleWith(updates)) {
    c.fail(`updates must have shape ${expected.toString()}, got ${updates.toString()}`);
  }
}

/** Rejects updates (input 2) that are neither a scalar nor rows of `target` at the indices in input 1. */
export function checkRowUpdates(c: InferContext, target: TensorShape): void {
  const [indices, updates] = [c.shape(1), c.shape(2)];
  if (target.rank === 0) c.fail('the variable must have rank 1 or more, it is a scalar');
  const expected = indices.concat(target.slice(1));
  if (updates.rank !== 0 && !expected.isCompatibleWith(updates)) {
    c.fail(`updates must be a scalar or have shape ${expected.toString()}, got ${updates.toString()}`);
  }
}

/** The shape of rows of `params` at `indices`, which share their first `batch` dimensions. */
export function gatheredRows(
  c: InferContext,
  params: TensorShape,
  indices: TensorShape,
  batch: number,
): TensorShape {
  if (params.rank === 0) c.fail('params must have rank 1 or more, got a scalar');
  const shared = batch < 0 && indices.rank !== null ? batch + indices.rank : batch;
  if (params.rank === null || indices.rank === null || shared < 0) return TensorShape.UNKNOWN;
  if (shared >= params.rank || shared > indices.rank) {
    c.fail(
      `batch_dims ${batch} exceeds the rank of params ${params.toString()} or indices ${indices.toString()}`,
    );
  }
  if (!params.slice(0, shared).isCompatibleWith(indices.slice(0, shared))) {
    c.fail(
      `the first ${shared} dimensions of params ${params.toString()} and indices ${indices.toString()} differ`,
    );
  }
  return params
    .slice(0, shared)
    .concat(indices.slice(shared))
    .concat(params.slice(shared + 1));
}
