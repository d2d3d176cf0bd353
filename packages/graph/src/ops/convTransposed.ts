/** Transposed convolutions: the gradients of convolutions with respect to their input, as layers use them. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { checkOptions } from '../checkOptions.js';
import { InvalidArgumentError } from '../errors.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { conv1dTranspose } from './conv1d.js';
import {
  windowAttrs,
  windowAttrs3d,
  type DataFormat,
  type DataFormat3d,
  type PerAxis,
  type WindowOptions,
  type WindowOptions3d,
} from './convWindows.js';

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

export interface ConvTransposeByRankOptions extends NameOptions {
  /** Steps between outputs: one number, one per dimension of space, or one per dimension of the data format. */
  readonly strides: PerAxis;
  readonly padding?: 'SAME' | 'VALID' | undefined;
  /** Order of the dimensions; default channels last. */
  readonly dataFormat?: 'NWC' | 'NCW' | DataFormat | DataFormat3d | undefined;
  /** Distance of the filter's taps, written as `strides`; default 1. */
  readonly dilations?: PerAxis | undefined;
}

/**
 * Transposed convolution of sequences, images or volumes, by the rank of `input` (`tf.nn.conv_transpose`): `conv1dTranspose`,
 * `conv2dTranspose` or `conv3dTranspose`. Throws `InvalidArgumentError` for another rank, or one that is not known.
 */
export function convTranspose(
  input: TensorLike,
  filters: TensorLike,
  outputShape: TensorLike,
  options: ConvTransposeByRankOptions,
): Tensor {
  const {
    dataFormat,
    padding = 'SAME',
    name = 'conv_transpose',
    ...rest
  } = checked('convTranspose', options);
  const x = convertToTensor(input);
  const { rank } = x.shape;
  if (rank !== 3 && rank !== 4 && rank !== 5) {
    throw new InvalidArgumentError(
      `convTranspose: input must be of rank 3 (sequences), 4 (images) or 5 (volumes), got ${x.shape.toString()}`,
    );
  }
  if (dataFormat !== undefined && dataFormat.length !== rank) {
    throw new InvalidArgumentError(
      `convTranspose: the data format ${dataFormat} is not for inputs of rank ${rank}`,
    );
  }
  const first = dataFormat?.startsWith('NC') === true;
  const all = { ...rest, padding, name };
  if (rank === 3)
    return conv1dTranspose(x, filters, outputShape, { ...all, dataFormat: first ? 'NCW' : 'NWC' });
  return rank === 4
    ? conv2dTranspose(x, filters, outputShape, { ...all, dataFormat: first ? 'NCHW' : 'NHWC' })
    : conv3dTranspose(x, filters, outputShape, { ...all, dataFormat: first ? 'NCDHW' : 'NDHWC' });
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
