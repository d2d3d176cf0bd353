/** Float64 references of normalization layers, written over coordinates. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

function vector(dtype: HostValue['dtype'], data: readonly number[]): HostValue {
  return { dtype, shape: [data.length], data: Float64Array.from(data) };
}

/** Position of the channel among the coordinates. */
function channelAxis({ attrs }: ReferenceContext): number {
  return { NHWC: 3, NCHW: 1, NDHWC: 4, NCDHW: 1 }[attrs.string('data_format')] ?? -1;
}

/** The elements of each channel. */
function byChannel(c: ReferenceContext, x: HostValue): number[][] {
  const axis = channelAxis(c);
  const lists = Array.from({ length: x.shape[axis] ?? 0 }, (): number[] => []);
  const at = coordinates(x);
  tabulate(x.dtype, x.shape, (position) => {
    lists[position[axis] ?? -1]?.push(at(position));
    return 0;
  });
  return lists;
}

function total(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}

/** Mean and mean squared distance of each list. */
function statistics(lists: readonly (readonly number[])[]): { mean: number[]; variance: number[] } {
  const mean = lists.map((list) => total(list) / list.length);
  const variance = lists.map((list, k) => total(list.map((x) => (x - (mean[k] ?? 0)) ** 2)) / list.length);
  return { mean, variance };
}

const batchNorm: Reference = (c) => {
  const [x, scale, offset, oldMean, oldVariance] = [0, 1, 2, 3, 4].map((i) => c.input(i)) as [
    HostValue,
    HostValue,
    HostValue,
    HostValue,
    HostValue,
  ];
  const [training, factor] = [c.attrs.bool('is_training'), c.attrs.float('exponential_avg_factor')];
  const lists = byChannel(c, x);
  const given = { mean: [...oldMean.data], variance: [...oldVariance.data] };
  const { mean, variance } = training ? statistics(lists) : given;
  const bessel = (v: number, k: number): number => {
    const n = lists[k]?.length ?? 0;
    return training ? (v * n) / Math.max(n - 1, 1) : v;
  };
  const blend = (value: number, old: number | undefined): number =>
    training && factor !== 1 ? factor * value + (1 - factor) * (old ?? NaN) : value;
  const at = coordinates(x);
  const y = tabulate(c.outputs[0] ?? 'float32', x.shape, (position) => {
    const k = position[channelAxis(c)] ?? 0;
    const deviation = Math.sqrt((variance[k] ?? NaN) + c.attrs.float('epsilon'));
    return ((at(position) - (mean[k] ?? NaN)) / deviation) * (scale.data[k] ?? NaN) + (offset.data[k] ?? NaN);
  });
  const dtype = c.outputs[1] ?? 'float32';
  const outputs = [
    y,
    vector(
      dtype,
      mean.map((m, k) => blend(m, oldMean.data[k])),
    ),
    vector(
      dtype,
      variance.map((v, k) => blend(bessel(v, k), oldVariance.data[k])),
    ),
    vector(dtype, mean),
    vector(dtype, variance),
  ];
  return c.outputs.length < 6 ? outputs : [...outputs, { dtype, shape: [], data: Float64Array.of(0) }];
};

/**
 * The derivative of `batchNorm` by the chain rule, with the statistics given as reserved inputs: in training
 * d mean / dx = 1 / n and d variance / dx = 2 (x - mean) / n are followed as well.
 */
const batchNormGrad: Reference = (c) => {
  const [dy, x, scale, mean, variance] = [0, 1, 2, 3, 4].map((i) => c.input(i)) as [
    HostValue,
    HostValue,
    HostValue,
    HostValue,
    HostValue,
  ];
  const [dys, xs] = [byChannel(c, dy), byChannel(c, x)];
  const epsilon = c.attrs.float('epsilon');
  const channels = xs.map((list, k) => {
    const [m, v, s] = [mean.data[k] ?? NaN, (variance.data[k] ?? NaN) + epsilon, scale.data[k] ?? NaN];
    const flows = dys[k] ?? [];
    const dNormal = flows.map((g) => g * s);
    const dVariance = total(list.map((e, i) => (dNormal[i] ?? 0) * (e - m))) * -0.5 * v ** -1.5;
    const dMean =
      -total(dNormal) / Math.sqrt(v) + dVariance * total(list.map((e) => (-2 * (e - m)) / list.length));
    return {
      scale: list.length === 0 ? 0 : total(list.map((e, i) => (flows[i] ?? 0) * (e - m))) / Math.sqrt(v),
      offset: total(flows),
      dx: (g: number, e: number): number =>
        c.attrs.bool('is_training')
          ? (g * s) / Math.sqrt(v) + (dVariance * 2 * (e - m) + dMean) / list.length
          : (g * s) / Math.sqrt(v),
    };
  });
  const [flow, element] = [coordinates(dy), coordinates(x)];
  const dtype = c.outputs[1] ?? 'float32';
  return [
    tabulate(c.outputs[0] ?? 'float32', x.shape, (at) => {
      return channels[at[channelAxis(c)] ?? 0]?.dx(flow(at), element(at)) ?? NaN;
    }),
    vector(
      dtype,
      channels.map((channel) => channel.scale),
    ),
    vector(
      dtype,
      channels.map((channel) => channel.offset),
    ),
    vector(dtype, []),
    vector(dtype, []),
  ];
};

/** Channels at most `depth_radius` away from channel `k` of `depth`. */
function neighbours({ attrs }: ReferenceContext, k: number, depth: number): number[] {
  const all = Array.from({ length: depth }, (_, i) => i);
  return all.filter((i) => Math.abs(i - k) <= attrs.int('depth_radius'));
}

/** bias + alpha * sum of squares around a position. */
function normOf(c: ReferenceContext, x: HostValue): (at: readonly number[]) => number {
  const read = coordinates(x);
  return ([b = 0, y = 0, w = 0, k = 0]) => {
    const squares = neighbours(c, k, x.shape[3] ?? 0).map((i) => read([b, y, w, i]) ** 2);
    return c.attrs.float('bias') + c.attrs.float('alpha') * total(squares);
  };
}

const lrn: Reference = (c) => {
  const x = c.input(0);
  const [read, norm] = [coordinates(x), normOf(c, x)];
  return [tabulate(x.dtype, x.shape, (at) => read(at) / norm(at) ** c.attrs.float('beta'))];
};

/** Adds what each output of `lrn` that an element takes part in passes on to it. */
const lrnGrad: Reference = (c) => {
  const [grads, image] = [c.input(0), c.input(1)];
  const [dy, x, y] = [coordinates(grads), coordinates(image), coordinates(c.input(2))];
  const norm = normOf(c, image);
  const [alpha, beta] = [c.attrs.float('alpha'), c.attrs.float('beta')];
  const element = (at: readonly number[]): number => {
    const [b = 0, row = 0, column = 0, k = 0] = at;
    const passed = neighbours(c, k, image.shape[3] ?? 0).map((i) => {
      const other = [b, row, column, i];
      const own = i === k ? norm(other) ** -beta : 0;
      return dy(other) * (own - (2 * alpha * beta * x(at) * y(other)) / norm(other));
    });
    return total(passed);
  };
  return [tabulate(image.dtype, image.shape, element)];
};

export const NORM_REFERENCES = {
  LRN: lrn,
  LRNGrad: lrnGrad,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  FusedBatchNormGrad: batchNormGrad,
  FusedBatchNormGradV2: batchNormGrad,
  FusedBatchNormGradV3: batchNormGrad,
} satisfies FamilyReferences;
