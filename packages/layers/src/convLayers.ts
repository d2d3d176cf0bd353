/** Layers that convolve sequences and volumes, and the transposed convolutions. */
import {
  InvalidArgumentError,
  biasAdd,
  convertToTensor,
  conv2dTranspose as transpose2d,
  conv3dTranspose as transpose3d,
  convolution,
  shape,
  slice,
  stack,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { imageAttrs, type ImageAttrs, type ImageOptions } from './imageLayers.js';
import { zerosInitializer } from './initializers.js';
import { Layer, type LayerOptions, type WeightOptions } from './layer.js';

/** One number for all axes of a window, or one per axis. */
export type WindowSize = number | readonly number[];

export interface ConvLayerOptions extends LayerOptions, WeightOptions, ImageOptions {
  /** Default 1. */
  readonly strides?: WindowSize | undefined;
  /** Distance between neighbouring taps of the filter; default 1. */
  readonly dilationRate?: WindowSize | undefined;
}

export type ConvTransposeLayerOptions = Omit<ConvLayerOptions, 'dilationRate'>;

/** `size` with one number per axis. Throws `InvalidArgumentError` for lists of another length. */
export function perAxis(layer: string, name: string, size: WindowSize, axes: number): number[] {
  const list = typeof size === 'number' ? new Array<number>(axes).fill(size) : [...size];
  if (list.length === axes && list.every((n) => Number.isInteger(n) && n >= 1)) return list;
  const given = typeof size === 'number' ? String(size) : `[${size.join(',')}]`;
  throw new InvalidArgumentError(
    `${layer}: ${name} must be ${axes === 1 ? 'a positive integer' : `1 or ${axes} positive integers`}, got ${given}`,
  );
}

/** Throws `InvalidArgumentError` unless `filters` counts something. */
export function checkFilters(layer: string, filters: number): void {
  if (Number.isInteger(filters) && filters >= 1) return;
  throw new InvalidArgumentError(`${layer}: filters must be a positive integer, got ${filters}`);
}

/** What the layers over any number of axes have in common: a kernel, a bias, and how they lie. */
abstract class ConvLayer extends Layer {
  protected kernel: Variable | null = null;
  #bias: Variable | null = null;
  protected readonly attrs: ImageAttrs;
  protected readonly window: readonly number[];
  protected readonly strides: readonly number[];

  protected constructor(
    kind: string,
    protected readonly axes: 1 | 2 | 3,
    readonly filters: number,
    kernelSize: WindowSize,
    private readonly settings: ConvLayerOptions,
  ) {
    super(kind, settings);
    this.attrs = imageAttrs(kind, settings);
    this.window = perAxis(kind, 'kernelSize', kernelSize, axes);
    this.strides = perAxis(kind, 'strides', settings.strides ?? 1, axes);
    checkFilters(kind, filters);
  }

  /** Dimensions of the kernel after the window. */
  protected abstract kernelChannels(channels: number): readonly [number, number];

  protected abstract convolve(x: Tensor, kernel: Variable): Tensor;

  protected override build(inputs: TensorShape): void {
    const { useBias = true, biasInitializer = zerosInitializer(), ...settings } = this.settings;
    this.requireRank(inputs, this.axes + 2);
    const channels = this.requireDim(inputs, this.attrs.channelAxis, 'the number of channels');
    this.kernel = this.addWeight('kernel', [...this.window, ...this.kernelChannels(channels)], {
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
    if (this.kernel === null) throw new InvalidArgumentError(`${this.kind}: the layer is not built`);
    const product = this.convolve(x, this.kernel);
    const { dataFormat } = this.attrs;
    const y = this.#bias === null ? product : biasAdd(product, this.#bias, { dataFormat });
    return this.finish(y, this.settings);
  }
}

/** Convolutions over one or three axes. */
abstract class PlainConv extends ConvLayer {
  readonly #dilationRate: readonly number[];

  protected constructor(
    kind: string,
    axes: 1 | 3,
    filters: number,
    size: WindowSize,
    options: ConvLayerOptions,
  ) {
    super(kind, axes, filters, size, options);
    this.#dilationRate = perAxis(kind, 'dilationRate', options.dilationRate ?? 1, axes);
  }

  protected override kernelChannels(channels: number): [number, number] {
    return [channels, this.filters];
  }

  protected override convolve(x: Tensor, kernel: Variable): Tensor {
    const { padding, dataFormat } = this.attrs;
    return convolution(x, kernel, {
      padding,
      dataFormat,
      strides: this.strides,
      dilationRate: this.#dilationRate,
      name: this.axes === 1 ? 'conv1d' : 'Conv3D',
    });
  }
}

/** See `conv1d`. */
export class Conv1D extends PlainConv {
  constructor(filters: number, kernelSize: WindowSize, options: ConvLayerOptions = {}) {
    super('conv1d', 1, filters, kernelSize, options);
  }
}

/** See `conv3d`. */
export class Conv3D extends PlainConv {
  constructor(filters: number, kernelSize: WindowSize, options: ConvLayerOptions = {}) {
    super('conv3d', 3, filters, kernelSize, options);
  }
}

/**
 * activation(convolution of the sequences [batch, steps, channels] with `filters` filters of length
 * `kernelSize` + bias) (`tf.layers.conv1d`). Variables `kernel` [length, channels, filters] and `bias`
 * [filters]. Throws `InvalidArgumentError` when the number of channels is not known.
 */
export function conv1d(
  inputs: TensorLike,
  filters: number,
  kernelSize: WindowSize,
  options: ConvLayerOptions = {},
): Tensor {
  return new Conv1D(filters, kernelSize, options).apply(inputs);
}

/**
 * As `conv1d`, for volumes [batch, depth, height, width, channels] (`tf.layers.conv3d`). Variables
 * `kernel` [depth, height, width, channels, filters] and `bias` [filters].
 */
export function conv3d(
  inputs: TensorLike,
  filters: number,
  kernelSize: WindowSize,
  options: ConvLayerOptions = {},
): Tensor {
  return new Conv3D(filters, kernelSize, options).apply(inputs);
}

/** Transposed convolutions over two or three axes. */
abstract class TransposedConv extends ConvLayer {
  protected override kernelChannels(channels: number): [number, number] {
    return [this.filters, channels];
  }

  protected override convolve(x: Tensor, kernel: Variable): Tensor {
    const { padding, dataFormat } = this.attrs;
    const options = { strides: this.strides, padding };
    const sizes = this.outputShape(x);
    if (this.axes === 2) return transpose2d(x, kernel, sizes, { ...options, dataFormat });
    const volumes = dataFormat === 'NCHW' ? 'NCDHW' : 'NDHWC';
    return transpose3d(x, kernel, sizes, { ...options, dataFormat: volumes });
  }

  /** The smallest shape whose convolution covers that of `x`; a vector, of numbers where they are known. */
  private outputShape(x: Tensor): TensorLike {
    const first = this.attrs.dataFormat === 'NCHW' ? 2 : 1;
    const grown = (length: number, i: number): number => this.grown(length, i);
    if (x.shape.isFullyDefined) {
      const [batch = 0, ...rest] = x.shape.toStatic();
      const image = rest.slice(first - 1, first - 1 + this.axes).map(grown);
      return first === 1 ? [batch, ...image, this.filters] : [batch, this.filters, ...image];
    }
    const dynamic = shape(x);
    const dim = (axis: number): Tensor => slice(dynamic, [axis], [1]).reshape([]);
    const sizes = Array.from({ length: this.axes }, (_, i) => {
      const known = x.shape.dims?.[first + i] ?? null;
      if (known !== null) return grown(known, i);
      const [stride, more] = [this.strides[i] ?? 1, grown(0, i)];
      const scaled = dim(first + i).mul(stride);
      return more === 0 ? scaled : scaled.add(more);
    });
    const batch = x.shape.dims?.[0] ?? dim(0);
    const all: TensorLike[] = first === 1 ? [batch, ...sizes, this.filters] : [batch, this.filters, ...sizes];
    return stack(
      all.map((size) => (typeof size === 'number' ? convertToTensor(size, { dtype: 'int32' }) : size)),
    );
  }

  /** Length of the output along axis `i` for inputs of `length`. */
  private grown(length: number, i: number): number {
    const [stride, window] = [this.strides[i] ?? 1, this.window[i] ?? 1];
    return length * stride + (this.attrs.padding === 'SAME' ? 0 : Math.max(window - stride, 0));
  }
}

/** See `conv2dTranspose`. */
export class Conv2DTranspose extends TransposedConv {
  constructor(filters: number, kernelSize: WindowSize, options: ConvTransposeLayerOptions = {}) {
    super('conv2d_transpose', 2, filters, kernelSize, options);
  }
}

/** See `conv3dTranspose`. */
export class Conv3DTranspose extends TransposedConv {
  constructor(filters: number, kernelSize: WindowSize, options: ConvTransposeLayerOptions = {}) {
    super('conv3d_transpose', 3, filters, kernelSize, options);
  }
}

/**
 * activation(transposed convolution of the images + bias) (`tf.layers.conv2d_transpose`): enlarges height
 * and width by `strides`, and with `valid` padding by what of the kernel exceeds them. Variables `kernel`
 * [height, width, filters, channels] and `bias` [filters].
 */
export function conv2dTranspose(
  inputs: TensorLike,
  filters: number,
  kernelSize: WindowSize,
  options: ConvTransposeLayerOptions = {},
): Tensor {
  return new Conv2DTranspose(filters, kernelSize, options).apply(inputs);
}

/**
 * As `conv2dTranspose`, for volumes [batch, depth, height, width, channels]
 * (`tf.layers.conv3d_transpose`). Variables `kernel` [depth, height, width, filters, channels] and `bias`.
 */
export function conv3dTranspose(
  inputs: TensorLike,
  filters: number,
  kernelSize: WindowSize,
  options: ConvTransposeLayerOptions = {},
): Tensor {
  return new Conv3DTranspose(filters, kernelSize, options).apply(inputs);
}
