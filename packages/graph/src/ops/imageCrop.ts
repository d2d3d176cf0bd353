/** Records and builders of cropping boxes out of images and resizing them, and of the gradients of that. */
import { apply, type NameOptions } from '../apply.js';
import { isFloating } from '../dtype.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { cropGradBoxesGrad } from './imageCropSecond.js';

const NUMBERS = 'T: {uint8, uint16, int8, int16, int32, int64, float16, float32, float64}';
const METHOD = 'method: {"bilinear", "nearest"} = "bilinear"';

/** The number of boxes in input `i`, whose images are named by input `j`. Rejects boxes of a wrong shape. */
function boxCount(c: InferContext, i: number, j: number): Dim {
  const [boxes, indices] = [withRank(c, i, 2, 'boxes'), withRank(c, j, 1, 'box_ind')];
  if (boxes.dim(1) !== null && boxes.dim(1) !== 4) {
    c.fail(`boxes must be rows [y1, x1, y2, x2], got shape ${boxes.toString()}`);
  }
  const count = boxes.slice(0, 1).mergeWith(indices);
  if (count === null) {
    c.fail(`boxes ${boxes.toString()} need one image each, box_ind has shape ${indices.toString()}`);
  }
  return count.dim(0);
}

function cropSize(c: InferContext, i: number): TensorShape {
  const given = c.shape(i);
  if (!given.isCompatibleWith(new TensorShape([2]))) {
    c.fail(`crop_size must be a vector [height, width], got shape ${given.toString()}`);
  }
  const known = Array.from(c.constant(i)?.data ?? []);
  if (known.some((n) => n <= 0)) c.fail(`crop_size must be positive, got [${known.join(',')}]`);
  return c.constant(i) === null ? TensorShape.ofRank(2) : shapeFromInput(c, i);
}

function inferCrops(c: InferContext): TensorShape[] {
  const image = withRank(c, 0, 4, 'image');
  if (image.dim(1) === 0 || image.dim(2) === 0) c.fail(`image of shape ${image.toString()} has no pixels`);
  const boxes = boxCount(c, 1, 2);
  const size = cropSize(c, 3);
  return [new TensorShape([boxes, size.dim(0), size.dim(1), image.dim(3)])];
}

/** Rejects gradients of crops that are not one per box with `channels`. */
function checkCrops(c: InferContext, boxes: Dim, channels: Dim): void {
  const grads = withRank(c, 0, 4, 'grads');
  if (grads.isCompatibleWith(new TensorShape([boxes, null, null, channels]))) return;
  c.fail(
    `grads of shape ${grads.toString()} do not fit ${boxes ?? '?'} boxes of ${channels ?? '?'} channels`,
  );
}

function inferGradImage(c: InferContext): TensorShape[] {
  const given = shapeFromInput(c, 3);
  if (given.rank !== null && given.rank !== 4) {
    c.fail(`image_size must hold 4 sizes, got ${given.rank}`);
  }
  const image = given.rank === null ? TensorShape.ofRank(4) : given;
  checkCrops(c, boxCount(c, 1, 2), image.dim(3));
  return [image];
}

function inferGradBoxes(c: InferContext): TensorShape[] {
  const image = withRank(c, 1, 4, 'image');
  const boxes = boxCount(c, 2, 3);
  checkCrops(c, boxes, image.dim(3));
  return [new TensorShape([boxes, 4])];
}

/** dBoxes by TensorFlow's op, which knows bilinear sampling only and stands for nearest pixels too. */
function gradBoxes(crops: Tensor, image: Tensor, boxes: Tensor, boxInd: Tensor): Tensor {
  return apply('CropAndResizeGradBoxes', [crops, image, boxes, boxInd]);
}

function cropGrad({ attrs, ops, input, dy }: GradContext): (Tensor | null)[] {
  const [image, boxes, boxInd] = [input(0), input(1), input(2)];
  const dImage = isFloating(image.dtype)
    ? apply('CropAndResizeGradImage', [dy, boxes, boxInd, ops.shape(image)], {
        attrs: { T: image.dtype, method: attrs.string('method') },
      })
    : null;
  return [dImage, gradBoxes(dy, image, boxes, boxInd), null, null];
}

export const IMAGE_CROP = {
  CropAndResize: op({
    summary: 'Boxes cut out of images and resized to one size.',
    inputs: ['image: T', 'boxes: float32', 'box_ind: int32', 'crop_size: int32'],
    outputs: ['crops: float32'],
    attrs: [NUMBERS, METHOD, 'extrapolation_value: float = 0'],
    infer: inferCrops,
    // linear in the image: its transpose applied to dy; by the boxes through the slope of the interpolation
    grad: cropGrad,
  }),

  CropAndResizeGradImage: op({
    summary: 'Gradient of CropAndResize with respect to its images.',
    inputs: ['grads: float32', 'boxes: float32', 'box_ind: int32', 'image_size: int32'],
    outputs: ['output: T'],
    attrs: ['T: {float32, float16, float64}', METHOD],
    infer: inferGradImage,
    // <dy, Cᵀ grads> = <C dy, grads>: dgrads = C dy, and the boxes as those of cropping dy
    grad: ({ attrs, ops, input, dy }) => {
      const [grads, boxes, boxInd] = [input(0), input(1), input(2)];
      const size = ops.slice(ops.shape(grads), [1], [2]);
      const method = attrs.string('method');
      const crops = apply('CropAndResize', [dy, boxes, boxInd, size], { attrs: { method } });
      return [crops, gradBoxes(grads, dy, boxes, boxInd), null, null];
    },
  }),

  CropAndResizeGradBoxes: op({
    summary: 'Gradient of CropAndResize with respect to its boxes.',
    inputs: ['grads: float32', 'image: T', 'boxes: float32', 'box_ind: int32'],
    outputs: ['output: float32'],
    attrs: [NUMBERS, 'method: {"bilinear"} = "bilinear"'],
    infer: inferGradBoxes,
    grad: cropGradBoxesGrad,
  }),
} satisfies Record<string, OpDef>;

export interface CropAndResizeOptions extends NameOptions {
  /** Default `bilinear`. */
  readonly method?: 'bilinear' | 'nearest';
  /** The value of pixels outside of the image; default 0. */
  readonly extrapolationValue?: number;
}

/**
 * Cuts boxes out of images and resizes them (`tf.image.crop_and_resize`). `image` is
 * `[batch, height, width, channels]`; row k of `boxes` is `[y1, x1, y2, x2]` in units in which the centres of the
 * corner pixels are 0 and 1, and `boxInd[k]` the image it is cut from. `y1 > y2` flips. The result is float32
 * `[boxes, ...cropSize, channels]`; boxes of images that do not exist are filled with `extrapolationValue`
 * (TensorFlow raises an error). Boxes have a gradient too; for `nearest` it is that of bilinear sampling, as in
 * TensorFlow.
 */
export function cropAndResize(
  image: TensorLike,
  boxes: TensorLike,
  boxInd: TensorLike,
  cropSize: TensorLike,
  { method = 'bilinear', extrapolationValue = 0, name }: CropAndResizeOptions = {},
): Tensor {
  const attrs = { method, extrapolation_value: extrapolationValue };
  return apply('CropAndResize', [image, boxes, boxInd, cropSize], { name, attrs });
}
