/** Limiting the size of gradients. */
import {
  InvalidArgumentError,
  addN,
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
  sqrt,
  square,
  where,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/** The square root of the sum of all squares in `tList`, a scalar (`tf.global_norm`). `null` entries are left out. */
export function globalNorm(
  tList: readonly (TensorLike | null)[],
  { name = 'global_norm' }: NameOptions = {},
): Tensor {
  const tensors = tList.filter((t) => t !== null);
  if (tensors.length === 0) throw new InvalidArgumentError('globalNorm: there are no tensors');
  return nameScope(name, () => sqrt(addN(tensors.map((t) => reduceSum(square(t)))), { name: 'global_norm' }));
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
): [clipped: (T extends null ? null : Tensor)[], norm: Tensor] {
  const norm = useNorm ?? globalNorm(tList);
  return nameScope(name, () => {
    const limit = convertToTensor(clipNorm);
    const scale = mul(limit, minimum(div(1, norm), div(1, limit)));
    const safe = where(isFinite(norm), scale, NaN);
    const clipped = tList.map((t) => (t === null ? null : mul(t, safe)));
    return [clipped as (T extends null ? null : Tensor)[], norm];
  });
}

/** Scales `t` so that its Euclidean norm over `axes` (default: all) is `clipNorm` at most (`tf.clip_by_norm`). */
export function clipByNorm(
  t: TensorLike,
  clipNorm: TensorLike,
  { axes, name = 'clip_by_norm' }: NameOptions & { readonly axes?: readonly number[] } = {},
): Tensor {
  return nameScope(name, (scope) => {
    const value = convertToTensor(t);
    const squares = reduceSum(square(value), { axis: axes, keepDims: axes !== undefined });
    // The square root has no derivative at 0: take that of 1 there, which changes nothing else.
    const positive = greater(squares, 0);
    const norm = where(positive, sqrt(where(positive, squares, onesLike(squares))), squares);
    return identity(div(mul(value, clipNorm), maximum(norm, clipNorm)), { name: scope });
  });
}
