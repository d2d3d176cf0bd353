/** Connectionist temporal classification, and the sparse labels that it takes. They belong to the nn family. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError, UnimplementedError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { nameScope } from '../scopes.js';
import { SparseTensor } from '../sparseTensor.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { transpose } from './arrayMove.js';

function inferCtcLoss(c: InferContext): TensorShape[] {
  const inputs = withRank(c, 0, 3, 'inputs');
  const indices = withRank(c, 1, 2, 'labels_indices');
  const values = withRank(c, 2, 1, 'labels_values');
  const lengths = withRank(c, 3, 1, 'sequence_length');
  if ((indices.dim(1) ?? 2) !== 2) {
    c.fail(`labels_indices must have two columns, got shape ${indices.toString()}`);
  }
  if (indices.slice(0, 1).mergeWith(values) === null) {
    c.fail(
      `labels_indices of shape ${indices.toString()} and labels_values of shape ${values.toString()} differ in number`,
    );
  }
  const batch = inputs.slice(1, 2).mergeWith(lengths);
  if (batch === null) {
    c.fail(
      `inputs of shape ${inputs.toString()} and sequence_length of shape ${lengths.toString()} differ in batch`,
    );
  }
  if (inputs.dim(2) === 0) c.fail('inputs must have a class at least, the blank');
  return [batch, new TensorShape([inputs.dim(0), batch.dim(0), inputs.dim(2)])];
}

/** dinputs = dloss * gradient, by batch item. */
function ctcGrad({ ops, dys, output }: GradContext): (Tensor | null)[] {
  const [dLoss = null, dGradient = null] = dys;
  if (dGradient !== null) {
    throw new UnimplementedError('CTCLoss: its gradient has no gradient, in TensorFlow neither');
  }
  const byItem = dLoss === null ? null : ops.mul(ops.expandDims(dLoss, -1), output(1));
  return [byItem, null, null, null];
}

export const CTC = {
  CTCLoss: op({
    summary: 'Negative log probability of label sequences under CTC, and its gradient by the logits.',
    inputs: ['inputs: T', 'labels_indices: int64', 'labels_values: int32', 'sequence_length: int32'],
    outputs: ['loss: T', 'gradient: T'],
    attrs: [
      'preprocess_collapse_repeated: bool = false',
      'ctc_merge_repeated: bool = true',
      'ignore_longer_outputs_than_inputs: bool = false',
      'T: {float32, float64} = float32',
    ],
    infer: inferCtcLoss,
    grad: ctcGrad,
  }),
} satisfies Record<string, OpDef>;

export interface CtcLossOptions extends NameOptions {
  /** Repeated labels count once, before anything else. */
  readonly preprocessCollapseRepeated?: boolean | undefined;
  /** Repeated classes without a blank between them are one label; default `true`. */
  readonly ctcMergeRepeated?: boolean | undefined;
  /** Items whose labels do not fit their time have loss and gradient 0; else their loss is infinite. */
  readonly ignoreLongerOutputsThanInputs?: boolean | undefined;
  /** `inputs` are `[time, batch, classes]` (default), else `[batch, time, classes]`. */
  readonly timeMajor?: boolean | undefined;
}

/**
 * Connectionist temporal classification (`tf.nn.ctc_loss`; Graves et al., 2006): for each item the negative log of
 * the probability that `inputs`, logits of which the last class is the blank, spell its labels. `labels` is an int32
 * `SparseTensor` `[batch, longest]` in row order; `sequenceLength` int32 `[batch]`. Returns float32 `[batch]`.
 */
export function ctcLoss(
  labels: SparseTensor,
  inputs: TensorLike,
  sequenceLength: TensorLike,
  {
    preprocessCollapseRepeated = false,
    ctcMergeRepeated = true,
    ignoreLongerOutputsThanInputs = false,
    timeMajor = true,
    name = 'CTCLoss',
  }: CtcLossOptions = {},
): Tensor {
  if (!(labels instanceof SparseTensor)) {
    throw new InvalidArgumentError('ctcLoss: labels must be a SparseTensor');
  }
  const logits = convertToTensor(inputs);
  const byTime = timeMajor ? logits : transpose(logits, { perm: [1, 0, 2] });
  const lengths = convertToTensor(sequenceLength, Array.isArray(sequenceLength) ? { dtype: 'int32' } : {});
  return applyOp('CTCLoss', [byTime, labels.indices, labels.values, lengths], {
    name,
    attrs: {
      preprocess_collapse_repeated: preprocessCollapseRepeated,
      ctc_merge_repeated: ctcMergeRepeated,
      ignore_longer_outputs_than_inputs: ignoreLongerOutputsThanInputs,
    },
  }).output(0);
}

export interface SparseToDenseOptions extends NameOptions {
  /** Value of all elements that `sparseIndices` do not name, default 0. */
  readonly defaultValue?: TensorLike | undefined;
  /** Kept in graph files. An index out of range is left out, of repeated ones the last counts. */
  readonly validateIndices?: boolean | undefined;
}

/**
 * A tensor of `outputShape` with `sparseValues` at `sparseIndices` (`tf.sparse_to_dense`): a scalar, a vector of
 * positions, or a matrix with an index vector per row. `sparseValues` is a scalar or has an element per index.
 */
export function sparseToDense(
  sparseIndices: TensorLike,
  outputShape: TensorLike,
  sparseValues: TensorLike,
  { defaultValue = 0, validateIndices = true, name }: SparseToDenseOptions = {},
): Tensor {
  const asIndex = (x: TensorLike): Tensor =>
    Array.isArray(x) || typeof x === 'number' ? convertToTensor(x, { dtype: 'int32' }) : convertToTensor(x);
  return apply('SparseToDense', [asIndex(sparseIndices), asIndex(outputShape), sparseValues, defaultValue], {
    name,
    attrs: { validate_indices: validateIndices },
  });
}

/** A `SparseTensor` as a dense one (`tf.sparse.to_dense`). */
export function sparseTensorToDense(
  spInput: SparseTensor,
  { name = 'SparseToDense', ...options }: SparseToDenseOptions = {},
): Tensor {
  return nameScope(name, () => sparseToDense(spInput.indices, spInput.denseShape, spInput.values, options));
}
