/** Records and builders of pooling and its gradients. */
import { apply } from '../apply.js';
import { shapeFromInput } from '../inferHelpers.js';
import { op, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { inferPool, poolAttrs, samePoolAttrs, type PoolOptions } from './poolWindows.js';

const WINDOW = [
  'ksize: list(int) >= 4',
  'strides: list(int) >= 4',
  'padding: {"SAME", "VALID"}',
  'data_format: {"NHWC", "NCHW"} = "NHWC"',
];
const REAL = 'T: {float16, bfloat16, float32, float64, int32, int64, uint8, int16, int8, uint16} = float32';

/** Inputs of the gradients of MaxPool: images, pooled images, and a gradient of the shape of `like`. */
function inferMaxGrad(c: InferContext, like: 'images' | 'pooled'): TensorShape[] {
  const pooled = inferPool(c, c.shape(0));
  if (!pooled.isCompatibleWith(c.shape(1))) {
    c.fail(`orig_output has shape ${c.shape(1).toString()}, pooling orig_input gives ${pooled.toString()}`);
  }
  const [result, given] = like === 'images' ? [c.shape(0), pooled] : [pooled, c.shape(0)];
  if (!given.isCompatibleWith(c.shape(2))) {
    c.fail(`the gradient has shape ${c.shape(2).toString()}, expected ${given.toString()}`);
  }
  return [result];
}

const MAX_GRAD = {
  inputs: ['orig_input: T', 'orig_output: T', 'grad: T'],
  outputs: ['output: T'],
  attrs: [...WINDOW, REAL],
} as const;

export const POOL = {
  MaxPool: op({
    summary: 'Largest element of every window of images.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: [REAL, ...WINDOW],
    infer: (c) => [inferPool(c, c.shape(0))],
    // dx: every window's dy goes to its first largest element
    grad: ({ attrs, input, output, dy }) => [
      apply('MaxPoolGrad', [input(0), output(0), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  MaxPoolGrad: op({
    ...MAX_GRAD,
    summary: 'Gradient of MaxPool with respect to its images.',
    infer: (c) => inferMaxGrad(c, 'images'),
    // linear in grad, piecewise constant in the images
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      ops.zerosLike(input(1)),
      apply('MaxPoolGradGrad', [input(0), input(1), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  MaxPoolGradGrad: op({
    ...MAX_GRAD,
    summary: "Elements of a gradient at the places of every window's largest element.",
    infer: (c) => inferMaxGrad(c, 'pooled'),
    grad: ({ attrs, input, ops, dy }) => [
      ops.zerosLike(input(0)),
      ops.zerosLike(input(1)),
      apply('MaxPoolGrad', [input(0), input(1), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  AvgPool: op({
    summary: 'Mean of every window of images.',
    inputs: ['value: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, 'T: floating'],
    infer: (c) => [inferPool(c, c.shape(0))],
    // dx: every window's dy is spread evenly over its elements
    grad: ({ attrs, input, ops, dy }) => [
      apply('AvgPoolGrad', [ops.shape(input(0)), dy], { attrs: samePoolAttrs(attrs) }),
    ],
  }),

  AvgPoolGrad: op({
    summary: 'Gradient of AvgPool with respect to its images.',
    inputs: ['orig_input_shape: int32', 'grad: T'],
    outputs: ['output: T'],
    attrs: [...WINDOW, 'T: floating'],
    infer: inferAvgGrad,
    grad: ({ attrs, dy }) => [null, apply('AvgPool', [dy], { attrs: samePoolAttrs(attrs) })],
  }),
} satisfies Record<string, OpDef>;

function inferAvgGrad(c: InferContext): TensorShape[] {
  const images = shapeFromInput(c, 0).mergeWith(TensorShape.ofRank(4));
  if (images === null) c.fail(`orig_input_shape must hold 4 sizes, got ${shapeFromInput(c, 0).toString()}`);
  const pooled = inferPool(c, images);
  if (!pooled.isCompatibleWith(c.shape(1))) {
    c.fail(`the gradient has shape ${c.shape(1).toString()}, expected ${pooled.toString()}`);
  }
  return [images];
}

/**
 * Largest element of every window (`tf.nn.max_pool`). `value` is `[batch, height, width, channels]`
 * (`NHWC`) or `[batch, channels, height, width]` (`NCHW`). SAME pads so that there are
 * `ceil(size / stride)` windows; padding never wins. Of equal elements the first gets the gradient.
 */
export function maxPool(value: TensorLike, options: PoolOptions): Tensor {
  return apply('MaxPool', [value], { name: options.name, attrs: poolAttrs('MaxPool', options) });
}

/** Mean of every window (`tf.nn.avg_pool`); as `maxPool`. Padding is not counted. */
export function avgPool(value: TensorLike, options: PoolOptions): Tensor {
  return apply('AvgPool', [value], { name: options.name, attrs: poolAttrs('AvgPool', options) });
}

export type { PoolOptions };
