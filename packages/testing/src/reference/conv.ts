/**
 * Float64 references of convolutions. The three ops of a family are the same sum over (output pixel,
 * tap, channel, filter) of a trilinear form; each adds into another of its three tensors.
 */
import { sizeOf, type Attrs, type HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { DILATION_REFERENCES } from './dilation.js';
import { withSteps } from './fused.js';

/** One product of the sum: element numbers in input, filter and output. */
type Visit = (input: number, filter: number, output: number) => void;

/** Images or volumes of a data format, by position: `at(n, spatial, channel)`. */
interface Layout {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: readonly number[];
  at(n: number, position: readonly number[], channel: number): number;
}

function layoutOf(shape: readonly number[], format: string): Layout {
  const channelsFirst = format.startsWith('NC');
  const spatial = channelsFirst ? shape.slice(2) : shape.slice(1, -1);
  const channels = shape[channelsFirst ? 1 : shape.length - 1] ?? 0;
  const pixels = sizeOf(spatial);
  return {
    batch: shape[0] ?? 0,
    channels,
    spatial,
    at: (n, position, channel) => {
      const pixel = position.reduce((index, p, i) => index * (spatial[i] ?? 0) + p, 0);
      return channelsFirst
        ? (n * channels + channel) * pixels + pixel
        : (n * pixels + pixel) * channels + channel;
    },
  };
}

/** The numbers of an attribute that belong to the image axes. */
function spatialNumbers(attrs: Attrs, name: string): number[] {
  const list = attrs.ints(name);
  return attrs.string('data_format').startsWith('NC') ? list.slice(2) : list.slice(1, -1);
}

/** Padding before and after each image axis, where it is given explicitly. */
function explicitPadding(attrs: Attrs): number[] | null {
  if (attrs.string('padding') !== 'EXPLICIT') return null;
  const all = attrs.ints('explicit_paddings');
  return attrs.string('data_format').startsWith('NC') ? all.slice(4) : all.slice(2, -2);
}

/** Padding before the first element of image axis `i`. */
function paddingBefore(attrs: Attrs, i: number, input: number, kernel: number): number {
  const explicit = explicitPadding(attrs);
  if (explicit !== null) return explicit[2 * i] ?? 0;
  if (attrs.string('padding') === 'VALID') return 0;
  const stride = spatialNumbers(attrs, 'strides')[i] ?? 1;
  const dilation = spatialNumbers(attrs, 'dilations')[i] ?? 1;
  const needed = (Math.ceil(input / stride) - 1) * stride + (kernel - 1) * dilation + 1 - input;
  return Math.floor(Math.max(needed, 0) / 2);
}

/** All positions in a box of `sizes`, in row-major order. */
function positions(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])),
    [[]],
  );
}

/** Visits every product of a convolution of the given shapes. */
function forEachProduct(
  attrs: Attrs,
  [inputShape, filterShape, outputShape]: readonly [readonly number[], readonly number[], readonly number[]],
  depthwise: boolean,
  visit: Visit,
): void {
  const format = attrs.string('data_format');
  const [input, output] = [layoutOf(inputShape, format), layoutOf(outputShape, format)];
  const kernel = filterShape.slice(0, -2);
  const [filterDepth = 0, filters = 0] = filterShape.slice(-2);
  const [strides, dilations] = [spatialNumbers(attrs, 'strides'), spatialNumbers(attrs, 'dilations')];
  const before = kernel.map((size, i) => paddingBefore(attrs, i, input.spatial[i] ?? 0, size));
  const taps = positions(kernel);
  for (const pixel of positions(output.spatial)) {
    taps.forEach((tap, number) => {
      const seen = pixel.map(
        (p, i) => p * (strides[i] ?? 1) + (tap[i] ?? 0) * (dilations[i] ?? 1) - (before[i] ?? 0),
      );
      if (seen.some((p, i) => p < 0 || p >= (input.spatial[i] ?? 0))) return;
      for (let n = 0; n < input.batch; n++) {
        const [from, to] = [input.at(n, seen, 0), output.at(n, pixel, 0)];
        const [fromStep, toStep] = [input.at(n, seen, 1) - from, output.at(n, pixel, 1) - to];
        const perGroup = (filters * filterDepth) / Math.max(input.channels, 1);
        for (let d = 0; d < filterDepth; d++) {
          for (let f = 0; f < filters; f++) {
            const weight = (number * filterDepth + d) * filters + f;
            // Depthwise, filter (d, f) sees channel d and gives channel d * filters + f.
            const channel = depthwise ? d : Math.floor(f / perGroup) * filterDepth + d;
            const result = depthwise ? d * filters + f : f;
            visit(from + channel * fromStep, weight, to + result * toStep);
          }
        }
      }
    });
  }
}

function outputSize(attrs: Attrs, i: number, input: number, kernel: number): number {
  const stride = spatialNumbers(attrs, 'strides')[i] ?? 1;
  const dilation = spatialNumbers(attrs, 'dilations')[i] ?? 1;
  const [before = 0, after = 0] = explicitPadding(attrs)?.slice(2 * i) ?? [];
  const room = input + before + after - (kernel - 1) * dilation;
  return Math.ceil((attrs.string('padding') === 'SAME' ? input : room) / stride);
}

function outputShape(
  attrs: Attrs,
  input: readonly number[],
  filter: readonly number[],
  depthwise: boolean,
): number[] {
  const { batch, spatial } = layoutOf(input, attrs.string('data_format'));
  const [filterDepth = 0, filters = 0] = filter.slice(-2);
  const sizes = spatial.map((size, i) => outputSize(attrs, i, size, filter[i] ?? 0));
  const channels = depthwise ? filterDepth * filters : filters;
  return attrs.string('data_format').startsWith('NC')
    ? [batch, channels, ...sizes]
    : [batch, ...sizes, channels];
}

function add(data: Float64Array, index: number, value: number): void {
  data[index] = (data[index] ?? 0) + value;
}

function result(c: ReferenceContext, shape: readonly number[], data: Float64Array): HostValue[] {
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data }];
}

function forward(depthwise: boolean): Reference {
  return (c) => {
    const [x, w] = [c.input(0), c.input(1)];
    const shape = outputShape(c.attrs, x.shape, w.shape, depthwise);
    const data = new Float64Array(sizeOf(shape));
    forEachProduct(c.attrs, [x.shape, w.shape, shape], depthwise, (i, f, o) => {
      add(data, o, (x.data[i] ?? NaN) * (w.data[f] ?? NaN));
    });
    return result(c, shape, data);
  };
}

function backpropInput(depthwise: boolean): Reference {
  return (c) => {
    const [shape, w, dy] = [Array.from(c.input(0).data), c.input(1), c.input(2)];
    const data = new Float64Array(sizeOf(shape));
    forEachProduct(c.attrs, [shape, w.shape, dy.shape], depthwise, (i, f, o) => {
      add(data, i, (dy.data[o] ?? NaN) * (w.data[f] ?? NaN));
    });
    return result(c, shape, data);
  };
}

function backpropFilter(depthwise: boolean): Reference {
  return (c) => {
    const [x, shape, dy] = [c.input(0), Array.from(c.input(1).data), c.input(2)];
    const data = new Float64Array(sizeOf(shape));
    forEachProduct(c.attrs, [x.shape, shape, dy.shape], depthwise, (i, f, o) => {
      add(data, f, (x.data[i] ?? NaN) * (dy.data[o] ?? NaN));
    });
    return result(c, shape, data);
  };
}

export const CONV_REFERENCES = {
  ...DILATION_REFERENCES,
  Conv2D: forward(false),
  _FusedConv2D: withSteps(forward(false)),
  FusedDepthwiseConv2dNative: withSteps(forward(true)),
  _FusedDepthwiseConv2dNative: withSteps(forward(true)),
  Conv2DBackpropInput: backpropInput(false),
  Conv2DBackpropFilter: backpropFilter(false),
  Conv3D: forward(false),
  Conv3DBackpropInputV2: backpropInput(false),
  Conv3DBackpropFilterV2: backpropFilter(false),
  DepthwiseConv2dNative: forward(true),
  DepthwiseConv2dNativeBackpropInput: backpropInput(true),
  DepthwiseConv2dNativeBackpropFilter: backpropFilter(true),
} satisfies FamilyReferences;
