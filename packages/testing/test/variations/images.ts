/** Variations of resizing, cropping, patches, normalization and the gradients of pooling. */
import type { DType, HostValue, OpName } from '@forerun/graph';
import { vector, type Draw, type Generator } from './draw.js';

const LOOSE = { rtol: 3e-5, atol: 3e-5 };

const sampling = (d: Draw): Record<string, boolean> =>
  d.pick<Record<string, boolean>>([{}, { align_corners: true }, { half_pixel_centers: true }]);

function images(d: Draw, largest = 6): number[] {
  return [
    d.integer(d.chance(0.1) ? 0 : 1, 2),
    d.integer(1, largest),
    d.integer(1, largest),
    d.pick([1, 2, 3, 4]),
  ];
}

const resize: Generator = (d) => {
  const shape = images(d);
  const dtype = d.pick<DType>(['float32', 'float32', 'uint8', 'int32']);
  const x = dtype === 'float32' ? d.floats(shape) : d.integers(shape, 0, 99, dtype);
  return {
    inputs: [x, vector([d.integer(1, 9), d.integer(1, 9)])],
    attrs: sampling(d),
    gradient: dtype === 'float32' && x.data.length > 0,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  };
};

const resizeGrad: Generator = (d) => {
  const shape = images(d);
  const grads = d.floats([shape[0] ?? 1, d.integer(1, 9), d.integer(1, 9), shape[3] ?? 1]);
  return { inputs: [grads, d.floats(shape)], attrs: sampling(d), tolerance: { rtol: 1e-4, atol: 1e-4 } };
};

const nearestGrad: Generator = (d) => {
  const shape = images(d);
  return {
    inputs: [d.floats(shape), vector([d.integer(1, 9), d.integer(1, 9)])],
    attrs: sampling(d),
    gradient: shape[0] !== 0,
    tolerance: LOOSE,
  };
};

const crop: Generator = (d) => {
  const shape = images(d);
  shape[0] = Math.max(shape[0] ?? 1, 1);
  const boxes = d.integer(1, 3);
  return {
    inputs: [
      d.floats(shape),
      d.floats([boxes, 4], -0.3, 1.3),
      d.integers([boxes], 0, shape[0] - 1),
      vector([d.integer(1, 4), d.integer(1, 4)]),
    ],
    attrs: { method: d.pick(['bilinear', 'nearest']), extrapolation_value: d.pick([0, 1.5]) },
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  };
};

const patches: Generator = (d) => {
  const padding = d.pick(['SAME', 'VALID']);
  const side = (): { ksize: number; stride: number; rate: number; input: number } => {
    const [ksize, stride, rate] = [d.integer(1, 3), d.integer(1, 3), d.integer(1, 2)];
    return {
      ksize,
      stride,
      rate,
      input: (padding === 'SAME' ? 1 : (ksize - 1) * rate + 1) + d.integer(0, 4),
    };
  };
  const [y, x] = [side(), side()];
  const dtype = d.pick<DType>(['float32', 'float32', 'int32']);
  return {
    inputs: [d.of(dtype, [d.integer(1, 2), y.input, x.input, d.integer(1, 4)])],
    attrs: {
      ksizes: [1, y.ksize, x.ksize, 1],
      strides: [1, y.stride, x.stride, 1],
      rates: [1, y.rate, x.rate, 1],
      padding,
    },
    gradient: true,
  };
};

interface Pool {
  readonly attrs: Record<string, string | readonly number[]>;
  readonly input: number[];
  readonly output: number[];
}

function pool(d: Draw, axes: 2 | 3, layouts = true): Pool {
  const first = layouts && d.chance(0.3);
  const padding = d.pick(['SAME', 'VALID']);
  const sides = Array.from({ length: axes }, () => {
    const [kernel, stride] = [d.integer(1, 3), d.integer(1, 3)];
    const input = (padding === 'SAME' ? 1 : kernel) + d.integer(0, axes === 2 ? 5 : 2);
    const output = padding === 'SAME' ? Math.ceil(input / stride) : Math.floor((input - kernel) / stride) + 1;
    return { kernel, stride, input, output };
  });
  const [batch, channels] = [d.integer(1, 2), d.pick([1, 2, 3, 4])];
  const laid = (n: number, image: readonly number[], c: number): number[] =>
    first ? [n, c, ...image] : [n, ...image, c];
  const of = (name: 'kernel' | 'stride' | 'input' | 'output'): number[] => sides.map((s) => s[name]);
  const format = axes === 2 ? (first ? 'NCHW' : 'NHWC') : first ? 'NCDHW' : 'NDHWC';
  return {
    attrs: {
      ksize: laid(1, of('kernel'), 1),
      strides: laid(1, of('stride'), 1),
      padding,
      ...(layouts ? { data_format: format } : {}),
    },
    input: laid(batch, of('input'), channels),
    output: laid(batch, of('output'), channels),
  };
}

/** The largest element of each window, as the gradient ops want it; the true one. */
function pooled(x: HostValue, p: Pool): HostValue {
  const data = new Float64Array(p.output.reduce((a, b) => a * b, 1)).fill(-Infinity);
  const [ksize, strides] = [p.attrs.ksize as number[], p.attrs.strides as number[]];
  const before = p.output.map((n, i) => {
    const needed = (n - 1) * (strides[i] ?? 1) + (ksize[i] ?? 1) - (p.input[i] ?? 1);
    return p.attrs.padding === 'SAME' ? Math.floor(Math.max(needed, 0) / 2) : 0;
  });
  data.forEach((_, at) => {
    let rest = at;
    const place = [...p.output].reverse().map((dim) => {
      const k = rest % dim;
      rest = Math.floor(rest / dim);
      return k;
    });
    place.reverse();
    x.data.forEach((value, k) => {
      let left = k;
      const inside = [...p.input].reverse().every((dim, r) => {
        const i = p.input.length - 1 - r;
        const c = left % dim;
        left = Math.floor(left / dim);
        const start = (place[i] ?? 0) * (strides[i] ?? 1) - (before[i] ?? 0);
        return c >= start && c < start + (ksize[i] ?? 1);
      });
      if (inside) data[at] = Math.max(data[at] ?? -Infinity, value);
    });
  });
  return { dtype: 'float32', shape: p.output, data };
}

function poolGrad(axes: 2 | 3, second: boolean): Generator {
  return (d) => {
    const p = pool(d, axes);
    const x = d.chance(0.5) ? d.distinct(p.input) : d.integers(p.input, 0, 2, 'float32');
    return {
      inputs: [x, pooled(x, p), d.floats(second ? p.input : p.output)],
      attrs: p.attrs,
      tolerance: LOOSE,
    };
  };
}

function batchNorm(types: number): Generator {
  return (d) => {
    const first = d.chance(0.4);
    const channels = d.pick([1, 2, 3, 4, 5]);
    const [n, h, w] = [d.integer(1, 3), d.integer(1, 4), d.integer(2, 4)];
    const training = d.chance(0.6);
    const statistics = training
      ? [vector([], 'float32'), vector([], 'float32')]
      : [d.floats([channels]), d.floats([channels], 0.5, 2)];
    return {
      inputs: [
        d.floats(first ? [n, channels, h, w] : [n, h, w, channels]),
        d.floats([channels]),
        d.floats([channels]),
        ...statistics,
      ],
      attrs: {
        is_training: training,
        data_format: first ? 'NCHW' : 'NHWC',
        epsilon: d.pick([0.001, 0.1]),
        ...(types > 1 ? { U: 'float32' } : {}),
      },
      tolerance: { rtol: 1e-4, atol: 1e-4 },
    };
  };
}

const lrn: Generator = (d) => ({
  inputs: [d.floats([d.integer(1, 2), d.integer(1, 3), d.integer(1, 3), d.integer(1, 9)])],
  attrs: {
    depth_radius: d.integer(0, 5),
    bias: d.pick([1, 2.5]),
    alpha: d.pick([1, 0.3]),
    beta: d.pick([0.5, 0.75]),
  },
  gradient: true,
  tolerance: LOOSE,
});

export const IMAGE_VARIATIONS: Partial<Record<OpName, Generator>> = {
  ResizeBilinear: resize,
  ResizeBicubic: resize,
  ResizeNearestNeighbor: resize,
  ResizeBilinearGrad: resizeGrad,
  ResizeBicubicGrad: resizeGrad,
  ResizeNearestNeighborGrad: nearestGrad,
  CropAndResize: crop,
  ExtractImagePatches: patches,
  MaxPoolGrad: poolGrad(2, false),
  MaxPoolGradGrad: poolGrad(2, true),
  MaxPool3DGrad: poolGrad(3, false),
  MaxPool3DGradGrad: poolGrad(3, true),
  MaxPool3D: (d) => {
    const p = pool(d, 3);
    return { inputs: [d.distinct(p.input)], attrs: p.attrs, gradient: true };
  },
  AvgPool3D: (d) => {
    const p = pool(d, 3);
    return { inputs: [d.floats(p.input)], attrs: p.attrs, gradient: true };
  },
  AvgPool3DGrad: (d) => {
    const p = pool(d, 3);
    return { inputs: [vector(p.input), d.floats(p.output)], attrs: p.attrs, gradient: true };
  },
  MaxPoolWithArgmax: (d) => {
    const p = pool(d, 2, false);
    return {
      inputs: [d.distinct(p.input)],
      attrs: { ...p.attrs, include_batch_in_index: d.chance(0.5), Targmax: d.pick(['int32', 'int64']) },
      gradient: true,
    };
  },
  FusedBatchNorm: batchNorm(1),
  FusedBatchNormV2: batchNorm(2),
  FusedBatchNormV3: batchNorm(2),
  LRN: lrn,
};
