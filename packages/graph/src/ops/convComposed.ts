/** Convolutions under the names of TensorFlow's Python functions that are made of the ops. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { conv1d, type DataFormat1d } from './conv1d.js';
import {
  checkWindowOptions,
  windowAttrs,
  windowAttrs3d,
  type DataFormat,
  type DataFormat3d,
  type PerAxis,
  type WindowOptions,
} from './convWindows.js';

export interface ConvolutionOptions extends NameOptions {
  readonly padding: 'SAME' | 'VALID';
  /** One number, or one per image axis; default 1. */
  readonly strides?: PerAxis | undefined;
  /** Distance between neighbouring taps: one number, or one per image axis; default 1. */
  readonly dilationRate?: PerAxis | undefined;
  /** Default: channels last (`NWC`, `NHWC` or `NDHWC`). */
  readonly dataFormat?: DataFormat1d | DataFormat3d | undefined;
}

/**
 * Convolution over one, two or three image axes (`tf.nn.convolution`), which the rank of `input` or of
 * `filter` tells. `filter` is `[...window, channels, filters]`. Throws `InvalidArgumentError` for other ranks.
 */
export function convolution(input: TensorLike, filter: TensorLike, options: ConvolutionOptions): Tensor {
  checkWindowOptions('convolution', options);
  const { padding, strides, dilationRate: dilations, dataFormat, name = 'convolution' } = options;
  const [x, w] = [convertToTensor(input), convertToTensor(filter)];
  const channelsFirst = dataFormat?.startsWith('NC') === true;
  switch (x.shape.rank ?? w.shape.rank) {
    case 3: {
      const format = channelsFirst ? 'NCW' : 'NWC';
      return conv1d(x, w, { padding, stride: strides, dilations, dataFormat: format, name });
    }
    case 4: {
      const format = channelsFirst ? 'NCHW' : 'NHWC';
      const attrs = windowAttrs('convolution', { padding, strides, dilations, dataFormat: format });
      return apply('Conv2D', [x, w], { name, attrs });
    }
    case 5: {
      const format = channelsFirst ? 'NCDHW' : 'NDHWC';
      const attrs = windowAttrs3d('convolution', { padding, strides, dilations, dataFormat: format });
      return apply('Conv3D', [x, w], { name, attrs });
    }
    default:
      throw new InvalidArgumentError(
        `convolution: input must have rank 3, 4 or 5, got shape ${x.shape.toString()} and filter ${w.shape.toString()}`,
      );
  }
}

/**
 * Convolution with holes (`tf.nn.atrous_conv2d`; Chen et al., "Semantic Image Segmentation with Deep
 * Convolutional Nets", 2014): neighbouring taps of `filters` `[height, width, channels, filters]` see
 * elements of `value` that are `rate` apart.
 */
export function atrousConv2d(
  value: TensorLike,
  filters: TensorLike,
  rate: number,
  { padding, name = 'convolution' }: NameOptions & { readonly padding: 'SAME' | 'VALID' },
): Tensor {
  const attrs = windowAttrs('atrousConv2d', { padding, dilations: rate });
  return apply('Conv2D', [value, filters], { name, attrs });
}

/** Options of `depthwiseConv2d` and `separableConv2d`. */
export interface DepthwiseOptions extends Omit<WindowOptions, 'dataFormat'>, NameOptions {
  /** Another name of `dilations`. */
  readonly rate?: PerAxis | undefined;
  /** Order of the dimensions of images; default `NHWC`. */
  readonly dataFormat?: DataFormat | undefined;
}

/**
 * Depthwise convolution (`tf.nn.depthwise_conv2d`): every channel of `input` `[batch, height, width,
 * channels]` (or NCHW by `dataFormat`) with filters of its own, `filter` `[height, width, channels,
 * multiplier]`. Channel `c` gives channels `c * multiplier` and following of the output.
 */
export function depthwiseConv2d(input: TensorLike, filter: TensorLike, options: DepthwiseOptions): Tensor {
  const attrs = windowAttrs('depthwiseConv2d', withRate('depthwiseConv2d', options));
  return apply('DepthwiseConv2dNative', [input, filter], { name: options.name ?? 'depthwise', attrs });
}

/** `options` with the rate as dilations. */
function withRate(type: string, { rate, dilations, ...options }: DepthwiseOptions): WindowOptions {
  if (rate !== undefined && dilations !== undefined) {
    throw new InvalidArgumentError(`${type}: rate and dilations are the same option, give one of them`);
  }
  return { ...options, dilations: rate ?? dilations };
}

/**
 * Depthwise convolution of `input` with `depthwiseFilter` `[height, width, channels, multiplier]`, then a
 * pointwise one with `pointwiseFilter` `[1, 1, channels * multiplier, filters]` (`tf.nn.separable_conv2d`;
 * Chollet, "Xception", 2017). Throws `InvalidArgumentError` when the filters do not fit each other.
 */
export function separableConv2d(
  input: TensorLike,
  depthwiseFilter: TensorLike,
  pointwiseFilter: TensorLike,
  options: DepthwiseOptions,
): Tensor {
  const { name = 'separable_conv2d', ...windows } = options;
  const attrs = windowAttrs('separableConv2d', withRate('separableConv2d', windows));
  const x = convertToTensor(input);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const [depthwise, pointwise] = [convertToTensor(depthwiseFilter), convertToTensor(pointwiseFilter)];
      checkPointwise(depthwise, pointwise);
      const channels = apply('DepthwiseConv2dNative', [x, depthwise], { name: 'depthwise', attrs });
      const { dataFormat } = options;
      const mix = windowAttrs('separableConv2d', { padding: 'VALID', dataFormat });
      return apply('Conv2D', [channels, pointwise], { name: scope, attrs: mix });
    }),
  );
}

/** A pointwise filter for fewer channels would silently work on groups of them. */
function checkPointwise(depthwise: Tensor, pointwise: Tensor): void {
  const { dims } = pointwise.shape;
  if (dims === null || depthwise.shape.rank !== 4) return;
  const [channels, multiplier] = [depthwise.shape.dim(2), depthwise.shape.dim(3)];
  const inner = channels === null || multiplier === null ? null : channels * multiplier;
  const [height, width, depth] = dims;
  const fits = (dim: number | null | undefined, want: number | null): boolean =>
    dim === null || want === null || dim === want;
  if (dims.length === 4 && fits(height, 1) && fits(width, 1) && fits(depth, inner)) return;
  throw new InvalidArgumentError(
    `separableConv2d: pointwise filter must have shape [1,1,${inner ?? '?'},filters], got ${pointwise.shape.toString()}`,
  );
}
