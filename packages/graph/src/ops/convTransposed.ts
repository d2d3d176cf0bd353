/** Transposed convolutions: the gradients of convolutions with respect to their input, as layers use them. */
import { apply, type NameOptions } from '../apply.js';
import { checkOptions } from '../checkOptions.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { windowAttrs, windowAttrs3d, type WindowOptions, type WindowOptions3d } from './convWindows.js';

/** As `WindowOptions`; the padding is `SAME` by default. */
export type ConvTransposeOptions = Partial<WindowOptions> & NameOptions;
export type Conv3dTransposeOptions = Partial<WindowOptions3d> & NameOptions;

/**
 * Transposed convolution (`tf.nn.conv2d_transpose`, sometimes called deconvolution; Zeiler et al.,
 * "Deconvolutional Networks", 2010): the gradient of `conv2d` with respect to an input of shape
 * `outputShape`. `value` is `[batch, height, width, channels]` (or NCHW by `dataFormat`), `filter`
 * `[height, width, output channels, channels]`. Throws when a convolution of `outputShape` would not give
 * the shape of `value`.
 */
export function conv2dTranspose(
  value: TensorLike,
  filter: TensorLike,
  outputShape: TensorLike,
  options: ConvTransposeOptions = {},
): Tensor {
  const { name = 'conv2d_transpose', padding = 'SAME', ...rest } = checked('conv2dTranspose', options);
  const attrs = windowAttrs('conv2dTranspose', { ...rest, padding });
  return apply('Conv2DBackpropInput', [outputShape, filter, value], { name, attrs });
}

/**
 * Transposed convolution of volumes (`tf.nn.conv3d_transpose`): as `conv2dTranspose`, of `value` `[batch,
 * depth, height, width, channels]` (or NCDHW) with `filter` `[depth, height, width, output channels, channels]`.
 */
export function conv3dTranspose(
  value: TensorLike,
  filter: TensorLike,
  outputShape: TensorLike,
  options: Conv3dTransposeOptions = {},
): Tensor {
  const { name = 'conv3d_transpose', padding = 'SAME', ...rest } = checked('conv3dTranspose', options);
  const attrs = windowAttrs3d('conv3dTranspose', { ...rest, padding });
  return apply('Conv3DBackpropInputV2', [outputShape, filter, value], { name, attrs });
}

/**
 * Transpose of `atrousConv2d` (`tf.nn.atrous_conv2d_transpose`): of `value` `[batch, height, width,
 * channels]` with `filters` `[height, width, output channels, channels]` whose taps are `rate` apart, into
 * images of shape `outputShape`.
 */
export function atrousConv2dTranspose(
  value: TensorLike,
  filters: TensorLike,
  outputShape: TensorLike,
  rate: number,
  options: NameOptions & { readonly padding: 'SAME' | 'VALID' },
): Tensor {
  const { name = 'atrous_conv2d_transpose', padding } = options;
  const attrs = windowAttrs('atrousConv2dTranspose', { ...options, padding, dilations: rate });
  return apply('Conv2DBackpropInput', [outputShape, filters, value], { name, attrs });
}

function checked<T extends object>(caller: string, options: T): T {
  return checkOptions(caller, options, '{ strides: 2 }');
}
