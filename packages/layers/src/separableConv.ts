/** Layers of separable convolutions: one filter per channel, then a mixture of the channels. */
import {
  InvalidArgumentError,
  biasAdd,
  expandDims,
  separableConv2d as separable,
  squeeze,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { checkFilters, perAxis, type WindowSize } from './convLayers.js';
import { imageAttrs, type ImageAttrs, type ImageOptions } from './imageLayers.js';
import type { Initializer } from './initializer.js';
import { zerosInitializer } from './initializers.js';
import { Layer, type LayerOptions, type WeightOptions } from './layer.js';
import type { Regularizer } from './regularizers.js';

export interface SeparableConvOptions
  extends LayerOptions, Omit<WeightOptions, 'kernelInitializer' | 'kernelRegularizer'>, ImageOptions {
  /** Default 1. */
  readonly strides?: WindowSize | undefined;
  /** Distance between neighbouring taps of the filter; default 1. */
  readonly dilationRate?: WindowSize | undefined;
  /** Filters per channel before the mixture; default 1. */
  readonly depthMultiplier?: number | undefined;
  readonly depthwiseInitializer?: Initializer | undefined;
  readonly pointwiseInitializer?: Initializer | undefined;
  readonly depthwiseRegularizer?: Regularizer | undefined;
  readonly pointwiseRegularizer?: Regularizer | undefined;
}

interface Weights {
  readonly depthwise: Variable;
  readonly pointwise: Variable;
  readonly bias: Variable | null;
}

abstract class SeparableConv extends Layer {
  #weights: Weights | null = null;
  readonly #attrs: ImageAttrs;
  readonly #window: readonly number[];
  readonly #strides: readonly number[];
  readonly #dilations: readonly number[];

  protected constructor(
    kind: string,
    private readonly axes: 1 | 2,
    readonly filters: number,
    kernelSize: WindowSize,
    private readonly settings: SeparableConvOptions,
  ) {
    super(kind, settings);
    this.#attrs = imageAttrs(kind, settings);
    this.#window = perAxis(kind, 'kernelSize', kernelSize, axes);
    this.#strides = perAxis(kind, 'strides', settings.strides ?? 1, axes);
    this.#dilations = perAxis(kind, 'dilationRate', settings.dilationRate ?? 1, axes);
    checkFilters(kind, filters);
    perAxis(kind, 'depthMultiplier', settings.depthMultiplier ?? 1, 1);
  }

  protected override build(inputs: TensorShape): void {
    const { depthMultiplier = 1, useBias = true, ...settings } = this.settings;
    this.requireRank(inputs, this.axes + 2);
    const channels = this.requireDim(inputs, this.#attrs.channelAxis, 'the number of channels');
    const ones = this.#window.map(() => 1);
    this.#weights = {
      depthwise: this.addWeight('depthwise_kernel', [...this.#window, channels, depthMultiplier], {
        initializer: settings.depthwiseInitializer,
        regularizer: settings.depthwiseRegularizer,
      }),
      pointwise: this.addWeight('pointwise_kernel', [...ones, channels * depthMultiplier, this.filters], {
        initializer: settings.pointwiseInitializer,
        regularizer: settings.pointwiseRegularizer,
      }),
      bias: useBias
        ? this.addWeight('bias', [this.filters], {
            initializer: settings.biasInitializer ?? zerosInitializer(),
            regularizer: settings.biasRegularizer,
          })
        : null,
    };
  }

  protected override call(x: Tensor): Tensor {
    if (this.#weights === null) throw new InvalidArgumentError(`${this.kind}: the layer is not built`);
    const { depthwise, pointwise, bias } = this.#weights;
    const product =
      this.axes === 2 ? this.images(x, depthwise, pointwise) : this.sequences(x, depthwise, pointwise);
    const { dataFormat } = this.#attrs;
    const y = bias === null ? product : biasAdd(product, bias, { dataFormat });
    return this.finish(y, this.settings);
  }

  private images(x: Tensor, depthwise: TensorLike, pointwise: TensorLike): Tensor {
    const { padding, dataFormat } = this.#attrs;
    const flat = this.axes === 1 ? [1] : [];
    const strides = [...flat, ...this.#strides];
    const dilations = [...flat, ...this.#dilations];
    return separable(x, depthwise, pointwise, { strides, dilations, padding, dataFormat });
  }

  /** Sequences are images of height 1. */
  private sequences(x: Tensor, depthwise: Variable, pointwise: Variable): Tensor {
    const axis = this.#attrs.dataFormat === 'NCHW' ? 2 : 1;
    const y = this.images(expandDims(x, axis), expandDims(depthwise, 0), expandDims(pointwise, 0));
    return squeeze(y, { axis: [axis] });
  }
}

/** See `separableConv1d`. */
export class SeparableConv1D extends SeparableConv {
  constructor(filters: number, kernelSize: WindowSize, options: SeparableConvOptions = {}) {
    super('separable_conv1d', 1, filters, kernelSize, options);
  }
}

/** See `separableConv2d`. */
export class SeparableConv2D extends SeparableConv {
  constructor(filters: number, kernelSize: WindowSize, options: SeparableConvOptions = {}) {
    super('separable_conv2d', 2, filters, kernelSize, options);
  }
}

/**
 * activation(separable convolution of the sequences [batch, steps, channels] + bias)
 * (`tf.layers.separable_conv1d`). Variables `depthwise_kernel` [length, channels, depthMultiplier],
 * `pointwise_kernel` [1, channels * depthMultiplier, filters] and `bias` [filters]. Throws
 * `InvalidArgumentError` when the number of channels is not known.
 */
export function separableConv1d(
  inputs: TensorLike,
  filters: number,
  kernelSize: WindowSize,
  options: SeparableConvOptions = {},
): Tensor {
  return new SeparableConv1D(filters, kernelSize, options).apply(inputs);
}

/**
 * As `separableConv1d`, for images [batch, height, width, channels] (`tf.layers.separable_conv2d`). Variables
 * `depthwise_kernel` [height, width, channels, depthMultiplier], `pointwise_kernel` [1, 1, channels *
 * depthMultiplier, filters] and `bias` [filters].
 */
export function separableConv2d(
  inputs: TensorLike,
  filters: number,
  kernelSize: WindowSize,
  options: SeparableConvOptions = {},
): Tensor {
  return new SeparableConv2D(filters, kernelSize, options).apply(inputs);
}
