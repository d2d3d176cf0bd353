/** Ops that save variables to checkpoints and restore them, as a `Saver` puts them into the graph. */
import { noOutputs, scalarShape, withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';

const IO = notDifferentiable('it deals with files');

/** Names and slices are vectors of equal length, one element per tensor. */
function checkNames(c: InferContext, tensors: number): void {
  if (!c.shape(0).isCompatibleWith(TensorShape.SCALAR)) {
    c.fail(`prefix must be a scalar, got shape ${c.shape(0).toString()}`);
  }
  for (const [i, name] of [
    [1, 'tensor_names'],
    [2, 'shape_and_slices'],
  ] as const) {
    const length = withRank(c, i, 1, name).dim(0);
    if (length !== null && length !== tensors)
      c.fail(`${name} has ${length} elements for ${tensors} tensors`);
  }
}

export const FILES = {
  SaveV2: op({
    summary: 'Writes tensors to a checkpoint.',
    inputs: ['prefix: string', 'tensor_names: string', 'shape_and_slices: string', 'tensors: dtypes'],
    attrs: ['dtypes: list(type) >= 1'],
    infer: (c) => {
      checkNames(c, c.shapes.length - 3);
      return noOutputs();
    },
    grad: IO,
    stateful: true,
  }),

  RestoreV2: op({
    summary: 'Reads tensors from a checkpoint.',
    inputs: ['prefix: string', 'tensor_names: string', 'shape_and_slices: string'],
    outputs: ['tensors: dtypes'],
    attrs: ['dtypes: list(type) >= 1'],
    infer: (c) => {
      const { length } = c.attrs.types('dtypes');
      checkNames(c, length);
      return Array.from({ length }, () => TensorShape.UNKNOWN);
    },
    grad: IO,
    stateful: true,
  }),

  ShardedFilename: op({
    summary: 'The file name of one shard of a checkpoint: basename, shard number, number of shards.',
    inputs: ['basename: string', 'shard: int32', 'num_shards: int32'],
    outputs: ['filename: string'],
    infer: (c) => {
      ['basename', 'shard', 'num_shards'].forEach((name, i) => withRank(c, i, 0, name));
      return scalarShape();
    },
    grad: IO,
  }),

  MergeV2Checkpoints: op({
    summary: 'Joins the shards of a checkpoint under one name.',
    inputs: ['checkpoint_prefixes: string', 'destination_prefix: string'],
    attrs: ['delete_old_dirs: bool = true'],
    infer: (c) => {
      withRank(c, 0, 1, 'checkpoint_prefixes');
      if (!c.shape(1).isCompatibleWith(TensorShape.SCALAR)) {
        c.fail(`destination_prefix must be a scalar, got shape ${c.shape(1).toString()}`);
      }
      return noOutputs();
    },
    grad: IO,
    stateful: true,
  }),
};
