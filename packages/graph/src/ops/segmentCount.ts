/** Ops that count: how often each number occurs, how many values fall into each bin. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { throughParts } from '../composedOp.js';
import { notDifferentiable, op, type ComposeContext, type GradContext, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import { knownScalar, requireSingle } from './arrayHost.js';
import type { IndexDType } from './shape.js';

/** Every weight goes to the bin of its number; numbers beyond the bins go nowhere. */
function countedGrad({ ops, input, dy }: GradContext): (Tensor | null)[] {
  const [arr, size, weights] = [input(0), input(1), input(2)];
  if (weights.shape.size === 0) return [null, null, ops.zerosLike(weights)];
  const within = ops.less(arr, ops.reshape(size, []));
  const bins = ops.where(within, arr, ops.zerosLike(arr));
  const own = ops.gather(dy, bins);
  return [null, null, ops.where(within, own, ops.zerosLike(own))];
}

function inferDense(c: InferContext): TensorShape[] {
  requireSingle(c, 1, 'size');
  const size = knownScalar(c.constant(1));
  if (size !== null && size < 0) c.fail(`size must not be negative, got ${size}`);
  const [numbers, weights] = [c.shape(0), c.shape(2)];
  if (numbers.rank !== null && numbers.rank !== 1 && numbers.rank !== 2)
    c.fail(`input must have rank 1 or 2, got shape ${numbers.toString()}`);
  if (weights.size !== null && weights.size !== 0 && !weights.isCompatibleWith(numbers)) {
    c.fail(
      `weights must be empty or have the shape of input, ${numbers.toString()}, got ${weights.toString()}`,
    );
  }
  return [numbers.rank === null ? TensorShape.UNKNOWN : numbers.slice(0, -1).concat([size])];
}

/** The rows of a matrix count in bins of their own, one row of bins after the other; numbers beyond the bins go nowhere. */
function composeDense({ attrs, ops, input }: ComposeContext): Tensor[] {
  const [given, weights] = [input(0), input(2)];
  const numbers = ops.cast(given, 'int32');
  const size = ops.reshape(ops.cast(input(1), 'int32'), []);
  const isBinary = attrs.bool('binary_output');
  const added = isBinary || weights.shape.size === 0 ? ops.zeros([0], { dtype: weights.dtype }) : weights;
  const bins = given.shape.rank === 1 ? null : ops.stack([ops.gather(ops.shape(numbers), 0), size]);
  const total = bins === null ? size : ops.reduceProd(bins);
  const offsets = bins === null ? 0 : ops.expandDims(ops.mul(ops.range(0, ops.gather(bins, 0)), size), 1);
  const within = ops.logicalAnd(ops.greaterEqual(numbers, 0), ops.less(numbers, size));
  const places = ops.where(within, ops.add(numbers, offsets), ops.add(ops.zerosLike(numbers), total));
  const counts = apply('Bincount', [ops.reshape(places, [-1]), total, ops.reshape(added, [-1])]);
  const result = isBinary ? ops.minimum(counts, ops.onesLike(counts)) : counts;
  return [bins === null ? result : ops.reshape(result, bins)];
}

export const SEGMENT_COUNT = {
  Bincount: op({
    summary: 'How often each of the numbers 0 … size-1 occurs, or the sum of the weights where it does.',
    inputs: ['arr: int32', 'size: int32', 'weights: T'],
    outputs: ['bins: T'],
    attrs: ['T: {int32, int64, float32, float64}'],
    infer: (c) => {
      requireSingle(c, 1, 'size');
      const size = knownScalar(c.constant(1));
      if (size !== null && size < 0) c.fail(`size must not be negative, got ${size}`);
      const [arr, weights] = [c.shape(0), c.shape(2)];
      if (weights.size !== null && weights.size !== 0 && !weights.isCompatibleWith(arr)) {
        c.fail(
          `weights must be empty or have the shape of arr, ${arr.toString()}, got ${weights.toString()}`,
        );
      }
      return [new TensorShape([size])];
    },
    grad: countedGrad,
  }),

  DenseBincount: op({
    summary:
      'How often each of the numbers 0 … size-1 occurs in a vector or in each row of a matrix, or the sum of the weights where it does.',
    inputs: ['input: Tidx', 'size: Tidx', 'weights: T'],
    outputs: ['output: T'],
    attrs: ['Tidx: index', 'T: {int32, int64, float32, float64}', 'binary_output: bool = false'],
    infer: inferDense,
    compose: composeDense,
    grad: throughParts(composeDense),
  }),

  HistogramFixedWidth: op({
    summary: 'How many values fall into each of several bins of equal width.',
    inputs: ['values: T', 'value_range: T', 'nbins: int32'],
    outputs: ['out: dtype'],
    attrs: ['T: {int32, int64, float32, float64}', 'dtype: {int32, int64} = int32'],
    infer: (c) => {
      const range = c.shape(1);
      if (!range.isCompatibleWith(new TensorShape([2]))) {
        c.fail(`value_range must have shape [2], got ${range.toString()}`);
      }
      requireSingle(c, 2, 'nbins');
      const bins = knownScalar(c.constant(2));
      if (bins !== null && bins < 1) c.fail(`nbins must be 1 or more, got ${bins}`);
      return [new TensorShape([bins])];
    },
    grad: notDifferentiable('it counts'),
  }),
};

export interface BincountOptions extends NameOptions {
  /** What each occurrence adds; of the shape of `arr`. Default 1. */
  readonly weights?: TensorLike;
  /** Least length of the result. */
  readonly minlength?: TensorLike;
  /** Greatest length of the result: larger numbers are left out. */
  readonly maxlength?: TensorLike;
  /** Without weights: the dtype of the counts; default int32. */
  readonly dtype?: DType;
}

/**
 * How often each number occurs in the int32 tensor `arr` of non-negative numbers (`tf.math.bincount`): a vector as
 * long as the largest number plus one.
 */
export function bincount(arr: TensorLike, options: BincountOptions = {}): Tensor {
  const { weights, minlength, maxlength, dtype = 'int32', name } = options;
  const numbers = apply('Cast', [convertToTensor(arr)], { attrs: { DstT: 'int32' } });
  const any = apply('Cast', [apply('Greater', [apply('Size', [numbers]), 0])], { attrs: { DstT: 'int32' } });
  const axes = apply('Range', [0, apply('Rank', [numbers]), 1]);
  const length = apply('Mul', [any, apply('Add', [apply('Max', [numbers, axes]), 1])]);
  const least = minlength === undefined ? length : apply('Maximum', [length, minlength]);
  const size = maxlength === undefined ? least : apply('Minimum', [least, maxlength]);
  return apply('Bincount', [numbers, size, weights ?? toTensorValue([], dtype, [0])], { name });
}

/**
 * How many `values` fall into each of `nbins` (default 100) bins of equal width between the two numbers in
 * `valueRange` (`tf.histogram_fixed_width`). Values outside count in the first or the last bin.
 */
export function histogramFixedWidth(
  values: TensorLike,
  valueRange: TensorLike,
  { nbins = 100, dtype = 'int32', name }: NameOptions & { nbins?: TensorLike; dtype?: IndexDType } = {},
): Tensor {
  return apply('HistogramFixedWidth', [convertToTensor(values), valueRange, nbins], {
    name,
    attrs: { dtype },
  });
}
