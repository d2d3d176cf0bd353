/**
 * Float64 references of convolutions. All three ops are the same sum over (output pixel, tap,
 * channel, filter) of a trilinear form; each adds into another of its three tensors.
 */
import { sizeOf, type Attrs, type HostValue } from '@forerun/graph';
import type { FamilyReferences } from '../sample.js';

/** One product of the sum: element numbers in input, filter and output. */
type Visit = (input: number, filter: number, output: number) => void;

interface Layout {
  readonly sizes: readonly [batch: number, height: number, width: number, channels: number];
  at(n: number, y: number, x: number, c: number): number;
}

function imageLayout(shape: readonly number[], format: string): Layout {
  const [d0 = 0, d1 = 0, d2 = 0, d3 = 0] = shape;
  if (format === 'NCHW') {
    return { sizes: [d0, d2, d3, d1], at: (n, y, x, c) => ((n * d1 + c) * d2 + y) * d3 + x };
  }
  return { sizes: [d0, d1, d2, d3], at: (n, y, x, c) => ((n * d1 + y) * d2 + x) * d3 + c };
}

/** Padding before the first element, for an axis given by its position in the data format. */
function paddingBefore(attrs: Attrs, axis: number, input: number, kernel: number): number {
  const [stride = 1, dilation = 1] = [attrs.ints('strides')[axis], attrs.ints('dilations')[axis]];
  if (attrs.string('padding') === 'EXPLICIT') return attrs.ints('explicit_paddings')[2 * axis] ?? 0;
  if (attrs.string('padding') === 'VALID') return 0;
  const needed = (Math.ceil(input / stride) - 1) * stride + (kernel - 1) * dilation + 1 - input;
  return Math.floor(Math.max(needed, 0) / 2);
}

/** Visits every product of a convolution of the given shapes. */
function forEachProduct(
  attrs: Attrs,
  [inputShape, filterShape, outputShape]: readonly [readonly number[], readonly number[], readonly number[]],
  visit: Visit,
): void {
  const format = attrs.string('data_format');
  const [input, output] = [imageLayout(inputShape, format), imageLayout(outputShape, format)];
  const [kh = 0, kw = 0, depth = 0, filters = 0] = filterShape;
  const [axisY, axisX] = format === 'NCHW' ? [2, 3] : [1, 2];
  const [strides, dilations] = [attrs.ints('strides'), attrs.ints('dilations')];
  const top = paddingBefore(attrs, axisY, input.sizes[1], kh);
  const left = paddingBefore(attrs, axisX, input.sizes[2], kw);
  const filtersPerGroup = filters / Math.max(input.sizes[3] / Math.max(depth, 1), 1);
  const [batch, height, width] = output.sizes;
  for (let index = 0; index < batch * height * width * kh * kw; index++) {
    const kx = index % kw;
    const ky = Math.floor(index / kw) % kh;
    const ox = Math.floor(index / (kw * kh)) % width;
    const oy = Math.floor(index / (kw * kh * width)) % height;
    const n = Math.floor(index / (kw * kh * width * height));
    const iy = oy * (strides[axisY] ?? 1) + ky * (dilations[axisY] ?? 1) - top;
    const ix = ox * (strides[axisX] ?? 1) + kx * (dilations[axisX] ?? 1) - left;
    if (iy < 0 || ix < 0 || iy >= input.sizes[1] || ix >= input.sizes[2]) continue;
    for (let f = 0; f < filters; f++) {
      const first = Math.floor(f / filtersPerGroup) * depth;
      for (let d = 0; d < depth; d++) {
        visit(
          input.at(n, iy, ix, first + d),
          ((ky * kw + kx) * depth + d) * filters + f,
          output.at(n, oy, ox, f),
        );
      }
    }
  }
}

/** The shape in an integer tensor. */
function shapeIn(value: HostValue): number[] {
  return Array.from(value.data);
}

function outputSize(attrs: Attrs, axis: number, input: number, kernel: number): number {
  const [stride = 1, dilation = 1] = [attrs.ints('strides')[axis], attrs.ints('dilations')[axis]];
  const explicit = attrs.ints('explicit_paddings');
  const room = input + (explicit[2 * axis] ?? 0) + (explicit[2 * axis + 1] ?? 0) - (kernel - 1) * dilation;
  return Math.ceil((attrs.string('padding') === 'SAME' ? input : room) / stride);
}

export const CONV_REFERENCES = {
  Conv2D: ({ attrs, input, outputs: [dtype = 'float32'] }) => {
    const [x, w] = [input(0), input(1)];
    const nchw = attrs.string('data_format') === 'NCHW';
    const [h, v] = nchw ? [2, 3] : [1, 2];
    const oh = outputSize(attrs, h, x.shape[h] ?? 0, w.shape[0] ?? 0);
    const ow = outputSize(attrs, v, x.shape[v] ?? 0, w.shape[1] ?? 0);
    const [n = 0, filters = 0] = [x.shape[0], w.shape[3]];
    const shape = nchw ? [n, filters, oh, ow] : [n, oh, ow, filters];
    const data = new Float64Array(sizeOf(shape));
    forEachProduct(attrs, [x.shape, w.shape, shape], (i, f, o) => {
      data[o] = (data[o] ?? 0) + (x.data[i] ?? 0) * (w.data[f] ?? 0);
    });
    return [{ dtype, shape, data }];
  },

  Conv2DBackpropInput: ({ attrs, input, outputs: [dtype = 'float32'] }) => {
    const [shape, w, dy] = [shapeIn(input(0)), input(1), input(2)];
    const data = new Float64Array(sizeOf(shape));
    forEachProduct(attrs, [shape, w.shape, dy.shape], (i, f, o) => {
      data[i] = (data[i] ?? 0) + (dy.data[o] ?? 0) * (w.data[f] ?? 0);
    });
    return [{ dtype, shape, data }];
  },

  Conv2DBackpropFilter: ({ attrs, input, outputs: [dtype = 'float32'] }) => {
    const [x, shape, dy] = [input(0), shapeIn(input(1)), input(2)];
    const data = new Float64Array(sizeOf(shape));
    forEachProduct(attrs, [x.shape, shape, dy.shape], (i, f, o) => {
      data[f] = (data[f] ?? 0) + (x.data[i] ?? 0) * (dy.data[o] ?? 0);
    });
    return [{ dtype, shape, data }];
  },
} satisfies FamilyReferences;
