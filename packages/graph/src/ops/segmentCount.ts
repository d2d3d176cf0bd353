/** Ops that count: how often each number occurs, how many values fall into each bin. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { throughParts } from '../composedOp.js';
import { withRank } from '../inferHelpers.js';
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

/** Where numbers are counted: how many rows of bins there are (`null`: bins are a vector), and the row of each number. */
interface CountedRows {
  readonly rows: Tensor;
  readonly rowOf: Tensor;
}

/** Rows count in bins of their own, one row of bins after the other; numbers beyond the bins go nowhere. */
function counted(
  { attrs, ops }: ComposeContext,
  [given, sizeInput, weights]: readonly [Tensor, Tensor, Tensor],
  inRows: CountedRows | null,
): Tensor[] {
  const numbers = ops.cast(given, 'int32');
  const size = ops.reshape(ops.cast(sizeInput, 'int32'), []);
  const isBinary = attrs.bool('binary_output');
  const added = isBinary || weights.shape.size === 0 ? ops.zeros([0], { dtype: weights.dtype }) : weights;
  const bins = inRows === null ? null : ops.stack([ops.reshape(inRows.rows, []), size]);
  const total = bins === null ? size : ops.reduceProd(bins);
  const offsets = inRows === null ? 0 : ops.mul(inRows.rowOf, size);
  const within = ops.logicalAnd(ops.greaterEqual(numbers, 0), ops.less(numbers, size));
  const places = ops.where(within, ops.add(numbers, offsets), ops.add(ops.zerosLike(numbers), total));
  const counts = apply('Bincount', [ops.reshape(places, [-1]), total, ops.reshape(added, [-1])]);
  const result = isBinary ? ops.minimum(counts, ops.onesLike(counts)) : counts;
  return [bins === null ? result : ops.reshape(result, bins)];
}

function composeDense(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const numbers = input(0);
  if (numbers.shape.rank === 1) return counted(c, [numbers, input(1), input(2)], null);
  const rows = ops.gather(ops.shape(numbers), 0);
  return counted(c, [numbers, input(1), input(2)], { rows, rowOf: ops.expandDims(ops.range(0, rows), 1) });
}

/** Of a sparse matrix the first index is the row. */
function composeSparse(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const given = [input(1), input(3), input(4)] as const;
  if (input(2).shape.size === 1) return counted(c, given, null);
  const rowOf = ops.gather(ops.cast(input(0), 'int32'), 0, { axis: 1 });
  return counted(c, given, { rows: ops.gather(ops.cast(input(2), 'int32'), 0), rowOf });
}

/** The row of a value is the last whose splits are not beyond it. */
function composeRagged(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const splits = ops.cast(input(0), 'int32');
  const numbers = input(1);
  const positions = ops.range(0, ops.size(numbers));
  const rowOf = ops.sub(ops.searchsorted(splits, positions, { side: 'right' }), 1);
  return counted(c, [numbers, input(2), input(3)], { rows: ops.sub(ops.size(splits), 1), rowOf });
}

/** A known size of bins. */
function binsOf(c: InferContext, i: number): number | null {
  requireSingle(c, i, 'size');
  const size = knownScalar(c.constant(i));
  if (size !== null && size < 0) c.fail(`size must not be negative, got ${size}`);
  return size;
}

function checkWeights(c: InferContext, values: number, weights: number): void {
  const [numbers, given] = [withRank(c, values, 1, 'values'), c.shape(weights)];
  if (given.size === null || given.size === 0 || given.isCompatibleWith(numbers)) return;
  c.fail(`weights must be empty or have the shape of values, ${numbers.toString()}, got ${given.toString()}`);
}

function inferSparse(c: InferContext): TensorShape[] {
  withRank(c, 0, 2, 'indices');
  checkWeights(c, 1, 4);
  const rank = withRank(c, 2, 1, 'dense_shape').dim(0);
  const size = binsOf(c, 3);
  if (rank !== null && rank !== 1 && rank !== 2) c.fail(`dense_shape must have 1 or 2 sizes, got ${rank}`);
  if (rank === null) return [TensorShape.UNKNOWN];
  return [rank === 1 ? new TensorShape([size]) : new TensorShape([knownSize(c.constant(2)?.data[0]), size])];
}

function knownSize(size: number | undefined): number | null {
  return size === undefined || Number.isNaN(size) ? null : size;
}

function inferRagged(c: InferContext): TensorShape[] {
  const splits = withRank(c, 0, 1, 'splits').dim(0);
  if (splits === 0) c.fail('splits must not be empty');
  checkWeights(c, 1, 3);
  return [new TensorShape([splits === null ? null : splits - 1, binsOf(c, 2)])];
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

  SparseBincount: op({
    summary:
      'How often each of the numbers 0 … size-1 occurs in a sparse vector or in each row of a sparse matrix, or the sum of the weights where it does.',
    inputs: ['indices: int64', 'values: Tidx', 'dense_shape: int64', 'size: Tidx', 'weights: T'],
    outputs: ['output: T'],
    attrs: ['Tidx: index', 'T: {int32, int64, float32, float64}', 'binary_output: bool = false'],
    infer: inferSparse,
    compose: composeSparse,
    grad: throughParts(composeSparse),
  }),

  RaggedBincount: op({
    summary:
      'How often each of the numbers 0 … size-1 occurs in each row of a ragged matrix, or the sum of the weights where it does.',
    inputs: ['splits: int64', 'values: Tidx', 'size: Tidx', 'weights: T'],
    outputs: ['output: T'],
    attrs: ['Tidx: index', 'T: {int32, int64, float32, float64}', 'binary_output: bool = false'],
    infer: inferRagged,
    compose: composeRagged,
    grad: throughParts(composeRagged),
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
