/** Ops that compare with thresholds: the bin that a number falls into, bits that say which numbers are larger. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { requireSingle, withDim } from './arrayHost.js';

function inferBucketize(c: InferContext): TensorShape[] {
  const boundaries = c.attrs.floats('boundaries');
  const falls = boundaries.findIndex((boundary, i) => i > 0 && !(boundary >= (boundaries[i - 1] ?? NaN)));
  if (falls > 0) {
    c.fail(
      `boundaries must be ascending, got ${boundaries[falls - 1] ?? NaN} before ${boundaries[falls] ?? NaN}`,
    );
  }
  return sameShape(c);
}

function inferBitpack(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  requireSingle(c, 1, 'threshold');
  if (x.rank === null) return [x];
  const last = x.rank === 0 ? 0 : x.dim(-1);
  if (x.rank === 0 || (last !== null && last % 8 !== 0)) {
    c.fail(`the last dimension must be divisible by 8, got shape ${x.toString()}`);
  }
  return [withDim(x, x.rank - 1, last === null ? null : last / 8)];
}

export const BUCKETIZE = {
  Bucketize: op({
    summary: 'The number of the bin that each element falls into, between ascending boundaries.',
    inputs: ['input: T'],
    outputs: ['output: int32'],
    attrs: ['T: {int32, int64, float32, float64}', 'boundaries: list(float)'],
    infer: inferBucketize,
    grad: notDifferentiable('its results are integers'),
  }),

  CompareAndBitpack: op({
    summary: 'Whether elements exceed a threshold, eight of them in the bits of a byte.',
    inputs: ['input: T', 'threshold: T'],
    outputs: ['output: uint8'],
    attrs: ['T: {bool, float16, float32, float64, int8, int16, int32, int64}'],
    infer: inferBitpack,
    grad: notDifferentiable('its results are bits'),
  }),
};

/**
 * For each element the number of `boundaries` that are not larger (`gen_math_ops.bucketize`), an int32: with
 * boundaries [0, 10, 100] it is 0 below 0, 1 from 0 and below 10, and 3 from 100 on. Throws for boundaries that are not ascending.
 */
export function bucketize(
  input: TensorLike,
  boundaries: readonly number[],
  { name }: NameOptions = {},
): Tensor {
  return apply('Bucketize', [convertToTensor(input)], { name, attrs: { boundaries } });
}

/**
 * Bytes whose bits, the highest first, say which of eight neighbours in the last dimension are greater than the scalar
 * `threshold` (`gen_math_ops.compare_and_bitpack`). A bool `input` is packed as it is. uint8, the last dimension an eighth
 * of that of `input`. Throws when that is not divisible by 8.
 */
export function compareAndBitpack(
  input: TensorLike,
  threshold: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('CompareAndBitpack', [input, threshold], { name });
}
