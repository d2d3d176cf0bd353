/** The record and builder that draw boxes into images. */
import { apply, type NameOptions } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { op, type InferContext, type OpDef } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

function inferDrawing(c: InferContext): TensorShape[] {
  const [images, boxes] = [withRank(c, 0, 4, 'images'), withRank(c, 1, 3, 'boxes')];
  const depth = images.dim(3);
  if (depth !== null && ![1, 3, 4].includes(depth)) {
    c.fail(`images must have 1, 3 or 4 channels, got shape ${images.toString()}`);
  }
  if (boxes.dim(2) !== null && boxes.dim(2) !== 4) {
    c.fail(`boxes must be rows [y1, x1, y2, x2], got shape ${boxes.toString()}`);
  }
  if (images.slice(0, 1).mergeWith(boxes.slice(0, 1)) === null) {
    c.fail(`images ${images.toString()} need a list of boxes each, boxes have shape ${boxes.toString()}`);
  }
  return [images];
}

export const IMAGE_BOXES = {
  DrawBoundingBoxes: op({
    summary: 'Images with the outlines of boxes drawn into them.',
    inputs: ['images: T', 'boxes: float32'],
    outputs: ['output: T'],
    attrs: ['T: {float32, float16} = float32'],
    infer: inferDrawing,
    // dy where nothing is drawn: there, and only there, black and white paper give different results
    grad: ({ ops, input, dy }) => {
      const draw = (paper: Tensor): Tensor => apply('DrawBoundingBoxes', [paper, input(1)]);
      const untouched = ops.sub(draw(ops.onesLike(input(0))), draw(ops.zerosLike(input(0))));
      return [ops.mul(dy, ops.stopGradient(untouched)), null];
    },
  }),
} satisfies Record<string, OpDef>;

/**
 * Draws the outlines of boxes, one pixel wide, in ten colours that follow each other
 * (`tf.image.draw_bounding_boxes`). `images` is `[batch, height, width, depth]` of floats with depth 1, 3 or 4;
 * `boxes` is `[batch, boxes, 4]`, rows `[y1, x1, y2, x2]` as fractions of the image. Later boxes are drawn over
 * earlier ones; edges outside of the image are left out.
 */
export function drawBoundingBoxes(images: TensorLike, boxes: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('DrawBoundingBoxes', [images, boxes], { name });
}
