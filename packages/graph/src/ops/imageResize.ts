/**
 * Records and builders of the resizing ops and of their gradients. Each is linear in its images, so that the
 * gradient of a gradient is the resizing itself.
 */
import { apply, type NameOptions } from '../apply.js';
import { isFloating } from '../dtype.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import {
  notDifferentiable,
  op,
  type GradContext,
  type GradFn,
  type InferContext,
  type OpDef,
} from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { Ops } from './index.js';

const NUMBERS = 'T: {int8, uint8, int16, uint16, int32, int64, float16, float32, float64';
const ALIGN = 'align_corners: bool = false';
const SAMPLING = [ALIGN, 'half_pixel_centers: bool = false'];

/** Height and width in input `i`, a vector of two positive numbers. */
function sizeInput(c: InferContext, i: number): TensorShape {
  const given = c.shape(i);
  if (!given.isCompatibleWith(new TensorShape([2]))) {
    c.fail(`size must be a vector [height, width], got shape ${given.toString()}`);
  }
  const known = Array.from(c.constant(i)?.data ?? []);
  if (known.some((n) => n <= 0)) c.fail(`height and width must be positive, got size [${known.join(',')}]`);
  return c.constant(i) === null ? TensorShape.ofRank(2) : shapeFromInput(c, i);
}

function checkSampling(c: InferContext): void {
  if (!c.attrs.has('half_pixel_centers')) return;
  if (c.attrs.bool('half_pixel_centers') && c.attrs.bool('align_corners')) {
    c.fail('align_corners and half_pixel_centers cannot both be true');
  }
}

/** The shape of `images` with the height and width of `size`. */
function withSize(images: TensorShape, size: TensorShape): TensorShape {
  return new TensorShape([images.dim(0), size.dim(0), size.dim(1), images.dim(3)]);
}

function inferResize(c: InferContext): TensorShape[] {
  const images = withRank(c, 0, 4, 'images');
  if (images.dim(1) === 0 || images.dim(2) === 0) {
    c.fail(`images of shape ${images.toString()} have no pixels to resize`);
  }
  checkSampling(c);
  return [withSize(images, sizeInput(c, 1))];
}

/** Gradients take the resized images' gradient and the images, of which only the shape counts. */
function inferResizeGrad(c: InferContext): TensorShape[] {
  const [grads, images] = [withRank(c, 0, 4, 'grads'), withRank(c, 1, 4, 'original_image')];
  const fits = new TensorShape([images.dim(0), null, null, images.dim(3)]).isCompatibleWith(grads);
  if (!fits) {
    c.fail(`grads ${grads.toString()} and original_image ${images.toString()} differ in batch or channels`);
  }
  checkSampling(c);
  return [
    new TensorShape([
      images.dim(0) ?? grads.dim(0),
      images.dim(1),
      images.dim(2),
      images.dim(3) ?? grads.dim(3),
    ]),
  ];
}

function inferNearestGrad(c: InferContext): TensorShape[] {
  checkSampling(c);
  return [withSize(withRank(c, 0, 4, 'grads'), sizeInput(c, 1))];
}

/** `[height, width]` of images. */
function imageSize(ops: Ops, images: Tensor): Tensor {
  return ops.slice(ops.shape(images), [1], [2]);
}

function sampling({ attrs }: GradContext): { align_corners: boolean; half_pixel_centers: boolean } {
  return { align_corners: attrs.bool('align_corners'), half_pixel_centers: attrs.bool('half_pixel_centers') };
}

/** dx = Rᵀ dy for y = R x, by TensorFlow's op for it. Integer images have no gradient. */
function throughGrad(type: string, dtypes: readonly string[]): GradFn {
  return (c) => {
    const image = c.input(0);
    if (!dtypes.includes(image.dtype)) return [null, null];
    return [apply(type, [c.dy, image], { attrs: sampling(c) }), null];
  };
}

/** The transpose of Rᵀ is R: the gradient of `grads` is the resized dy. */
function throughResize(type: string): GradFn {
  return (c) => [apply(type, [c.dy, imageSize(c.ops, c.input(0))], { attrs: sampling(c) }), null];
}

export const IMAGE_RESIZE = {
  ResizeBilinear: op({
    summary: 'Images resized by interpolating linearly between neighbouring pixels.',
    inputs: ['images: T', 'size: int32'],
    outputs: ['resized_images: float32'],
    attrs: [`${NUMBERS}, bfloat16}`, ...SAMPLING],
    infer: inferResize,
    grad: throughGrad('ResizeBilinearGrad', ['float32', 'float64', 'float16', 'bfloat16']),
  }),

  ResizeBilinearGrad: op({
    summary: 'Gradient of ResizeBilinear with respect to its images.',
    inputs: ['grads: float32', 'original_image: T'],
    outputs: ['output: T'],
    attrs: ['T: {float32, bfloat16, float16, float64}', ...SAMPLING],
    infer: inferResizeGrad,
    grad: throughResize('ResizeBilinear'),
  }),

  ResizeBicubic: op({
    summary: 'Images resized by cubic convolution of four by four pixels.',
    inputs: ['images: T', 'size: int32'],
    outputs: ['resized_images: float32'],
    attrs: [`${NUMBERS}}`, ...SAMPLING],
    infer: inferResize,
    grad: throughGrad('ResizeBicubicGrad', ['float32', 'float64']),
  }),

  ResizeBicubicGrad: op({
    summary: 'Gradient of ResizeBicubic with respect to its images.',
    inputs: ['grads: float32', 'original_image: T'],
    outputs: ['output: T'],
    attrs: ['T: {float32, float64}', ...SAMPLING],
    infer: inferResizeGrad,
    grad: throughResize('ResizeBicubic'),
  }),

  ResizeNearestNeighbor: op({
    summary: 'Images resized by taking the nearest pixel.',
    inputs: ['images: T', 'size: int32'],
    outputs: ['resized_images: T'],
    attrs: [`${NUMBERS}}`, ...SAMPLING],
    infer: inferResize,
    // dx: every pixel gets the sum of dy where it was taken
    grad: (c) => {
      const image = c.input(0);
      if (!isFloating(image.dtype)) return [null, null];
      const size = imageSize(c.ops, image);
      return [apply('ResizeNearestNeighborGrad', [c.dy, size], { attrs: sampling(c) }), null];
    },
  }),

  ResizeNearestNeighborGrad: op({
    summary: 'Gradient of ResizeNearestNeighbor with respect to its images, which have the given size.',
    inputs: ['grads: T', 'size: int32'],
    outputs: ['output: T'],
    attrs: ['T: {uint8, int8, int32, float16, float32, float64}', ...SAMPLING],
    infer: inferNearestGrad,
    grad: throughResize('ResizeNearestNeighbor'),
  }),

  ResizeArea: op({
    summary: 'Images resized by averaging the area under every new pixel.',
    inputs: ['images: T', 'size: int32'],
    outputs: ['resized_images: float32'],
    attrs: [`${NUMBERS}}`, ALIGN],
    infer: inferResize,
    grad: notDifferentiable(
      'TensorFlow defines no gradient of area resizing; resize with another method to train',
    ),
  }),
} satisfies Record<string, OpDef>;

/** How pixels of the result lie over those of the source. */
export interface ResizeOptions extends NameOptions {
  /** The centres of the corner pixels coincide, and keep their values. */
  readonly alignCorners?: boolean;
  /** Pixels are sampled at their centres, as other libraries do. Not together with `alignCorners`. */
  readonly halfPixelCenters?: boolean;
}

function resized(
  type: string,
  images: TensorLike,
  size: TensorLike,
  { alignCorners = false, halfPixelCenters = false, name }: ResizeOptions,
): Tensor {
  const attrs = { align_corners: alignCorners, half_pixel_centers: halfPixelCenters };
  return apply(type, [images, size], { name, attrs });
}

/**
 * Bilinear interpolation (`tf.image.resize_bilinear`) of `images` `[batch, height, width, channels]` to
 * `size` `[height, width]`. The result is float32. Throws for sizes that are not positive.
 */
export function resizeBilinear(images: TensorLike, size: TensorLike, options: ResizeOptions = {}): Tensor {
  return resized('ResizeBilinear', images, size, options);
}

/**
 * Cubic interpolation (`tf.image.resize_bicubic`); arguments as in `resizeBilinear`. Cubic convolution with
 * a = -0.75, and with `halfPixelCenters` a = -0.5 with weights renormalized at the border (Keys, "Cubic
 * convolution interpolation for digital image processing", 1981). As in TensorFlow, positions between pixels
 * are rounded to 1/1024.
 */
export function resizeBicubic(images: TensorLike, size: TensorLike, options: ResizeOptions = {}): Tensor {
  return resized('ResizeBicubic', images, size, options);
}

/** The nearest pixel (`tf.image.resize_nearest_neighbor`), in the dtype of `images`; arguments as in `resizeBilinear`. */
export function resizeNearestNeighbor(
  images: TensorLike,
  size: TensorLike,
  options: ResizeOptions = {},
): Tensor {
  return resized('ResizeNearestNeighbor', images, size, options);
}

/** The mean over the area of each new pixel (`tf.image.resize_area`). float32; not differentiable, as in TensorFlow. */
export function resizeArea(
  images: TensorLike,
  size: TensorLike,
  { alignCorners = false, name }: Omit<ResizeOptions, 'halfPixelCenters'> = {},
): Tensor {
  return apply('ResizeArea', [images, size], { name, attrs: { align_corners: alignCorners } });
}
