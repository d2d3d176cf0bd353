/** Positions of true elements, and what is built on them: masks. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { notDifferentiable, op } from '../opDef.js';
import { TensorShape, stridesOf } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { complete, wholeValue } from './dynamicHost.js';

/** Coordinates of the elements that are not zero, in row-major order. */
function positions({ shape, data }: HostValue): HostValue {
  const strides = stridesOf(shape);
  const found: number[] = [];
  data.forEach((x, i) => {
    if (x !== 0) shape.forEach((dim, d) => found.push(Math.floor(i / (strides[d] ?? 1)) % dim));
  });
  const count = data.reduce((n, x) => n + (x === 0 ? 0 : 1), 0);
  return { dtype: 'int64', shape: [count, shape.length], data: Float64Array.from(found) };
}

export const DYNAMIC_WHERE = {
  Where: op({
    summary: 'The coordinates of elements that are true, or not zero, in row-major order.',
    inputs: ['input: T'],
    outputs: ['index: int64'],
    attrs: [
      'T: {float32, float64, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, uint16, complex128, float16, uint32, uint64, bool} = bool',
    ],
    infer: (c) => {
      const value = complete(c.constant(0));
      return [
        new TensorShape([value === null ? null : (positions(value).shape[0] ?? null), c.shape(0).rank]),
      ];
    },
    grad: notDifferentiable('its result is made of positions'),
    evaluate: (c) => {
      const value = wholeValue(c, 0);
      return value === null ? null : [positions(value)];
    },
  }),
};

export interface BooleanMaskOptions extends NameOptions {
  /** The first dimension of `tensor` that the mask covers; default 0. */
  readonly axis?: number;
}

/**
 * The elements (or slices) of `tensor` where `mask` holds, in a row (`tf.boolean_mask`). The mask has a known
 * rank of 1 or more and covers as many dimensions of `tensor` from `axis` on. Throws when it does not fit. The
 * gradient goes to the elements that were taken.
 */
export function booleanMask(
  tensor: TensorLike,
  mask: TensorLike,
  { axis = 0, name = 'boolean_mask' }: BooleanMaskOptions = {},
): Tensor {
  const [x, chosen] = [convertToTensor(tensor), convertToTensor(mask, { dtype: 'bool' })];
  const [rank, covered] = [x.shape.rank, chosen.shape.rank];
  if (covered === null) throw new InvalidArgumentError('booleanMask: the rank of the mask must be known');
  if (covered === 0) throw new InvalidArgumentError('booleanMask: the mask must not be a scalar');
  const first = axis < 0 && rank !== null ? axis + rank : axis;
  if (first < 0 || (rank !== null && first + covered > rank)) {
    throw new InvalidArgumentError(
      `booleanMask: a mask of rank ${covered} at axis ${axis} does not fit ${x.toString()}`,
    );
  }
  if (rank !== null && !x.shape.slice(first, first + covered).isCompatibleWith(chosen.shape)) {
    throw new InvalidArgumentError(
      `booleanMask: the mask ${chosen.toString()} does not fit ${x.toString()} at axis ${axis}`,
    );
  }
  const shape = apply('Shape', [x]);
  const part = (from: number, to: number | null): Tensor =>
    apply('StridedSlice', [shape, [from], [to ?? 0], [1]], { attrs: { end_mask: to === null ? 1 : 0 } });
  const merged = apply('ConcatV2', [[part(0, first), [-1], part(first + covered, null)], 0]);
  const rows = covered === 1 ? x : apply('Reshape', [x, merged]);
  const flat = apply('Reshape', [chosen, [-1]]);
  const indices = apply('Squeeze', [apply('Where', [flat])], { attrs: { squeeze_dims: [1] } });
  return apply('GatherV2', [rows, indices, first], { name });
}
