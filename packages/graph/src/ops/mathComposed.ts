/** Mathematical functions that are made of several ops: Bessel and beta functions, tests of order, casts by name. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { checkOptions } from '../checkOptions.js';
import { baseDType, isFloating, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { IndexedSlices } from '../indexedSlices.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { stack } from './arrayJoin.js';
import { slice } from './arraySlice.js';
import { reshape } from './arrayView.js';
import { add, divNoNan, maximum, minimum, mul, realDiv, sub } from './binary.js';
import { less, lessEqual } from './comparison.js';
import { onesLike } from './fill.js';
import { reduceAll, reduceMax, reduceSum } from './reduction.js';
import { scatterNd } from './scatter.js';
import { size } from './shape.js';
import { besselI0e, besselI1e, lgamma } from './special.js';
import { exp } from './transcendental.js';
import { abs, cast, floor } from './unary.js';

function composed(name: string, input: TensorLike, build: (x: Tensor) => Tensor): Tensor {
  const x = convertToTensor(input);
  return withGraphOf(x, () => nameScope(name, () => build(x)));
}

/** I0(x), the modified Bessel function of order 0 (`tf.math.bessel_i0`); `besselI0e` does not overflow. */
export function besselI0(x: TensorLike, { name = 'bessel_i0' }: NameOptions = {}): Tensor {
  return composed(name, x, (t) => mul(exp(abs(t)), besselI0e(t)));
}

/** I1(x), the modified Bessel function of order 1 (`tf.math.bessel_i1`); `besselI1e` does not overflow. */
export function besselI1(x: TensorLike, { name = 'bessel_i1' }: NameOptions = {}): Tensor {
  return composed(name, x, (t) => mul(exp(abs(t)), besselI1e(t)));
}

/** log of the multivariate beta function, Σ log Γ(x) - log Γ(Σ x) over the last dimension (`tf.math.lbeta`). */
export function lbeta(x: TensorLike, { name = 'lbeta' }: NameOptions = {}): Tensor {
  return composed(name, x, (t) =>
    sub(reduceSum(lgamma(t), { axis: -1 }), lgamma(reduceSum(t, { axis: -1 }))),
  );
}

/** 1 / x, 0 where x is 0 (`tf.math.reciprocal_no_nan`). */
export function reciprocalNoNan(x: TensorLike, { name = 'reciprocal_no_nan' }: NameOptions = {}): Tensor {
  return composed(name, x, (t) => divNoNan(onesLike(t), t));
}

/** Each element beside the one after it, in row-major order. */
function neighbours(x: Tensor): [Tensor, Tensor] {
  const flat = reshape(x, [-1]);
  const pairs = maximum(sub(size(flat), 1), 0);
  return [
    slice(flat, [0], reshape(pairs, [1])),
    slice(flat, sub(size(flat), stack([pairs])), reshape(pairs, [1])),
  ];
}

/** Whether no element is smaller than the one before it (`tf.math.is_non_decreasing`), as a bool scalar. */
export function isNonDecreasing(x: TensorLike, { name = 'is_non_decreasing' }: NameOptions = {}): Tensor {
  return composed(name, x, (t) => reduceAll(lessEqual(...neighbours(t))));
}

/** Whether every element is larger than the one before it (`tf.math.is_strictly_increasing`), as a bool scalar. */
export function isStrictlyIncreasing(
  x: TensorLike,
  { name = 'is_strictly_increasing' }: NameOptions = {},
): Tensor {
  return composed(name, x, (t) => reduceAll(less(...neighbours(t))));
}

/** `scalar * x` (`tf.scalar_mul`); of `IndexedSlices` the rows are multiplied. Throws when `scalar` is no scalar. */
export function scalarMul<T extends TensorLike | IndexedSlices>(
  scalar: TensorLike,
  x: T,
  { name }: NameOptions = {},
): T extends IndexedSlices ? IndexedSlices : Tensor {
  const value = x instanceof IndexedSlices ? x.values : convertToTensor(x);
  const factor = typeof scalar === 'number' ? scalar : convertToTensor(scalar);
  if (typeof factor !== 'number' && factor.shape.rank !== null && factor.shape.rank !== 0) {
    throw new InvalidArgumentError(
      `scalarMul: the factor must be a scalar, got shape ${factor.shape.toString()}`,
    );
  }
  const product = mul(factor, value, { name });
  return (x instanceof IndexedSlices ? x.withValues(product) : product) as T extends IndexedSlices
    ? IndexedSlices
    : Tensor;
}

/** x / y of numbers of any dtype (`tf.truediv`): integers are cast to float32 first, where TensorFlow takes float64. */
export function truediv(x: TensorLike, y: TensorLike, { name = 'truediv' }: NameOptions = {}): Tensor {
  const floats = (value: TensorLike): TensorLike => {
    if (typeof value === 'number') return value;
    const t = convertToTensor(value);
    return isFloating(t.dtype) ? t : cast(t, 'float32');
  };
  return nameScope(name, (scope) => realDiv(floats(x), floats(y), { name: scope }));
}

export interface ConfusionMatrixOptions extends NameOptions {
  /** Default: the largest label or prediction plus 1. */
  readonly numClasses?: TensorLike;
  /** Default int32. */
  readonly dtype?: DType;
  /** What each prediction counts; default 1. */
  readonly weights?: TensorLike;
}

/**
 * How often label `row` was predicted as `column` (`tf.math.confusion_matrix`): `[numClasses, numClasses]`. `labels` and
 * `predictions` are vectors of class numbers.
 */
export function confusionMatrix(
  labels: TensorLike,
  predictions: TensorLike,
  { numClasses, dtype = 'int32', weights, name = 'confusion_matrix' }: ConfusionMatrixOptions = {},
): Tensor {
  return nameScope(name, () => {
    const [rows, columns] = [labels, predictions].map((x) => reshape(cast(x, 'int32'), [-1])) as [
      Tensor,
      Tensor,
    ];
    const classes =
      numClasses === undefined
        ? add(maximum(reduceMax(rows), reduceMax(columns)), 1)
        : cast(numClasses, 'int32');
    const counts = weights === undefined ? onesLike(rows) : reshape(convertToTensor(weights), [-1]);
    return scatterNd(stack([rows, columns], { axis: 1 }), cast(counts, dtype), stack([classes, classes]));
  });
}

function casting(dtype: DType, defaultName: string) {
  return (x: TensorLike, { name = defaultName }: NameOptions = {}): Tensor => cast(x, dtype, { name });
}

/** `x` as float32 (`tf.to_float`). */
export const toFloat = casting('float32', 'ToFloat');
/** `x` as int32 (`tf.to_int32`). */
export const toInt32 = casting('int32', 'ToInt32');
/** `x` as int64 (`tf.to_int64`). */
export const toInt64 = casting('int64', 'ToInt64');

/**
 * The bin of each value among `nbins` of equal width over `valueRange`, `[low, high]` (`tf.histogram_fixed_width_bins`), in the
 * shape of the values; values outside go to the first and the last bin.
 */
export function histogramFixedWidthBins(
  values: TensorLike,
  valueRange: TensorLike,
  options: NameOptions & { readonly nbins?: number; readonly dtype?: 'int32' | 'int64' } = {},
): Tensor {
  const {
    nbins = 100,
    dtype = 'int32',
    name = 'histogram_bins',
  } = checkOptions('histogramFixedWidthBins', options, '{ nbins: 10 }');
  if (!(Number.isInteger(nbins) && nbins > 0))
    throw new InvalidArgumentError(`histogramFixedWidthBins: nbins must be a positive integer, got ${nbins}`);
  return composed(name, values, (x) => {
    const range = convertToTensor(valueRange, { dtype: baseDType(x.dtype) });
    const [low, high] = [slice(range, [0], [1]), slice(range, [1], [1])].map((end) => reshape(end, [])) as [
      Tensor,
      Tensor,
    ];
    const bins = floor(mul(realDiv(sub(x, low), sub(high, low)), nbins));
    return cast(maximum(minimum(bins, nbins - 1), 0), dtype);
  });
}
