/** The sizes of a two-dimensional convolution, and how images of both layouts lie in memory. */
import { imageAxes, windowAxes, windowPadding, type Attrs } from '@forerun/graph';

/** One spatial axis. */
export interface ConvAxis {
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
  readonly y: ConvAxis;
  readonly x: ConvAxis;
  readonly channelsFirst: boolean;
}

/** The geometry of a convolution from `input` with `filter` (HWIO) to `output`. */
export function convGeometry(
  attrs: Attrs,
  input: readonly number[],
  filter: readonly number[],
  output: readonly number[],
): ConvGeometry {
  const format = attrs.string('data_format');
  const [h, w] = imageAxes(format);
  const [kh = 0, kw = 0, groupChannels = 0, filters = 0] = filter;
  const axes = windowAxes(attrs, [kh, kw]);
  const spatial = (dimension: number, i: 0 | 1): ConvAxis => {
    const { size: kernel, stride, dilation } = axes[i];
    const [size, count] = [input[dimension] ?? 0, output[dimension] ?? 0];
    const [before] = windowPadding(size, axes[i]);
    const end = (count - 1) * stride + (kernel - 1) * dilation - before;
    return {
      input: size,
      output: count,
      kernel,
      stride,
      dilation,
      before,
      inside: before === 0 && end < size,
    };
  };
  const channels = input[format === 'NCHW' ? 1 : 3] ?? 0;
  return {
    batch: input[0] ?? 0,
    channels,
    filters,
    groups: groupChannels === 0 ? 1 : channels / groupChannels,
    y: spatial(h, 0),
    x: spatial(w, 1),
    channelsFirst: format === 'NCHW',
  };
}

/** Strides, in elements, of an image tensor of the layout. */
export interface ImageStrides {
  readonly image: number;
  readonly y: number;
  readonly x: number;
  readonly channel: number;
}

/** Strides of images of `height` x `width` x `channels`. */
export function imageStrides(
  height: number,
  width: number,
  channels: number,
  channelsFirst: boolean,
): ImageStrides {
  const image = height * width * channels;
  return channelsFirst
    ? { image, y: width, x: 1, channel: height * width }
    : { image, y: width * channels, x: channels, channel: 1 };
}

/** Strides of the input and of the output of a convolution. */
export function inputStrides(g: ConvGeometry): ImageStrides {
  return imageStrides(g.y.input, g.x.input, g.channels, g.channelsFirst);
}

export function outputStrides(g: ConvGeometry): ImageStrides {
  return imageStrides(g.y.output, g.x.output, g.filters, g.channelsFirst);
}
