/** Variations of depthwise convolutions, convolutions of volumes and dilations. */
import type { OpName } from '@forerun/graph';
import { vector, type Draw, type Generator, type Variation } from './draw.js';

const LOOSE = { rtol: 2e-5, atol: 2e-5 };

interface Side {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: readonly [before: number, after: number];
  readonly input: number;
  readonly output: number;
}

/** One image axis: any window that fits. */
function side(d: Draw, padding: string, largest: number): Side {
  const [kernel, stride, dilation] = [d.integer(1, largest), d.integer(1, 3), d.pick([1, 1, 2, 3])];
  const extent = (kernel - 1) * dilation + 1;
  const explicit = padding === 'EXPLICIT';
  const [before, after] = explicit ? [d.integer(0, 3), d.integer(0, 3)] : [0, 0];
  const least = padding === 'SAME' ? 1 : Math.max(1, extent - before - after);
  const input = least + d.integer(0, 5);
  const room = padding === 'SAME' ? input : input + before + after - extent + 1;
  return { kernel, stride, dilation, padding: [before, after], input, output: Math.ceil(room / stride) };
}

interface Windows {
  readonly attrs: Record<string, string | readonly number[]>;
  readonly input: number[];
  readonly filter: number[];
  readonly output: number[];
}

/** A convolution over `axes` axes, one filter bank per channel if `depthwise`. */
function windows(d: Draw, axes: 2 | 3, depthwise: boolean): Windows {
  const first = d.chance(0.4);
  const padding = d.pick(axes === 2 ? ['SAME', 'VALID', 'EXPLICIT'] : ['SAME', 'VALID']);
  const sides = Array.from({ length: axes }, () => side(d, padding, axes === 2 ? 5 : 3));
  const [batch, filters] = [d.integer(d.chance(0.1) ? 0 : 1, 2), d.pick([1, 2, 3, 4])];
  const groups = depthwise ? 1 : d.pick([1, 1, 2]);
  const depth = d.pick([1, 2, 3, 4, 8]);
  const laidOut = <T>(n: T, image: readonly T[], c: T): T[] => (first ? [n, c, ...image] : [n, ...image, c]);
  const format = first ? (axes === 2 ? 'NCHW' : 'NCDHW') : axes === 2 ? 'NHWC' : 'NDHWC';
  const pairs = sides.map((s) => s.padding);
  const explicit = padding === 'EXPLICIT' ? { explicit_paddings: laidOut([0, 0], pairs, [0, 0]).flat() } : {};
  const of = (name: 'input' | 'output' | 'stride' | 'dilation'): number[] => sides.map((s) => s[name]);
  return {
    attrs: {
      strides: laidOut(1, of('stride'), 1),
      dilations: laidOut(1, of('dilation'), 1),
      padding,
      data_format: format,
      ...explicit,
    },
    input: laidOut(batch, of('input'), depth * groups),
    filter: [...sides.map((s) => s.kernel), depth, filters * groups],
    output: laidOut(batch, of('output'), depthwise ? depth * filters : filters * groups),
  };
}

function convolution(
  axes: 2 | 3,
  depthwise: boolean,
  inputs: (d: Draw, w: Windows) => Variation['inputs'],
): Generator {
  return (d) => {
    const w = windows(d, axes, depthwise);
    return { inputs: inputs(d, w), attrs: w.attrs, gradient: true, tolerance: LOOSE };
  };
}

type Inputs = (d: Draw, w: Windows) => Variation['inputs'];
const forward: Inputs = (d, w) => [d.floats(w.input), d.floats(w.filter)];
const toInput: Inputs = (d, w) => [vector(w.input), d.floats(w.filter), d.floats(w.output)];
const toFilter: Inputs = (d, w) => [d.floats(w.input), vector(w.filter), d.floats(w.output)];

/** Values only: random sums may come too close to each other for finite differences. */
function dilation(backprop: boolean): Generator {
  return (d) => {
    const padding = d.pick(['SAME', 'VALID']);
    const [y, x] = [side(d, padding, 4), side(d, padding, 4)];
    const [batch, channels] = [d.integer(1, 2), d.pick([1, 2, 3, 4])];
    const inputs = [d.floats([batch, y.input, x.input, channels]), d.floats([y.kernel, x.kernel, channels])];
    const attrs = { padding, strides: [1, y.stride, x.stride, 1], rates: [1, y.dilation, x.dilation, 1] };
    const gradient = d.floats([batch, y.output, x.output, channels]);
    return { inputs: backprop ? [...inputs, gradient] : inputs, attrs, tolerance: LOOSE };
  };
}

export const CONVOLUTION_VARIATIONS: Partial<Record<OpName, Generator>> = {
  DepthwiseConv2dNative: convolution(2, true, forward),
  DepthwiseConv2dNativeBackpropInput: convolution(2, true, toInput),
  DepthwiseConv2dNativeBackpropFilter: convolution(2, true, toFilter),
  Conv3D: convolution(3, false, forward),
  Conv3DBackpropInputV2: convolution(3, false, toInput),
  Conv3DBackpropFilterV2: convolution(3, false, toFilter),
  Dilation2D: dilation(false),
  Dilation2DBackpropInput: dilation(true),
  Dilation2DBackpropFilter: dilation(true),
};
