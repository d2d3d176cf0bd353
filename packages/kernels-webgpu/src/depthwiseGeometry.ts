/** Sizes and addresses of depthwise convolutions, and loops over the taps that see a pixel. */
import {
  convGeometry,
  imageStrides,
  type ConvAxis,
  type ConvGeometry,
  type ImageStrides,
} from './contraction/geometry.js';
import { sum, times } from './contraction/contraction.js';
import type { KernelContext } from './kernel.js';
import type { Width } from './wgsl/dtype.js';

/** The sizes of a depthwise convolution: a convolution with as many groups as channels. */
export interface Depthwise {
  readonly g: ConvGeometry;
  readonly y: ConvAxis;
  readonly x: ConvAxis;
  /** Filters per channel. */
  readonly multiplier: number;
  /** Channels that are taken at a time. */
  readonly width: Width;
}

export function depthwise(
  c: KernelContext,
  input: readonly number[],
  [kh = 0, kw = 0, channels = 0, multiplier = 0]: readonly number[],
  output: readonly number[],
): Depthwise {
  const g = convGeometry(c.attrs, input, [kh, kw, 1, channels * multiplier], output);
  const [y] = g.outer;
  if (y === undefined) throw new RangeError('a depthwise convolution has two image axes');
  const width: Width = !g.channelsFirst && multiplier === 1 && channels % 4 === 0 ? 4 : 1;
  return { g, y, x: g.x, multiplier, width };
}

/** Strides of images of the input's or the output's size, in units of the width. */
export function layout({ g, width }: Depthwise, of: 'input' | 'output'): ImageStrides {
  const channels = of === 'input' ? g.channels : g.filters;
  const s = imageStrides(
    g.axes,
    g.axes.map((axis) => axis[of]),
    channels,
    g.channelsFirst,
  );
  if (width === 1) return s;
  const along = Object.fromEntries(Object.entries(s.along).map(([name, stride]) => [name, stride / width]));
  return { image: s.image / width, along, channel: 1 };
}

export function at(strides: ImageStrides, n: string, channel: string, y: string): string {
  return sum(times(n, strides.image), times(channel, strides.channel), times(y, strides.along.y ?? 0));
}

/** Splits `item` into `n`, `channel`, `y` and `block` so that neighbours lie side by side in memory. */
export function splitItem(d: Depthwise, channels: number, rows: number, blocks: number): string {
  const order: readonly (readonly [string, number])[] = d.g.channelsFirst
    ? [
        ['block', blocks],
        ['y', rows],
        ['channel', channels],
      ]
    : [
        ['channel', channels],
        ['block', blocks],
        ['y', rows],
      ];
  let below = 1;
  const lines = order.map(([name, size]) => {
    const line = `let ${name} = item / ${below}u % ${size}u;`;
    below *= size;
    return line;
  });
  return [...lines, `let n = item / ${below}u;`].join('\n');
}

/** Opens the loop over the taps of an axis that see pixel `position`, and the test whether there is a window. */
export function overTaps(name: string, position: string, axis: ConvAxis): string {
  const { stride, dilation, kernel, before, output } = axis;
  // Without dilation the taps that fit the stride are `stride` apart; with it each is tested.
  const [first, step] = dilation === 1 ? [`(${position} + ${before}u) % ${stride}u`, stride] : ['0u', 1];
  const fits = dilation === 1 ? '' : ` && raw_${name} % ${stride}u == 0u`;
  return `for (var tap_${name} = ${first}; tap_${name} < ${kernel}u; tap_${name} += ${step}u) {
let raw_${name} = ${position} + ${before}u - tap_${name} * ${dilation}u;
let at_${name} = raw_${name} / ${stride}u;
if (raw_${name} <= ${Math.max(output - 1, 0) * stride}u && at_${name} < ${output}u${fits}) {`;
}
