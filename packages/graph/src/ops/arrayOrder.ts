/** Ops that turn elements around along an axis: reverseSequence, roll, and the older form of reverse. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { normalizeAxis, sameShape, withRankAtLeast } from '../inferHelpers.js';
import { op, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { knownElements, vectorLength } from './arrayHost.js';

function inferReverseSequence(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  const [seq, batch] = [c.attrs.int('seq_dim'), c.attrs.int('batch_dim')];
  const length = vectorLength(c, 1, 'seq_lengths');
  if (seq === batch) c.fail(`seq_dim and batch_dim must differ, both are ${seq}`);
  for (const [name, axis] of [
    ['seq_dim', seq],
    ['batch_dim', batch],
  ] as const) {
    if (axis < 0 || (x.rank !== null && axis >= x.rank)) {
      c.fail(`${name} ${axis} is out of range for an input of shape ${x.toString()}`);
    }
  }
  if (x.rank === null) return [x];
  const [rows, steps] = [x.dim(batch), x.dim(seq)];
  if (rows !== null && length !== null && rows !== length) {
    c.fail(`seq_lengths has ${length} elements, dimension ${batch} of ${x.toString()} has size ${rows}`);
  }
  const wrong = knownElements(c.constant(1))?.find((n) => n < 0 || (steps !== null && n > steps));
  if (wrong !== undefined) c.fail(`seq_lengths must be in [0, ${steps ?? '?'}], got ${wrong}`);
  return [new TensorShape((x.dims ?? []).map((dim, d) => (d === batch ? (dim ?? length) : dim)))];
}

function inferRoll(c: InferContext): TensorShape[] {
  const x = withRankAtLeast(c, 0, 1, 'input');
  const [shift, axis] = [c.shape(1), c.shape(2)];
  for (const [name, shape] of [
    ['shift', shift],
    ['axis', axis],
  ] as const) {
    if ((shape.rank ?? 0) > 1) c.fail(`${name} must be a scalar or a vector, got shape ${shape.toString()}`);
  }
  if (shift.size !== null && axis.size !== null && shift.size !== axis.size) {
    c.fail(`shift has ${shift.size} elements, axis has ${axis.size}`);
  }
  knownElements(c.constant(2))?.forEach((a) => normalizeAxis(c, a, x.rank));
  return sameShape(c);
}

export const ARRAY_ORDER = {
  ReverseSequence: op({
    summary: 'The first elements of each row reversed, as many as the row is long.',
    inputs: ['input: T', 'seq_lengths: Tlen'],
    outputs: ['output: T'],
    attrs: ['seq_dim: int', 'batch_dim: int = 0', 'T: type', 'Tlen: index = int64'],
    infer: inferReverseSequence,
    // dx = dy reversed in the same way
    grad: ({ ops, attrs, input, dy }) => {
      const [seqAxis, batchAxis] = [attrs.int('seq_dim'), attrs.int('batch_dim')];
      return [ops.reverseSequence(dy, input(1), { seqAxis, batchAxis }), null];
    },
  }),

  Roll: op({
    summary: 'Elements shifted along axes; what leaves at one end enters at the other.',
    inputs: ['input: T', 'shift: Tshift', 'axis: Taxis'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tshift: index', 'Taxis: index'],
    infer: inferRoll,
    // dx = dy shifted back
    grad: ({ ops, input, dy }) => [ops.roll(dy, ops.neg(input(1)), input(2)), null, null],
  }),

  Reverse: op({
    summary: 'The order of elements reversed along the dimensions that a list of bools marks.',
    inputs: ['tensor: T', 'dims: bool'],
    outputs: ['output: T'],
    attrs: ['T: {uint8, int8, int32, int64, bool, float16, float32, float64, complex64, complex128, string}'],
    infer: (c) => {
      const x = c.shape(0);
      const length = vectorLength(c, 1, 'dims');
      if (x.rank !== null && length !== null && x.rank !== length) {
        c.fail(`dims has ${length} elements for an input of shape ${x.toString()}`);
      }
      return [x.rank === null && length !== null ? TensorShape.ofRank(length) : x];
    },
    grad: ({ input, dy }) => [apply('Reverse', [dy, input(1)]), null],
  }),
};

export interface ReverseSequenceOptions extends NameOptions {
  /** The dimension that is reversed; default 0. */
  readonly seqAxis?: number;
  /** The dimension whose elements have lengths of their own; default 0. */
  readonly batchAxis?: number;
}

/**
 * `input` in which, for each `b` along `batchAxis`, the first `seqLengths[b]` elements along `seqAxis`
 * are reversed (`tf.reverse_sequence`). Throws when the two axes are equal.
 */
export function reverseSequence(
  input: TensorLike,
  seqLengths: TensorLike,
  { seqAxis = 0, batchAxis = 0, name }: ReverseSequenceOptions = {},
): Tensor {
  const attrs = { seq_dim: seqAxis, batch_dim: batchAxis };
  return apply('ReverseSequence', [convertToTensor(input), seqLengths], { name, attrs });
}

/**
 * `input` shifted by `shift` places along `axis`, cyclically (`tf.roll`). Both may be lists of one length;
 * shifts of an axis that occurs several times add up.
 */
export function roll(
  input: TensorLike,
  shift: TensorLike,
  axis: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('Roll', [convertToTensor(input), shift, axis], { name });
}
