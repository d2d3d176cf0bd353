/** Float64 references of grey-scale dilation and its gradients: one walk over windows that all share. */
import { sizeOf, type HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

/** What a window of a channel came to: flat numbers of its elements, the winners -1 where it saw nothing. */
interface Window {
  readonly output: number;
  readonly largest: number;
  readonly pixel: number;
  readonly tap: number;
}

const LOWEST: Readonly<Record<string, number>> = {
  float32: -3.4028234663852886e38,
  float16: -65504,
  int8: -128,
  int16: -32768,
  int32: -2147483648,
  int64: -2147483648,
};

function sizes({ attrs, input }: ReferenceContext): { output: number[]; before: number[] } {
  const [x, w] = [input(0).shape, input(1).shape];
  const same = attrs.string('padding') === 'SAME';
  const output = [x[0] ?? 0];
  const before: number[] = [];
  for (const i of [1, 2]) {
    const stride = attrs.ints('strides')[i] ?? 1;
    const extent = ((w[i - 1] ?? 0) - 1) * (attrs.ints('rates')[i] ?? 1) + 1;
    const image = x[i] ?? 0;
    const count = Math.ceil((same ? image : image - extent + 1) / stride);
    output.push(count);
    before.push(same ? Math.floor(Math.max((count - 1) * stride + extent - image, 0) / 2) : 0);
  }
  return { output: [...output, x[3] ?? 0], before };
}

/** Visits the windows of all channels; returns the shape that they make. */
function forEachWindow(c: ReferenceContext, visit: (window: Window) => void): number[] {
  const [x, w] = [c.input(0), c.input(1)];
  const { output, before } = sizes(c);
  const [strides, rates] = [c.attrs.ints('strides'), c.attrs.ints('rates')];
  const [, height = 0, width = 0, channels = 0] = x.shape;
  const [kh = 0, kw = 0] = w.shape;
  for (let number = 0; number < sizeOf(output); number++) {
    const channel = number % channels;
    const ox = Math.floor(number / channels) % (output[2] ?? 1);
    const oy = Math.floor(number / channels / (output[2] ?? 1)) % (output[1] ?? 1);
    const n = Math.floor(number / channels / (output[2] ?? 1) / (output[1] ?? 1));
    let best = { output: number, largest: LOWEST[x.dtype] ?? 0, pixel: -1, tap: -1 };
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        const iy = oy * (strides[1] ?? 1) + ky * (rates[1] ?? 1) - (before[0] ?? 0);
        const ix = ox * (strides[2] ?? 1) + kx * (rates[2] ?? 1) - (before[1] ?? 0);
        if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
        const pixel = ((n * height + iy) * width + ix) * channels + channel;
        const tap = (ky * kw + kx) * channels + channel;
        const sum = (x.data[pixel] ?? NaN) + (w.data[tap] ?? NaN);
        if (sum > best.largest) best = { output: number, largest: sum, pixel, tap };
      }
    }
    visit(best);
  }
  return output;
}

function gathered(c: ReferenceContext, like: 0 | 1): HostValue[] {
  const { dtype, shape } = c.input(like);
  const data = new Float64Array(sizeOf(shape));
  forEachWindow(c, ({ output, pixel, tap }) => {
    const winner = like === 0 ? pixel : tap;
    if (winner >= 0) data[winner] = (data[winner] ?? 0) + (c.input(2).data[output] ?? NaN);
  });
  return [{ dtype, shape, data }];
}

export const DILATION_REFERENCES = {
  Dilation2D: (c) => {
    const largest: number[] = [];
    const shape = forEachWindow(c, (window) => largest.push(window.largest));
    return [{ dtype: c.outputs[0] ?? 'float32', shape, data: Float64Array.from(largest) }];
  },
  Dilation2DBackpropInput: (c) => gathered(c, 0),
  Dilation2DBackpropFilter: (c) => gathered(c, 1),
} satisfies FamilyReferences;
