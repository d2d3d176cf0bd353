/** Variations of convolutions, pooling, biases, softmax and cross-entropies. */
import type { DType, OpName } from '@forerun/graph';
import { scalar, vector, type Draw, type Generator, type Variation } from './draw.js';

const LOOSE = { rtol: 2e-5, atol: 2e-5 };

/** A list of four in the layout of the data format. */
function laidOut<T>(nchw: boolean, n: T, h: T, w: T, c: T): T[] {
  return nchw ? [n, c, h, w] : [n, h, w, c];
}

interface Windows {
  readonly attrs: Record<string, string | readonly number[]>;
  readonly input: number[];
  readonly filter: number[];
  readonly output: number[];
}

function windows(d: Draw): Windows {
  const nchw = d.chance(0.35);
  const padding = d.pick(['SAME', 'VALID', 'EXPLICIT']);
  const side = () => {
    const [kernel, stride, dilation] = [d.integer(1, 5), d.integer(1, 3), d.pick([1, 1, 2, 3])];
    const extent = (kernel - 1) * dilation + 1;
    const before = padding === 'EXPLICIT' ? d.integer(0, 3) : 0;
    const after = padding === 'EXPLICIT' ? d.integer(0, 3) : 0;
    const least = padding === 'SAME' ? 1 : Math.max(1, extent - before - after);
    const input = least + d.integer(0, 6);
    const output =
      padding === 'SAME'
        ? Math.ceil(input / stride)
        : Math.ceil((input + before + after - extent + 1) / stride);
    return { kernel, stride, dilation, before, after, input, output };
  };
  const [y, x] = [side(), side()];
  const [batch, depth, filters] = [
    d.integer(d.chance(0.05) ? 0 : 1, 3),
    d.pick([1, 2, 3, 4, 5, 8]),
    d.pick([1, 2, 3, 4, 7, 8]),
  ];
  const explicit = laidOut(nchw, [0, 0], [y.before, y.after], [x.before, x.after], [0, 0]).flat();
  return {
    attrs: {
      strides: laidOut(nchw, 1, y.stride, x.stride, 1),
      dilations: laidOut(nchw, 1, y.dilation, x.dilation, 1),
      padding,
      explicit_paddings: padding === 'EXPLICIT' ? explicit : [],
      data_format: nchw ? 'NCHW' : 'NHWC',
    },
    input: laidOut(nchw, batch, y.input, x.input, depth),
    filter: [y.kernel, x.kernel, depth, filters],
    output: laidOut(nchw, batch, y.output, x.output, filters),
  };
}

function convolution(inputs: (d: Draw, w: Windows) => Variation['inputs']): Generator {
  return (d) => {
    const w = windows(d);
    return { inputs: inputs(d, w), attrs: w.attrs, gradient: true, tolerance: LOOSE };
  };
}

function poolShape(d: Draw) {
  const nchw = d.chance(0.3);
  const padding = d.pick(['SAME', 'VALID']);
  const side = () => {
    const [kernel, stride] = [d.integer(1, 4), d.integer(1, 4)];
    const input = (padding === 'SAME' ? 1 : kernel) + d.integer(0, 6);
    const output = padding === 'SAME' ? Math.ceil(input / stride) : Math.floor((input - kernel) / stride) + 1;
    return { kernel, stride, input, output };
  };
  const [y, x] = [side(), side()];
  const [batch, channels] = [d.integer(1, 2), d.pick([1, 2, 3, 4, 8])];
  return {
    attrs: {
      ksize: laidOut(nchw, 1, y.kernel, x.kernel, 1),
      strides: laidOut(nchw, 1, y.stride, x.stride, 1),
      padding,
      data_format: nchw ? 'NCHW' : 'NHWC',
    },
    input: laidOut(nchw, batch, y.input, x.input, channels),
    output: laidOut(nchw, batch, y.output, x.output, channels),
  };
}

function biased(d: Draw) {
  const nchw = d.chance(0.5);
  const shape = d.shape(nchw ? 3 : 2, 5, 5);
  return { nchw, shape, channels: shape[nchw ? 1 : shape.length - 1] ?? 1 };
}

const softmax: Generator = (d) => {
  const scale = d.pick([1, 20]);
  const shape = d.shape(1, 4, 9).map((dim, i, all) => (i === all.length - 1 ? Math.max(dim, 1) : dim));
  return { inputs: [d.floats(shape, -2 * scale, 2 * scale)], gradient: scale === 1 };
};

/** Labels of each row that sum to one; some classes have weight zero. */
function crossEntropy(d: Draw): Variation {
  const [rows, columns] = [d.dim(9), Math.max(d.dim(11), 1)];
  const broadcast = d.chance(0.3);
  const labels = d.floats([broadcast && rows > 0 ? 1 : rows, columns], 0, 1);
  const sparse = labels.data.map((x, i) => (i % columns === 0 || d.chance(0.7) ? x + 0.1 : 0));
  const sums = sparse.map((_, i) => {
    const row = Math.floor(i / columns);
    return sparse.subarray(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0);
  });
  return {
    inputs: [
      d.floats([rows, columns]),
      { ...labels, data: sparse.map((x, i) => Math.fround(x / (sums[i] ?? 1))) },
    ],
  };
}

export const WINDOW_VARIATIONS: Partial<Record<OpName, Generator>> = {
  Conv2D: convolution((d, w) => [d.floats(w.input), d.floats(w.filter)]),
  Conv2DBackpropInput: convolution((d, w) => [vector(w.input), d.floats(w.filter), d.floats(w.output)]),
  Conv2DBackpropFilter: convolution((d, w) => [d.floats(w.input), vector(w.filter), d.floats(w.output)]),
  MaxPool: (d) => {
    const { attrs, input } = poolShape(d);
    return { inputs: [d.distinct(input)], attrs, gradient: true };
  },
  AvgPool: (d) => {
    const { attrs, input } = poolShape(d);
    return { inputs: [d.floats(input)], attrs, gradient: true };
  },
  AvgPoolGrad: (d) => {
    const { attrs, input, output } = poolShape(d);
    return { inputs: [vector(input), d.floats(output)], attrs, gradient: true };
  },
  BiasAdd: (d) => {
    const { nchw, shape, channels } = biased(d);
    const dtype = d.pick<DType>(['float32', 'float32', 'int32']);
    return {
      inputs: [d.of(dtype, shape), d.of(dtype, [channels])],
      attrs: { data_format: nchw ? 'NCHW' : 'NHWC' },
      gradient: true,
    };
  },
  BiasAddGrad: (d) => {
    const { nchw, shape } = biased(d);
    return {
      inputs: [d.floats(shape)],
      attrs: { data_format: nchw ? 'NCHW' : 'NHWC' },
      gradient: true,
      tolerance: LOOSE,
    };
  },
  Softmax: softmax,
  LogSoftmax: softmax,
  SoftmaxCrossEntropyWithLogits: crossEntropy,
  SparseSoftmaxCrossEntropyWithLogits: (d) => {
    const [rows, columns] = [d.dim(9), Math.max(d.dim(11), 1)];
    const labels = d.integers([rows], 0, columns - 1, d.index());
    return { inputs: [d.floats([rows, columns]), labels] };
  },
  InTopK: (d) => {
    const [rows, columns] = [d.dim(9), Math.max(d.dim(11), 1)];
    return {
      inputs: [d.integers([rows, columns], 0, 5, 'float32'), d.integers([rows], 0, columns - 1)],
      attrs: { k: d.integer(1, columns) },
    };
  },
  L2Loss: (d) => ({ inputs: [d.floats(d.shape(0, 4))], gradient: true, tolerance: LOOSE }),
  LinSpace: (d) => ({
    inputs: [d.floats([]), d.floats([]), scalar(d.integer(1, 12))],
    tolerance: { rtol: 1e-5, atol: 1e-5 },
  }),
};
