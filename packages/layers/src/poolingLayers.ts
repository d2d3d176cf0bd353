/** Pooling layers of sequences and volumes, and global ones of all three kinds of inputs. They have no variables. */
import {
  InvalidArgumentError,
  avgPool1d,
  avgPool3d,
  maxPool1d,
  maxPool3d,
  reduceMax,
  reduceMean,
  type Tensor,
  type TensorLike,
  type TensorShape,
} from '@forerun/graph';
import type { ImageOptions, PoolingOptions } from './imageLayers.js';
import { Layer } from './layer.js';

/** One number for depth, height and width, or all three. */
export type Size3d = number | readonly [depth: number, height: number, width: number];
/** One number, also as a list. */
export type Size1d = number | readonly [number];

function isChannelsLast({ dataFormat = 'channels_last' }: ImageOptions): boolean {
  return dataFormat === 'channels_last';
}

function paddingRule(kind: string, { padding = 'valid' }: ImageOptions): 'VALID' | 'SAME' {
  const rule = padding.toUpperCase();
  if (rule === 'VALID' || rule === 'SAME') return rule;
  throw new InvalidArgumentError(`${kind}: padding must be "valid" or "same", got "${padding}"`);
}

interface WindowAttrs {
  readonly ksize: number | readonly number[];
  readonly strides: number | readonly number[];
  readonly padding: 'VALID' | 'SAME';
}

/** Layers that reduce windows along one or three dimensions. */
abstract class WindowPooling extends Layer {
  protected readonly attrs: WindowAttrs;
  protected readonly channelsLast: boolean;

  protected constructor(
    kind: string,
    private readonly rank: number,
    poolSize: number | readonly number[],
    strides: number | readonly number[],
    options: PoolingOptions,
  ) {
    super(kind, options);
    this.channelsLast = isChannelsLast(options);
    this.attrs = { ksize: poolSize, strides, padding: paddingRule(kind, options) };
  }

  protected override build(inputs: TensorShape): void {
    this.requireRank(inputs, this.rank);
  }
}

/** See `maxPooling1d`. */
export class MaxPooling1D extends WindowPooling {
  constructor(poolSize: Size1d, strides: Size1d, options: PoolingOptions = {}) {
    super('max_pooling1d', 3, poolSize, strides, options);
  }

  protected override call(x: Tensor): Tensor {
    return maxPool1d(x, { ...this.attrs, dataFormat: this.channelsLast ? 'NWC' : 'NCW' });
  }
}

/** See `averagePooling1d`. */
export class AveragePooling1D extends WindowPooling {
  constructor(poolSize: Size1d, strides: Size1d, options: PoolingOptions = {}) {
    super('average_pooling1d', 3, poolSize, strides, options);
  }

  protected override call(x: Tensor): Tensor {
    return avgPool1d(x, { ...this.attrs, dataFormat: this.channelsLast ? 'NWC' : 'NCW' });
  }
}

/** See `maxPooling3d`. */
export class MaxPooling3D extends WindowPooling {
  constructor(poolSize: Size3d, strides: Size3d, options: PoolingOptions = {}) {
    super('max_pooling3d', 5, poolSize, strides, options);
  }

  protected override call(x: Tensor): Tensor {
    return maxPool3d(x, { ...this.attrs, dataFormat: this.channelsLast ? 'NDHWC' : 'NCDHW' });
  }
}

/** See `averagePooling3d`. */
export class AveragePooling3D extends WindowPooling {
  constructor(poolSize: Size3d, strides: Size3d, options: PoolingOptions = {}) {
    super('average_pooling3d', 5, poolSize, strides, options);
  }

  protected override call(x: Tensor): Tensor {
    return avgPool3d(x, { ...this.attrs, dataFormat: this.channelsLast ? 'NDHWC' : 'NCDHW' });
  }
}

/** The largest element of every window of sequences, per channel (`tf.layers.max_pooling1d`). */
export function maxPooling1d(
  inputs: TensorLike,
  poolSize: Size1d,
  strides: Size1d,
  options: PoolingOptions = {},
): Tensor {
  return new MaxPooling1D(poolSize, strides, options).apply(inputs);
}

/** The mean of every window of sequences, per channel (`tf.layers.average_pooling1d`). Padding is not counted. */
export function averagePooling1d(
  inputs: TensorLike,
  poolSize: Size1d,
  strides: Size1d,
  options: PoolingOptions = {},
): Tensor {
  return new AveragePooling1D(poolSize, strides, options).apply(inputs);
}

/** The largest element of every window of volumes, per channel (`tf.layers.max_pooling3d`). */
export function maxPooling3d(
  inputs: TensorLike,
  poolSize: Size3d,
  strides: Size3d,
  options: PoolingOptions = {},
): Tensor {
  return new MaxPooling3D(poolSize, strides, options).apply(inputs);
}

/** The mean of every window of volumes, per channel (`tf.layers.average_pooling3d`). Padding is not counted. */
export function averagePooling3d(
  inputs: TensorLike,
  poolSize: Size3d,
  strides: Size3d,
  options: PoolingOptions = {},
): Tensor {
  return new AveragePooling3D(poolSize, strides, options).apply(inputs);
}

export interface GlobalPoolingOptions extends Pick<ImageOptions, 'dataFormat'> {
  /** Keeps the pooled dimensions with size 1. */
  readonly keepDims?: boolean | undefined;
  readonly name?: string | undefined;
}

type Reduce = typeof reduceMax;

/** Layers that reduce everything between batch and channels. */
class GlobalPooling extends Layer {
  readonly #axes: readonly number[];

  constructor(
    kind: string,
    private readonly reduce: Reduce,
    dimensions: number,
    private readonly settings: GlobalPoolingOptions,
  ) {
    super(kind, settings);
    const first = isChannelsLast(settings) ? 1 : 2;
    this.#axes = Array.from({ length: dimensions }, (_, i) => first + i);
  }

  protected override build(inputs: TensorShape): void {
    this.requireRank(inputs, this.#axes.length + 2);
  }

  protected override call(x: Tensor): Tensor {
    return this.reduce(x, { axis: this.#axes, keepDims: this.settings.keepDims ?? false });
  }
}

/** The mean of whole sequences, per channel (Keras' `GlobalAveragePooling1D`): `[batch, channels]`. */
export function globalAveragePooling1d(inputs: TensorLike, options: GlobalPoolingOptions = {}): Tensor {
  return new GlobalPooling('global_average_pooling1d', reduceMean, 1, options).apply(inputs);
}

/** The mean of whole images, per channel (Keras' `GlobalAveragePooling2D`): `[batch, channels]`. */
export function globalAveragePooling2d(inputs: TensorLike, options: GlobalPoolingOptions = {}): Tensor {
  return new GlobalPooling('global_average_pooling2d', reduceMean, 2, options).apply(inputs);
}

/** The mean of whole volumes, per channel (Keras' `GlobalAveragePooling3D`): `[batch, channels]`. */
export function globalAveragePooling3d(inputs: TensorLike, options: GlobalPoolingOptions = {}): Tensor {
  return new GlobalPooling('global_average_pooling3d', reduceMean, 3, options).apply(inputs);
}

/** The largest element of whole sequences, per channel (Keras' `GlobalMaxPooling1D`): `[batch, channels]`. */
export function globalMaxPooling1d(inputs: TensorLike, options: GlobalPoolingOptions = {}): Tensor {
  return new GlobalPooling('global_max_pooling1d', reduceMax, 1, options).apply(inputs);
}

/** The largest element of whole images, per channel (Keras' `GlobalMaxPooling2D`): `[batch, channels]`. */
export function globalMaxPooling2d(inputs: TensorLike, options: GlobalPoolingOptions = {}): Tensor {
  return new GlobalPooling('global_max_pooling2d', reduceMax, 2, options).apply(inputs);
}

/** The largest element of whole volumes, per channel (Keras' `GlobalMaxPooling3D`): `[batch, channels]`. */
export function globalMaxPooling3d(inputs: TensorLike, options: GlobalPoolingOptions = {}): Tensor {
  return new GlobalPooling('global_max_pooling3d', reduceMax, 3, options).apply(inputs);
}
