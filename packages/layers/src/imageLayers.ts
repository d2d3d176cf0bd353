/** Layers on images: `conv2d`, `maxPooling2d`, `averagePooling2d`. */
import {
  InvalidArgumentError,
  avgPool,
  biasAdd,
  conv2d as convolve,
  maxPool,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { zerosInitializer } from './initializers.js';
import { Layer, type LayerOptions, type WeightOptions } from './layer.js';

/** One number for height and width, or both. */
export type Size2d = number | readonly [height: number, width: number];

export interface ImageOptions {
  /** `valid` (default) or `same`, in either case. */
  readonly padding?: 'valid' | 'same' | 'VALID' | 'SAME' | undefined;
  /** Images [batch, height, width, channels] (default) or [batch, channels, height, width]. */
  readonly dataFormat?: 'channels_last' | 'channels_first' | undefined;
}

export interface ImageAttrs {
  readonly padding: 'VALID' | 'SAME';
  readonly dataFormat: 'NHWC' | 'NCHW';
  /** The dimension of the channels. */
  readonly channelAxis: number;
}

/** The attributes of the ops for a layer's options. Throws `InvalidArgumentError` for unknown paddings. */
export function imageAttrs(
  layer: string,
  { padding = 'valid', dataFormat = 'channels_last' }: ImageOptions,
): ImageAttrs {
  const rule = padding.toUpperCase();
  if (rule !== 'VALID' && rule !== 'SAME') {
    throw new InvalidArgumentError(`${layer}: padding must be "valid" or "same", got "${padding}"`);
  }
  const last = dataFormat === 'channels_last';
  return { padding: rule, dataFormat: last ? 'NHWC' : 'NCHW', channelAxis: last ? -1 : 1 };
}

function pair(size: Size2d): readonly [number, number] {
  return typeof size === 'number' ? [size, size] : size;
}

export interface Conv2DOptions extends LayerOptions, WeightOptions, ImageOptions {
  /** Default 1. */
  readonly strides?: Size2d | undefined;
  /** Distance between neighbouring taps of the filter; default 1. */
  readonly dilationRate?: Size2d | undefined;
}

/** See `conv2d`. */
export class Conv2D extends Layer {
  #kernel: Variable | null = null;
  #bias: Variable | null = null;
  readonly #attrs: ImageAttrs;

  constructor(
    readonly filters: number,
    readonly kernelSize: Size2d,
    private readonly settings: Conv2DOptions = {},
  ) {
    super('conv2d', settings);
    this.#attrs = imageAttrs('conv2d', settings);
    if (!Number.isInteger(filters) || filters < 1) {
      throw new InvalidArgumentError(`conv2d: filters must be a positive integer, got ${filters}`);
    }
  }

  protected override build(inputs: TensorShape): void {
    const { useBias = true, biasInitializer = zerosInitializer(), ...settings } = this.settings;
    this.requireRank(inputs, 4);
    const channels = this.requireDim(inputs, this.#attrs.channelAxis, 'the number of channels');
    this.#kernel = this.addWeight('kernel', [...pair(this.kernelSize), channels, this.filters], {
      initializer: settings.kernelInitializer,
      regularizer: settings.kernelRegularizer,
    });
    if (!useBias) return;
    this.#bias = this.addWeight('bias', [this.filters], {
      initializer: biasInitializer,
      regularizer: settings.biasRegularizer,
    });
  }

  protected override call(x: Tensor): Tensor {
    if (this.#kernel === null) throw new InvalidArgumentError('conv2d: the layer is not built');
    const { padding, dataFormat } = this.#attrs;
    const { strides = 1, dilationRate = 1 } = this.settings;
    const options = { strides: pair(strides), dilations: pair(dilationRate), padding, dataFormat };
    const product = convolve(x, this.#kernel, options);
    const y = this.#bias === null ? product : biasAdd(product, this.#bias, { dataFormat });
    return this.finish(y, this.settings);
  }
}

/**
 * activation(convolution of the images with `filters` filters of size `kernelSize` + bias)
 * (`tf.layers.conv2d`). Variables `kernel` [height, width, channels, filters] and `bias` [filters]. Throws
 * `InvalidArgumentError` when the number of channels is not known.
 */
export function conv2d(
  inputs: TensorLike,
  filters: number,
  kernelSize: Size2d,
  options: Conv2DOptions = {},
): Tensor {
  return new Conv2D(filters, kernelSize, options).apply(inputs);
}

export interface PoolingOptions extends ImageOptions {
  readonly name?: string | undefined;
}

/** Layers that reduce windows of images; they have no variables. */
abstract class Pooling2D extends Layer {
  protected readonly attrs: {
    ksize: Size2d;
    strides: Size2d;
    padding: 'VALID' | 'SAME';
    dataFormat: 'NHWC' | 'NCHW';
  };

  protected constructor(kind: string, poolSize: Size2d, strides: Size2d, options: PoolingOptions) {
    super(kind, options);
    const { padding, dataFormat } = imageAttrs(kind, options);
    this.attrs = { ksize: pair(poolSize), strides: pair(strides), padding, dataFormat };
  }

  protected override build(inputs: TensorShape): void {
    this.requireRank(inputs, 4);
  }
}

/** See `maxPooling2d`. */
export class MaxPooling2D extends Pooling2D {
  constructor(poolSize: Size2d, strides: Size2d, options: PoolingOptions = {}) {
    super('max_pooling2d', poolSize, strides, options);
  }

  protected override call(x: Tensor): Tensor {
    return maxPool(x, this.attrs);
  }
}

/** See `averagePooling2d`. */
export class AveragePooling2D extends Pooling2D {
  constructor(poolSize: Size2d, strides: Size2d, options: PoolingOptions = {}) {
    super('average_pooling2d', poolSize, strides, options);
  }

  protected override call(x: Tensor): Tensor {
    return avgPool(x, this.attrs);
  }
}

/** The largest element of every window, per channel (`tf.layers.max_pooling2d`). */
export function maxPooling2d(
  inputs: TensorLike,
  poolSize: Size2d,
  strides: Size2d,
  options: PoolingOptions = {},
): Tensor {
  return new MaxPooling2D(poolSize, strides, options).apply(inputs);
}

/** The mean of every window, per channel (`tf.layers.average_pooling2d`). Padding is not counted. */
export function averagePooling2d(
  inputs: TensorLike,
  poolSize: Size2d,
  strides: Size2d,
  options: PoolingOptions = {},
): Tensor {
  return new AveragePooling2D(poolSize, strides, options).apply(inputs);
}
