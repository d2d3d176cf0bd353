/** Records and builders of convolutions of volumes and their gradients. */
import { apply, type NameOptions } from '../apply.js';
import { op } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { convGradients, inferBackpropFilter, inferBackpropInput, inferConvolution } from './convInfer.js';
import { windowAttrs3d, type WindowOptions3d } from './convWindows.js';

const ATTRS = [
  'T: {float16, bfloat16, float32, float64}',
  'strides: list(int) >= 5',
  'padding: {"SAME", "VALID"}',
  'data_format: {"NDHWC", "NCDHW"} = "NDHWC"',
  'dilations: list(int) = [1, 1, 1, 1, 1]',
];

const VOLUMES = { rank: 5 } as const;
const GRADIENTS = convGradients({
  forward: 'Conv3D',
  toInput: 'Conv3DBackpropInputV2',
  toFilter: 'Conv3DBackpropFilterV2',
});

export const CONV_3D = {
  Conv3D: op({
    summary: 'Convolution of volumes with a bank of filters (DHWIO).',
    inputs: ['input: T', 'filter: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferConvolution(VOLUMES),
    grad: GRADIENTS.forward,
  }),

  Conv3DBackpropInputV2: op({
    summary: 'Gradient of a convolution of volumes with respect to its input.',
    inputs: ['input_sizes: Tshape', 'filter: T', 'out_backprop: T'],
    outputs: ['output: T'],
    attrs: [...ATTRS, 'Tshape: index = int32'],
    infer: inferBackpropInput(VOLUMES),
    grad: GRADIENTS.toInput,
  }),

  Conv3DBackpropFilterV2: op({
    summary: 'Gradient of a convolution of volumes with respect to its filter.',
    inputs: ['input: T', 'filter_sizes: int32', 'out_backprop: T'],
    outputs: ['output: T'],
    attrs: ATTRS,
    infer: inferBackpropFilter(VOLUMES),
    grad: GRADIENTS.toFilter,
  }),
};

/** Options of the convolutions of volumes. */
export type Conv3dOptions = WindowOptions3d & NameOptions;

/**
 * Convolution (`tf.nn.conv3d`) of `input` `[batch, depth, height, width, channels]` (or NCDHW by
 * `dataFormat`) with `filter` `[depth, height, width, channels, filters]`. A filter with fewer channels
 * than the input works on groups of channels.
 */
export function conv3d(input: TensorLike, filter: TensorLike, options: Conv3dOptions): Tensor {
  return apply('Conv3D', [input, filter], { name: options.name, attrs: windowAttrs3d('conv3d', options) });
}

/**
 * Gradient of `conv3d` with respect to an input of shape `inputSizes`
 * (`tf.raw_ops.Conv3DBackpropInputV2`); `outBackprop` is the gradient of its output.
 */
export function conv3dBackpropInput(
  inputSizes: TensorLike,
  filter: TensorLike,
  outBackprop: TensorLike,
  options: Conv3dOptions,
): Tensor {
  const attrs = windowAttrs3d('conv3dBackpropInput', options);
  return apply('Conv3DBackpropInputV2', [inputSizes, filter, outBackprop], { name: options.name, attrs });
}

/**
 * Gradient of `conv3d` with respect to a filter of shape `filterSizes`
 * (`tf.nn.conv3d_backprop_filter_v2`); `outBackprop` is the gradient of its output.
 */
export function conv3dBackpropFilter(
  input: TensorLike,
  filterSizes: TensorLike,
  outBackprop: TensorLike,
  options: Conv3dOptions,
): Tensor {
  const attrs = windowAttrs3d('conv3dBackpropFilter', options);
  return apply('Conv3DBackpropFilterV2', [input, filterSizes, outBackprop], { name: options.name, attrs });
}
