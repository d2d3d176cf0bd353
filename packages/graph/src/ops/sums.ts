/** Sums of any number of tensors of one shape. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { op, type EvaluateContext, type InferContext } from '../opDef.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { isUnknown, wrapElement } from './hostMath.js';
import { NUMBERS } from './numberTypes.js';

export const SUMS = {
  AddN: op({
    summary: 'Sum of tensors of one shape.',
    inputs: ['inputs: N * T'],
    outputs: ['sum: T'],
    attrs: ['N: int >= 1', NUMBERS.replace('}', ', variant}')],
    infer: (c) => [mergedShape(c, TensorShape.UNKNOWN)],
    grad: ({ inputs, dy }) => inputs.map(() => dy), // each gradient is dy
    evaluate: sumOfAll,
  }),
  AccumulateNV2: op({
    summary: 'Sum of tensors of one shape, in the form that may add them as they come.',
    inputs: ['inputs: N * T'],
    outputs: ['sum: T'],
    attrs: ['N: int >= 1', NUMBERS, 'shape: shape'],
    infer: (c) => [mergedShape(c, c.attrs.shape('shape'))],
    grad: ({ inputs, dy }) => inputs.map(() => dy), // each gradient is dy
    evaluate: sumOfAll,
  }),
};

/** The shape that all inputs have, and `start`. */
function mergedShape(c: InferContext, start: TensorShape): TensorShape {
  const merge = (sum: TensorShape, shape: TensorShape): TensorShape =>
    sum.mergeWith(shape) ??
    c.fail(
      `all inputs must have one shape, got ${[start, ...c.shapes].filter((s) => s.rank !== null).join(' and ')}`,
    );
  return c.shapes.reduce(merge, start);
}

function sumOfAll({
  shapes,
  outputs: [dtype = 'float32'],
  value,
}: EvaluateContext): readonly HostValue[] | null {
  const values = shapes.map((_, i) => value(i)).filter((v) => v !== null);
  const [first] = values;
  if (first === undefined || values.length !== shapes.length) return null;
  return [{ dtype, shape: first.shape, data: first.data.map((_, i) => sumAt(values, i)) }];
}

function sumAt(values: readonly HostValue[], i: number): number {
  let sum = 0;
  for (const { dtype, data } of values) {
    const element = data[i] ?? NaN;
    if (isUnknown(element, dtype)) return NaN;
    sum = wrapElement(sum + element, dtype);
  }
  return sum;
}

/**
 * The sum of tensors of one shape and dtype (`tf.accumulate_n`). `shape` and `tensorDtype` are checked where they are
 * given. Throws `InvalidArgumentError` when the inputs differ, and without inputs.
 */
export function accumulateN(
  inputs: readonly TensorLike[],
  {
    shape,
    tensorDtype,
    name,
  }: NameOptions & { readonly shape?: ShapeLike; readonly tensorDtype?: DType } = {},
): Tensor {
  const [first] = inputs;
  if (first === undefined) throw new InvalidArgumentError('accumulateN: at least one tensor is needed');
  const tensors = inputs.map((input) => convertToTensor(input, { dtype: tensorDtype }));
  const attrs = { shape: shape === undefined ? TensorShape.UNKNOWN : TensorShape.of(shape) };
  return apply('AccumulateNV2', [tensors], { name: name ?? 'AccumulateNV2', attrs });
}

/** The sum of tensors of one shape and dtype (`tf.add_n`). A single tensor is returned as it is. */
export function addN(inputs: readonly TensorLike[], { name }: NameOptions = {}): Tensor {
  const [first] = inputs;
  if (first === undefined) throw new InvalidArgumentError('addN: at least one tensor is needed');
  if (inputs.length === 1 && name === undefined) return convertToTensor(first);
  return apply('AddN', [inputs], { name });
}
