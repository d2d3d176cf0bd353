/** Kernels of reductions over axes. */
import type { DType, OpName } from '@forerun/graph';
import { lowerArg } from './arg.js';
import { LOADS_ONCE, STORES_ONCE, device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { lowerReduction, type Reducer } from './reduce.js';
import { rowReduction } from './rowProgram.js';
import { lowerScan, type Scan } from './scan.js';

function isFloat(dtype: DType): boolean {
  return dtype === 'float32';
}

export const SUM: Reducer = {
  name: 'sum',
  linear: true,
  identity: () => 0,
  combine: (a, b) => `(${a} + ${b})`,
};

const PROD: Reducer = {
  name: 'prod',
  identity: () => 1,
  combine: (a, b) => `(${a} * ${b})`,
};

export const MEAN: Reducer = {
  ...SUM,
  name: 'mean',
  finish: (total, count, dtype) => {
    if (isFloat(dtype)) return count === 0 ? 'not_a_number()' : `(${total} / f32(${count}.0))`;
    return count === 0 ? total : `(${total} / ${dtype.startsWith('u') ? `u32(${count}u)` : `i32(${count})`})`;
  },
};

export const MAX: Reducer = {
  name: 'max',
  identity: (dtype) => (isFloat(dtype) ? -Infinity : rangeOf(dtype)[0]),
  combine: (a, b, dtype) => (isFloat(dtype) ? `nan_max(${a}, ${b})` : `max(${a}, ${b})`),
};

export const MIN: Reducer = {
  name: 'min',
  identity: (dtype) => (isFloat(dtype) ? Infinity : rangeOf(dtype)[1]),
  combine: (a, b, dtype) => (isFloat(dtype) ? `nan_min(${a}, ${b})` : `min(${a}, ${b})`),
};

/** Smallest and largest value of an integer dtype; int64 is kept in 32 bits. */
function rangeOf(dtype: DType): [number, number] {
  const bits = Math.min(32, Number(/\d+$/.exec(dtype)?.[0] ?? 32));
  return dtype.startsWith('uint') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

const EUCLIDEAN_NORM: Reducer = {
  ...SUM,
  name: 'euclideanNorm',
  linear: false,
  map: (x) => `(${x} * ${x})`,
  finish: (total, _, dtype) => {
    if (isFloat(dtype)) return `sqrt(${total})`;
    return dtype.startsWith('u') ? `u32(sqrt(f32(${total})))` : `i32(sqrt(f32(${total})))`;
  },
};

const ANY: Reducer = { name: 'any', identity: () => 0, combine: (a, b) => `(${a} | ${b})` };
const ALL: Reducer = { name: 'all', identity: () => 1, combine: (a, b) => `(${a} & ${b})` };

/** A reduction over the axes in input 1. */
function overAxes(reducer: Reducer): Kernel {
  return device((c) => lowerReduction(c, reducer, axesOf(c)), {
    ...LOADS_ONCE,
    ...STORES_ONCE,
    work: 'reduction',
    linear: reducer.linear === true,
    relabels: reducer.map === undefined,
    rows: (c) => rowReduction(c.input(0), axesOf(c), reducer),
  });
}

function axesOf(c: KernelContext): number[] {
  const rank = c.input(0).shape.length;
  return Array.from(c.requireHost(1, 'the axes').data, (axis) => (axis < 0 ? axis + rank : axis));
}

/** An op along the one axis in input 1. */
function alongAxis(lower: (c: KernelContext, axis: number) => Lowered): Kernel {
  return device((c) => lower(c, axesOf(c)[0] ?? 0));
}

/** The smallest float32, from which TensorFlow starts logarithms of sums in place of -Infinity. */
const LOWEST = -3.4028234663852886e38;

function scan(spec: Scan): Kernel {
  return alongAxis((c, axis) => lowerScan(c, axis, spec));
}

export const REDUCTION_KERNELS = {
  Sum: overAxes(SUM),
  Mean: overAxes(MEAN),
  Prod: overAxes(PROD),
  Max: overAxes(MAX),
  Min: overAxes(MIN),
  Any: overAxes(ANY),
  All: overAxes(ALL),
  EuclideanNorm: overAxes(EUCLIDEAN_NORM),
  ArgMax: alongAxis((c, axis) => lowerArg(c, axis, '>')),
  ArgMin: alongAxis((c, axis) => lowerArg(c, axis, '<')),
  Cumsum: scan({ name: 'cumsum', identity: 0, combine: (total, x) => `${total} + ${x}` }),
  Cumprod: scan({ name: 'cumprod', identity: 1, combine: (total, x) => `${total} * ${x}` }),
  CumulativeLogsumexp: scan({
    name: 'cumulativeLogsumexp',
    identity: LOWEST,
    combine: (total, x) => `log_add_exp(${total}, ${x})`,
  }),
} satisfies Partial<Record<OpName, Kernel>>;
