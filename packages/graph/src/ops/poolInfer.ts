/** Shape rules of the gradients of pooling. */
import { shapeFromInput } from '../inferHelpers.js';
import type { InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import { inferPool, poolingOf, poolLists, type Pooling } from './poolWindows.js';

/** Of which shape the gradient is that goes in; what comes out has the other. */
export type GradientLike = 'images' | 'pooled';

/** The shape of the result: images for a gradient like the pooled ones, and the other way round. */
function resultShape(
  c: InferContext,
  images: TensorShape,
  pooled: TensorShape,
  like: GradientLike,
  position: number,
): TensorShape[] {
  const [result, given] = like === 'images' ? [pooled, images] : [images, pooled];
  if (!given.isCompatibleWith(c.shape(position))) {
    c.fail(`the gradient has shape ${c.shape(position).toString()}, expected ${given.toString()}`);
  }
  return [result];
}

/** Inputs: images, pooled images, a gradient of the shape of `like`. */
export function inferMaxGrad(
  c: InferContext,
  like: GradientLike,
  pooling: Pooling | null = poolingOf(c.attrs),
): TensorShape[] {
  const pooled = inferPool(c, c.shape(0), pooling);
  if (!pooled.isCompatibleWith(c.shape(1))) {
    c.fail(`orig_output has shape ${c.shape(1).toString()}, pooling orig_input gives ${pooled.toString()}`);
  }
  const images = c.shape(0).mergeWith(TensorShape.ofRank(pooled.rank ?? 0)) ?? c.shape(0);
  return resultShape(c, images, pooled, like, 2);
}

/** Inputs: images, a gradient of the shape of `like`, the positions of the largest elements. */
export function inferArgmaxGrad(c: InferContext, like: GradientLike): TensorShape[] {
  const pooled = inferPool(c, c.shape(0));
  if (!pooled.isCompatibleWith(c.shape(2))) {
    c.fail(`argmax has shape ${c.shape(2).toString()}, pooling input gives ${pooled.toString()}`);
  }
  const images = c.shape(0).mergeWith(TensorShape.ofRank(4)) ?? c.shape(0);
  return resultShape(c, images, pooled, like, 1);
}

/** Inputs: the shape of the images, a gradient of the shape of the pooled images. */
export function inferAvgGrad(c: InferContext): TensorShape[] {
  const rank = poolingOf(c.attrs).format.length;
  const images = shapeFromInput(c, 0).mergeWith(TensorShape.ofRank(rank));
  if (images === null) {
    c.fail(`orig_input_shape must hold ${rank} sizes, got ${shapeFromInput(c, 0).toString()}`);
  }
  const pooled = inferPool(c, images);
  if (!pooled.isCompatibleWith(c.shape(1))) {
    c.fail(`the gradient has shape ${c.shape(1).toString()}, expected ${pooled.toString()}`);
  }
  return [images];
}

/** What a V2 op says, whose lists are inputs `first` and the next; `null` while they are not known. */
export function poolingFromInputs(c: InferContext, first: number): Pooling | null {
  const rank = c.attrs.string('data_format').length;
  ['ksize', 'strides'].forEach((name, i) => {
    const shape = c.shape(first + i);
    if (!shape.isCompatibleWith(new TensorShape([rank]))) {
      c.fail(`${name} must be a vector of ${rank} numbers, got shape ${shape.toString()}`);
    }
  });
  const lists = poolLists(c.constant(first), c.constant(first + 1));
  return lists === null ? null : poolingOf(c.attrs, lists);
}
