/** Records and builders of depthwise convolutions: every channel is convolved by itself. */
import { apply, type NameOptions } from '../apply.js';
import { op } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { convGradients, inferBackpropFilter, inferBackpropInput, inferConvolution } from './convInfer.js';
import { windowAttrs, type WindowOptions } from './convWindows.js';

const ATTRS = [
  'T: {float16, bfloat16, float32, float64}',
  'strides: list(int)',
  'padding: {"SAME", "VALID", "EXPLICIT"}',
  'explicit_paddings: list(int) = []',
  'data_format: {"NHWC", "NCHW"} = "NHWC"',
  'dilations: list(int) = [1, 1, 1, 1]',
];

const CHANNELS = { rank: 4, depthwise: true } as const;
const GRADIENTS = convGradients({
  forward: 'DepthwiseConv2dNative',
  toInput: 'DepthwiseConv2dNativeBackpropInput',
  toFilter: 'DepthwiseConv2dNativeBackpropFilter',
});

export const DEPTHWISE = {
  DepthwiseConv2dNative: op({
    summary: 'Convolution of every channel of images with filters of its own.',
    inputs: ['input: T', 'filter: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferConvolution(CHANNELS),
    grad: GRADIENTS.forward,
  }),

  DepthwiseConv2dNativeBackpropInput: op({
    summary: 'Gradient of a depthwise convolution with respect to its input.',
    inputs: ['input_sizes: int32', 'filter: T', 'out_backprop: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferBackpropInput(CHANNELS),
    grad: GRADIENTS.toInput,
  }),

  DepthwiseConv2dNativeBackpropFilter: op({
    summary: 'Gradient of a depthwise convolution with respect to its filter.',
    inputs: ['input: T', 'filter_sizes: int32', 'out_backprop: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferBackpropFilter(CHANNELS),
    grad: GRADIENTS.toFilter,
  }),
};

type DepthwiseOptions = WindowOptions & NameOptions;

/**
 * Depthwise convolution (`tf.nn.depthwise_conv2d_native`) of `input` `[batch, height, width, channels]`
 * (or NCHW by `dataFormat`) with `filter` `[height, width, channels, multiplier]`. Channel `c` of the
 * input gives the channels `c * multiplier` to `(c + 1) * multiplier - 1` of the output.
 */
export function depthwiseConv2dNative(
  input: TensorLike,
  filter: TensorLike,
  options: DepthwiseOptions,
): Tensor {
  const attrs = windowAttrs('depthwiseConv2dNative', options);
  return apply('DepthwiseConv2dNative', [input, filter], { name: options.name, attrs });
}

/**
 * Gradient of `depthwiseConv2dNative` with respect to an input of shape `inputSizes`
 * (`tf.nn.depthwise_conv2d_native_backprop_input`); `outBackprop` is the gradient of its output.
 */
export function depthwiseConv2dNativeBackpropInput(
  inputSizes: TensorLike,
  filter: TensorLike,
  outBackprop: TensorLike,
  options: DepthwiseOptions,
): Tensor {
  const attrs = windowAttrs('depthwiseConv2dNativeBackpropInput', options);
  const inputs = [inputSizes, filter, outBackprop];
  return apply('DepthwiseConv2dNativeBackpropInput', inputs, { name: options.name, attrs });
}

/**
 * Gradient of `depthwiseConv2dNative` with respect to a filter of shape `filterSizes`
 * (`tf.nn.depthwise_conv2d_native_backprop_filter`); `outBackprop` is the gradient of its output.
 */
export function depthwiseConv2dNativeBackpropFilter(
  input: TensorLike,
  filterSizes: TensorLike,
  outBackprop: TensorLike,
  options: DepthwiseOptions,
): Tensor {
  const attrs = windowAttrs('depthwiseConv2dNativeBackpropFilter', options);
  const inputs = [input, filterSizes, outBackprop];
  return apply('DepthwiseConv2dNativeBackpropFilter', inputs, { name: options.name, attrs });
}
