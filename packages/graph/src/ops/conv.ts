/** Records and builders of convolutions of images and their gradients. */
import { apply, type NameOptions } from '../apply.js';
import { op } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { CONV_3D } from './conv3d.js';
import { convGradients, inferBackpropFilter, inferBackpropInput, inferConvolution } from './convInfer.js';
import { windowAttrs, type WindowOptions } from './convWindows.js';
import { DEPTHWISE } from './depthwise.js';
import { DILATION } from './dilation.js';
import { FUSED_CONV } from './fused.js';

export * from './conv1d.js';
export * from './conv3d.js';
export * from './convComposed.js';
export * from './convTransposed.js';
export * from './depthwise.js';
export * from './dilation.js';

const ATTRS = [
  'T: {float16, bfloat16, float32, float64}',
  'strides: list(int)',
  'use_cudnn_on_gpu: bool = true',
  'padding: {"SAME", "VALID", "EXPLICIT"}',
  'explicit_paddings: list(int) = []',
  'data_format: {"NHWC", "NCHW"} = "NHWC"',
  'dilations: list(int) = [1, 1, 1, 1]',
];

const IMAGES = { rank: 4 } as const;
const GRADIENTS = convGradients({
  forward: 'Conv2D',
  toInput: 'Conv2DBackpropInput',
  toFilter: 'Conv2DBackpropFilter',
});

export const CONV = {
  ...DEPTHWISE,
  ...CONV_3D,
  ...DILATION,
  ...FUSED_CONV,

  Conv2D: op({
    summary: 'Convolution of images with a bank of filters (HWIO).',
    inputs: ['input: T', 'filter: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferConvolution(IMAGES),
    grad: GRADIENTS.forward,
  }),

  Conv2DBackpropInput: op({
    summary: 'Gradient of a convolution with respect to its input; also known as transposed convolution.',
    inputs: ['input_sizes: int32', 'filter: T', 'out_backprop: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferBackpropInput(IMAGES),
    grad: GRADIENTS.toInput,
  }),

  Conv2DBackpropFilter: op({
    summary: 'Gradient of a convolution with respect to its filter.',
    inputs: ['input: T', 'filter_sizes: int32', 'out_backprop: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferBackpropFilter(IMAGES),
    grad: GRADIENTS.toFilter,
  }),
};

/** Options of the convolution builders; see `WindowOptions`. */
export type ConvOptions = WindowOptions & NameOptions;

/**
 * Convolution (`tf.nn.conv2d`) of `input` `[batch, height, width, channels]` (or NCHW by
 * `dataFormat`) with `filter` `[height, width, channels, filters]`. A filter with fewer channels
 * than the input works on groups of channels.
 */
export function conv2d(input: TensorLike, filter: TensorLike, options: ConvOptions): Tensor {
  return apply('Conv2D', [input, filter], { name: options.name, attrs: windowAttrs('conv2d', options) });
}

/**
 * Gradient of `conv2d` with respect to an input of shape `inputSizes`
 * (`tf.raw_ops.Conv2DBackpropInput`); `outBackprop` is the gradient of its output.
 */
export function conv2dBackpropInput(
  inputSizes: TensorLike,
  filter: TensorLike,
  outBackprop: TensorLike,
  options: ConvOptions,
): Tensor {
  const attrs = windowAttrs('conv2dBackpropInput', options);
  return apply('Conv2DBackpropInput', [inputSizes, filter, outBackprop], { name: options.name, attrs });
}

/**
 * Gradient of `conv2d` with respect to a filter of shape `filterSizes`
 * (`tf.raw_ops.Conv2DBackpropFilter`); `outBackprop` is the gradient of its output.
 */
export function conv2dBackpropFilter(
  input: TensorLike,
  filterSizes: TensorLike,
  outBackprop: TensorLike,
  options: ConvOptions,
): Tensor {
  const attrs = windowAttrs('conv2dBackpropFilter', options);
  return apply('Conv2DBackpropFilter', [input, filterSizes, outBackprop], { name: options.name, attrs });
}
