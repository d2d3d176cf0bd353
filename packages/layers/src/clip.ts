/** Limiting the size of gradients. */
import {
  IndexedSlices,
  InvalidArgumentError,
  addN,
  cast,
  convertToTensor,
  div,
  greater,
  identity,
  isFinite,
  maximum,
  minimum,
  mul,
  nameScope,
  onesLike,
  reduceSum,
  size,
  sqrt,
  square,
  where,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/** A scaled tensor, or slices with scaled rows. */
export type Clipped<T> = T extends null ? null : T extends IndexedSlices ? IndexedSlices : Tensor;

/** What counts of `t`: all its elements, or those of the rows that slices have. */
function elementsOf(t: TensorLike): TensorLike {
  return t instanceof IndexedSlices ? t.values : t;
}

/**
 * The square root of the sum of all squares in `tList`, a scalar (`tf.global_norm`). `null` entries are left out;
 * of `IndexedSlices` the rows count as they are, as in TensorFlow.
 */
export function globalNorm(
  tList: readonly (TensorLike | null)[],
  { name = 'global_norm' }: NameOptions = {},
): Tensor {
  const tensors = tList.filter((t) => t !== null);
  if (tensors.length === 0) throw new InvalidArgumentError('globalNorm: there are no tensors');
  return nameScope(name, () =>
    sqrt(addN(tensors.map((t) => reduceSum(square(elementsOf(t))))), { name: 'global_norm' }),
  );
}

/**
 * Scales all tensors by clipNorm / globalNorm where the global norm is larger (`tf.clip_by_global_norm`;
 * Pascanu et al., 2013). Returns the tensors, `null` entries kept, and the norm. A norm that is
 * infinite or NaN makes everything NaN, so that it is noticed.
 */
export function clipByGlobalNorm<T extends TensorLike | null>(
  tList: readonly T[],
  clipNorm: TensorLike,
  { useNorm, name = 'clip_by_global_norm' }: NameOptions & { readonly useNorm?: Tensor } = {},
): [clipped: Clipped<T>[], norm: Tensor] {
  const norm = useNorm ?? globalNorm(tList);
  return nameScope(name, () => {
    const limit = convertToTensor(clipNorm);
    const scale = mul(limit, minimum(div(1, norm), div(1, limit)));
    const safe = where(isFinite(norm), scale, NaN);
    const clipped = tList.map((t) => {
      if (t === null) return null;
      return t instanceof IndexedSlices ? t.withValues(mul(t.values, safe)) : mul(t, safe);
    });
    return [clipped as Clipped<T>[], norm];
  });
}

/**
 * Scales `t` so that its Euclidean norm divided by its number of elements is `clipNorm` at most
 * (`tf.clip_by_average_norm`).
 */
export function clipByAverageNorm(
  t: TensorLike,
  clipNorm: TensorLike,
  { name = 'clip_by_average_norm' }: NameOptions = {},
): Tensor {
  return nameScope(name, (scope) => {
    const value = convertToTensor(t);
    const count = cast(size(value), 'float32');
    const inverse = div(count, sqrt(reduceSum(square(value))));
    return identity(mul(mul(value, clipNorm), minimum(inverse, div(1, clipNorm))), { name: scope });
  });
}

/**
 * Scales `t` so that its Euclidean norm over `axes` (default: all) is `clipNorm` at most (`tf.clip_by_norm`). Of
 * `IndexedSlices` the rows are scaled.
 */
export function clipByNorm<T extends TensorLike>(
  t: T,
  clipNorm: TensorLike,
  { axes, name = 'clip_by_norm' }: NameOptions & { readonly axes?: readonly number[] } = {},
): Clipped<T> {
  const clipped = nameScope(name, (scope) => {
    const value = convertToTensor(elementsOf(t));
    const squares = reduceSum(square(value), { axis: axes, keepDims: axes !== undefined });
    // The square root has no derivative at 0: take that of 1 there, which changes nothing else.
    const positive = greater(squares, 0);
    const norm = where(positive, sqrt(where(positive, squares, onesLike(squares))), squares);
    return identity(div(mul(value, clipNorm), maximum(norm, clipNorm)), { name: scope });
  });
  return (t instanceof IndexedSlices ? t.withValues(clipped) : clipped) as Clipped<T>;
}
