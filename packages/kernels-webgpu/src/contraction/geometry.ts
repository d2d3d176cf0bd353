/** The sizes of a convolution of images or volumes, and how both layouts lie in memory. */
import { spatialAxes, windowAxes, windowPadding, type Attrs } from '@forerun/graph';

/** One image axis. */
export interface ConvAxis {
  /** `z`, `y` or `x`; WGSL variables of the axis are called after it. */
  readonly name: string;
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Elements of padding before the image. */
  readonly before: number;
  /** No window reaches outside the image. */
  readonly inside: boolean;
}

export interface ConvGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  /** Channels and filters are divided among as many independent convolutions. */
  readonly groups: number;
  /** All image axes, the slowest first: `z` (of volumes), `y`, `x`. */
  readonly axes: readonly ConvAxis[];
  /** The last axis: along lines. */
  readonly x: ConvAxis;
  /** All axes but `x`. */
  readonly outer: readonly ConvAxis[];
  readonly channelsFirst: boolean;
}

/** The geometry of a convolution from `input` with `filter` (channels last) to `output`. */
export function convGeometry(
  attrs: Attrs,
  input: readonly number[],
  filter: readonly number[],
  output: readonly number[],
): ConvGeometry {
  const format = attrs.string('data_format');
  const dimensions = spatialAxes(format);
  const channels = input[format.indexOf('C')] ?? 0;
  const [groupChannels = 0, filters = 0] = filter.slice(-2);
  const axes = windowAxes(attrs, filter.slice(0, -2)).map((window, i): ConvAxis => {
    const { size: kernel, stride, dilation } = window;
    const [size, count] = [input[dimensions[i] ?? 0] ?? 0, output[dimensions[i] ?? 0] ?? 0];
    const [before] = windowPadding(size, window);
    const end = (count - 1) * stride + (kernel - 1) * dilation - before;
    return {
      name: 'zyx'.charAt(3 - dimensions.length + i),
      input: size,
      output: count,
      kernel,
      stride,
      dilation,
      before,
      inside: before === 0 && end < size,
    };
  });
  const x = axes.at(-1);
  if (x === undefined) throw new RangeError(`a filter of shape [${filter.join(',')}] has no image axes`);
  return {
    batch: input[0] ?? 0,
    channels,
    filters,
    groups: groupChannels === 0 ? 1 : channels / groupChannels,
    axes,
    x,
    outer: axes.slice(0, -1),
    channelsFirst: format.indexOf('C') === 1,
  };
}

/** Strides, in elements, of an image tensor of the layout. */
export interface ImageStrides {
  readonly image: number;
  /** Of each image axis, by its name. */
  readonly along: Readonly<Record<string, number>>;
  readonly channel: number;
}

/**
 * Strides of images of `sizes` (by axis, the slowest first) with `channels` channels. An axis of one pixel has none where
 * channels come first: of images of one pixel the channels lie side by side and are read in vectors.
 */
export function imageStrides(
  axes: readonly ConvAxis[],
  sizes: readonly number[],
  channels: number,
  channelsFirst: boolean,
): ImageStrides {
  const along: Record<string, number> = {};
  let stride = channelsFirst ? 1 : channels;
  for (let i = axes.length - 1; i >= 0; i--) {
    along[axes[i]?.name ?? ''] = channelsFirst && sizes[i] === 1 ? 0 : stride;
    stride *= sizes[i] ?? 1;
  }
  return channelsFirst
    ? { image: stride * channels, along, channel: stride }
    : { image: stride, along, channel: 1 };
}

/** Strides of the input and of the output of a convolution. */
export function inputStrides(g: ConvGeometry): ImageStrides {
  return imageStrides(
    g.axes,
    g.axes.map((axis) => axis.input),
    g.channels,
    g.channelsFirst,
  );
}

export function outputStrides(g: ConvGeometry): ImageStrides {
  return imageStrides(
    g.axes,
    g.axes.map((axis) => axis.output),
    g.filters,
    g.channelsFirst,
  );
}

/** Product of `size` over the axes. */
export function product(axes: readonly ConvAxis[], size: (axis: ConvAxis) => number): number {
  return axes.reduce((total, axis) => total * size(axis), 1);
}
