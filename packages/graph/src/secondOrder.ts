/** Derivatives of second order, made by differentiating gradients again. */
import { constant, convertToTensor } from './apply.js';
import { InvalidArgumentError } from './errors.js';
import { gradients } from './gradients.js';
import * as ops from './ops/index.js';
import { nameScope, withGraphOf } from './scopes.js';
import type { Tensor, TensorConvertible, TensorLike } from './tensor.js';

type Source = Tensor | TensorConvertible;

/**
 * The Hessian of `sum(ys)` with respect to each of `xs` by itself (`tf.hessians`), of shape `x.shape + x.shape`; zeros
 * where the gradient does not depend on `x`. The gradient is differentiated once for every element, so this is for small
 * `xs`; for others see `hessianVectorProduct`. Throws `InvalidArgumentError` for an `x` of unknown shape, or on which `ys` do
 * not depend.
 */
export function hessians(
  ys: Tensor | readonly Tensor[],
  xs: Source | readonly Source[],
  { name = 'hessians' }: { readonly name?: string } = {},
): Tensor[] {
  const [first] = Array.isArray(ys) ? (ys as readonly Tensor[]) : [ys as Tensor];
  if (first === undefined) throw new InvalidArgumentError('hessians: there are no ys');
  const sources = Array.isArray(xs) ? (xs as readonly Source[]) : [xs as Source];
  return withGraphOf(first, () => nameScope(name, () => sources.map((x) => hessian(ys, x))));
}

function hessian(ys: Tensor | readonly Tensor[], x: Source): Tensor {
  const value = convertToTensor(x);
  const { shape } = value;
  if (!shape.isFullyDefined) {
    throw new InvalidArgumentError(`hessians: the shape ${shape.toString()} of ${value.name} must be known`);
  }
  const [first] = gradients(ys, [x]);
  if (first === null || first === undefined) {
    throw new InvalidArgumentError(`hessians: ys do not depend on ${value.name}`);
  }
  const dims = shape.toStatic();
  const size = dims.reduce((product, dim) => product * dim, 1);
  const flat = ops.reshape(first, [size]);
  const rows = Array.from({ length: size }, (_, i) => {
    const [row] = gradients(ops.stridedSlice(flat, [i], [i + 1], { shrinkAxisMask: 1 }), [x]);
    return row ?? ops.zerosLike(value);
  });
  const square = constant([...dims, ...dims], { dtype: 'int32', shape: [2 * dims.length] });
  return ops.reshape(rows.length === 0 ? ops.zeros([0]) : ops.stack(rows), square);
}

/**
 * The Hessian of `sum(ys)` with respect to all `xs` together, times the vector `v`, which has one tensor of the shape of each
 * `x` (Pearlmutter, 1994): the cost is that of two gradients, whatever the size. `null` where the gradients do not
 * depend on an `x`. Throws `InvalidArgumentError` when there are not as many parts of `v` as `xs`.
 */
export function hessianVectorProduct(
  ys: Tensor | readonly Tensor[],
  xs: readonly Source[],
  v: readonly TensorLike[],
): (Tensor | null)[] {
  if (xs.length !== v.length) {
    throw new InvalidArgumentError(`hessianVectorProduct: ${v.length} parts of v for ${xs.length} xs`);
  }
  const products = gradients(ys, xs).flatMap((gradient, i) => {
    const part = v[i];
    return gradient === null || part === undefined ? [] : [ops.mul(gradient, ops.stopGradient(part))];
  });
  return gradients(products, xs).map((part) => (part === null ? null : convertToTensor(part)));
}
