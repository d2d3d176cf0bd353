/**
 * Records and builder of resampling images under a scale and a translation per axis with a chosen kernel. The op
 * is linear in its images, and its gradient is the transposed map.
 */
import { apply, type NameOptions } from '../apply.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

/** Kernels of resampling by the names of the attribute `kernel_type`. */
export const SAMPLING_KERNELS = [
  'lanczos1',
  'lanczos3',
  'lanczos5',
  'gaussian',
  'box',
  'triangle',
  'keyscubic',
  'mitchellcubic',
] as const;
export type SamplingKernel = (typeof SAMPLING_KERNELS)[number];

const ATTRS = ['kernel_type: string = "lanczos3"', 'antialias: bool = true'];

function pairInput(c: InferContext, i: number, name: string): readonly number[] {
  if (!c.shape(i).isCompatibleWith(new TensorShape([2]))) {
    c.fail(
      `${name} must be a pair, one number for rows and one for columns, got shape ${c.shape(i).toString()}`,
    );
  }
  return [...(c.constant(i)?.data ?? [])];
}

/** The inputs from `first` on are scale and translation. */
function checkPlacement(c: InferContext, first: number): void {
  pairInput(c, first, 'scale');
  pairInput(c, first + 1, 'translation');
  const kernel = c.attrs.string('kernel_type');
  if (!(SAMPLING_KERNELS as readonly string[]).includes(kernel)) {
    c.fail(`kernel_type must be one of ${SAMPLING_KERNELS.join(', ')}, got "${kernel}"`);
  }
}

function inferForward(c: InferContext): TensorShape[] {
  const images = withRank(c, 0, 4, 'images');
  if (images.dim(1) === 0 || images.dim(2) === 0) {
    c.fail(`images of shape ${images.toString()} have no pixels to sample`);
  }
  const sizes = pairInput(c, 1, 'size');
  if (sizes.some((n) => n <= 0)) c.fail(`height and width must be positive, got size [${sizes.join()}]`);
  checkPlacement(c, 2);
  const size = c.constant(1) === null ? TensorShape.ofRank(2) : shapeFromInput(c, 1);
  return [new TensorShape([images.dim(0), size.dim(0), size.dim(1), images.dim(3)])];
}

function inferBackward(c: InferContext): TensorShape[] {
  const [grads, images] = [withRank(c, 0, 4, 'grads'), withRank(c, 1, 4, 'original_image')];
  if (!new TensorShape([images.dim(0), null, null, images.dim(3)]).isCompatibleWith(grads)) {
    c.fail(`grads ${grads.toString()} and original_image ${images.toString()} differ in batch or channels`);
  }
  checkPlacement(c, 2);
  const [batch, channels] = [images.dim(0) ?? grads.dim(0), images.dim(3) ?? grads.dim(3)];
  return [new TensorShape([batch, images.dim(1), images.dim(2), channels])];
}

function attrsOf({ attrs }: GradContext): { kernel_type: string; antialias: boolean } {
  return { kernel_type: attrs.string('kernel_type'), antialias: attrs.bool('antialias') };
}

export const IMAGE_TRANSLATE = {
  ScaleAndTranslate: op({
    summary: 'Images scaled and moved, each pixel sampled with a kernel.',
    inputs: ['images: T', 'size: int32', 'scale: float32', 'translation: float32'],
    outputs: ['resized_images: float32'],
    attrs: ['T: {int8, uint8, int16, uint16, int32, int64, bfloat16, float16, float32, float64}', ...ATTRS],
    infer: inferForward,
    // dx = Rᵀ dy for y = R x; integer images have no gradient
    grad: (c) => {
      const image = c.input(0);
      if (image.dtype !== 'float32') return [null, null, null, null];
      const dx = apply('ScaleAndTranslateGrad', [c.dy, image, c.input(2), c.input(3)], { attrs: attrsOf(c) });
      return [dx, null, null, null];
    },
  }),

  ScaleAndTranslateGrad: op({
    summary: 'Gradient of ScaleAndTranslate with respect to its images.',
    inputs: ['grads: T', 'original_image: T', 'scale: float32', 'translation: float32'],
    outputs: ['output: T'],
    attrs: ['T: {float32}', ...ATTRS],
    infer: inferBackward,
    // the transpose of Rᵀ is R
    grad: (c) => {
      const size = c.ops.slice(c.ops.shape(c.input(0)), [1], [2]);
      const dg = apply('ScaleAndTranslate', [c.dy, size, c.input(2), c.input(3)], { attrs: attrsOf(c) });
      return [dg, null, null, null];
    },
  }),
} satisfies Record<string, OpDef>;

export interface ScaleAndTranslateOptions extends NameOptions {
  /** Default "lanczos3". */
  readonly kernelType?: SamplingKernel;
  /** Widen the kernel where the image shrinks, so that every pixel counts; default true. */
  readonly antialias?: boolean;
}

/**
 * Images `[batch, height, width, channels]` resampled to `size` `[height, width]`
 * (`gen_image_ops.scale_and_translate`): the pixel at (y, x) comes from ((y, x) - translation) / scale, with pixel
 * centres at half numbers, as a mean weighted by the kernel; it is 0 where that lies outside of the image. `size`,
 * `scale` and `translation` are pairs, rows first; the last two have to be known when a plan is made. float32. Throws
 * for sizes that are not positive; a run throws for such scales. Kernels: Lanczos of radius 1, 3 and 5, a Gaussian of
 * radius 1.5 and deviation 0.5, box and triangle, the cubics of Keys (1981) and of Mitchell and Netravali (1988).
 */
export function scaleAndTranslate(
  images: TensorLike,
  size: TensorLike,
  scale: TensorLike,
  translation: TensorLike,
  { kernelType = 'lanczos3', antialias = true, name }: ScaleAndTranslateOptions = {},
): Tensor {
  const attrs = { kernel_type: kernelType, antialias };
  return apply('ScaleAndTranslate', [images, size, scale, translation], { name, attrs });
}
