/** Tensors on diagonals of tensors of twice their rank, and the cross product. */
import { apply, type NameOptions } from '../apply.js';
import { op, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

const NUMBERS = 'T: {float32, bfloat16, float16, float64, int32, int64, complex64, complex128}';
const REALS =
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';

function inferPart(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  if (x.rank === null) return [TensorShape.UNKNOWN];
  if (x.rank === 0 || x.rank % 2 !== 0)
    c.fail(`input must have an even rank above 0, got shape ${x.toString()}`);
  const half = x.slice(0, x.rank / 2).mergeWith(x.slice(x.rank / 2));
  return [half ?? c.fail(`the first half of the dimensions must equal the second, got ${x.toString()}`)];
}

function inferCross(c: InferContext): TensorShape[] {
  const [a, b] = [c.shape(0), c.shape(1)];
  const shape =
    a.mergeWith(b) ?? c.fail(`a and b must have one shape, got ${a.toString()} and ${b.toString()}`);
  if (shape.rank === 0) c.fail('a and b must have rank 1 or more');
  const last = shape.rank === null ? null : shape.dim(-1);
  if (last !== null && last !== 3) c.fail(`the last dimension must be 3, got shape ${shape.toString()}`);
  return [shape];
}

export const TENSOR_DIAG = {
  Diag: op({
    summary: 'A tensor on the diagonal of one of twice its rank, zeros elsewhere.',
    inputs: ['diagonal: T'],
    outputs: ['output: T'],
    attrs: [NUMBERS],
    infer: (c) => {
      if (c.shape(0).rank === 0) c.fail('diagonal must have rank 1 or more');
      return [c.shape(0).concat(c.shape(0))];
    },
    grad: ({ dy }) => [apply('DiagPart', [dy])],
  }),
  DiagPart: op({
    summary: 'The diagonal of a tensor whose first half of dimensions equals the second.',
    inputs: ['input: T'],
    outputs: ['diagonal: T'],
    attrs: [NUMBERS],
    infer: inferPart,
    grad: ({ dy }) => [apply('Diag', [dy])],
  }),
  Cross: op({
    summary: 'Cross products of vectors of three in the last dimension.',
    inputs: ['a: T', 'b: T'],
    outputs: ['product: T'],
    attrs: [REALS],
    infer: inferCross,
    // (a × b) · dy = a · (b × dy) = b · (dy × a)
    grad: ({ ops, input, dy }) => [ops.cross(input(1), dy), ops.cross(dy, input(0))],
  }),
};

/** A tensor of twice the rank with `diagonal` on its diagonal (`tf.linalg.tensor_diag`, `tf.diag`). */
export function tensorDiag(diagonal: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Diag', [diagonal], { name });
}

/** The diagonal [d1, …, dk] of a tensor [d1, …, dk, d1, …, dk] (`tf.linalg.tensor_diag_part`, `tf.diag_part`). */
export function tensorDiagPart(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('DiagPart', [input], { name });
}

/** Cross products of the vectors [..., 3] of `a` and `b`, which have one shape (`tf.linalg.cross`). */
export function cross(a: TensorLike, b: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Cross', [a, b], { name });
}
