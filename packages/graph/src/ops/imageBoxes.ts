/** The record and builder that draw boxes into images. */
import { apply, type NameOptions } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
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

/** As above, with a list of colours that has a number for each channel. */
function inferColoured(c: InferContext): TensorShape[] {
  const [images = TensorShape.UNKNOWN] = inferDrawing(c);
  const colors = withRank(c, 2, 2, 'colors');
  const [depth, given] = [images.dim(3), colors.dim(1)];
  if (depth !== null && given !== null && given < depth) {
    c.fail(`colors need ${depth} channels or more, got shape ${colors.toString()}`);
  }
  return [images];
}

/** dy where nothing is drawn: there, and only there, black and white paper give different results. */
function untouchedGrad({ op: node, inputs, ops, input, dy }: GradContext): (Tensor | null)[] {
  const [, ...rest] = inputs;
  const draw = (paper: Tensor): Tensor => apply(node.type, [paper, ...rest]);
  const untouched = ops.sub(draw(ops.onesLike(input(0))), draw(ops.zerosLike(input(0))));
  return [ops.mul(dy, ops.stopGradient(untouched)), ...rest.map(() => null)];
}

export const IMAGE_BOXES = {
  DrawBoundingBoxes: op({
    summary: 'Images with the outlines of boxes drawn into them.',
    inputs: ['images: T', 'boxes: float32'],
    outputs: ['output: T'],
    attrs: ['T: {float32, float16} = float32'],
    infer: inferDrawing,
    grad: untouchedGrad,
  }),

  DrawBoundingBoxesV2: op({
    summary: 'Images with the outlines of boxes drawn into them in given colours.',
    inputs: ['images: T', 'boxes: float32', 'colors: float32'],
    outputs: ['output: T'],
    attrs: ['T: {float32, float16} = float32'],
    infer: inferColoured,
    grad: untouchedGrad,
  }),
} satisfies Record<string, OpDef>;

/**
 * Draws the outlines of boxes, one pixel wide, in ten colours that follow each other
 * (`tf.image.draw_bounding_boxes`). `images` is `[batch, height, width, depth]` of floats with depth 1, 3 or 4;
 * `boxes` is `[batch, boxes, 4]`, rows `[y1, x1, y2, x2]` as fractions of the image. Later boxes are drawn over
 * earlier ones; edges outside of the image are left out. `colors` `[n, depth]` are taken in place of the ten.
 */
export function drawBoundingBoxes(
  images: TensorLike,
  boxes: TensorLike,
  { colors, name }: NameOptions & { readonly colors?: TensorLike } = {},
): Tensor {
  if (colors !== undefined) return apply('DrawBoundingBoxesV2', [images, boxes, colors], { name });
  return apply('DrawBoundingBoxes', [images, boxes], { name });
}
