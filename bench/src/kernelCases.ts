/** What `node bench/dist/kernels.js` measures. */
import type { AttrInputs } from '@forerun/graph';

/** One op with its operands. */
export interface Case {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly (readonly number[])[];
  readonly attrs: AttrInputs;
  /** Work of one run; 0 for ops that only move memory. */
  readonly gflop: number;
  /** Gigabytes read and written, for ops that only move memory. */
  readonly gigabytes?: number;
  /** Part of a training step of the MNIST network at batch 128. */
  readonly step: boolean;
}

function matMul(m: number, k: number, n: number, step: boolean, ta = false, tb = false): Case {
  return {
    name: `matMul ${m}x${k}x${n}${ta ? ' AᵀB' : ''}${tb ? ' ABᵀ' : ''}`,
    type: 'MatMul',
    inputs: [ta ? [k, m] : [m, k], tb ? [n, k] : [k, n]],
    attrs: { transpose_a: ta, transpose_b: tb },
    gflop: (2 * m * k * n) / 1e9,
    step,
  };
}

/** A product and both its gradients. */
function dense(m: number, k: number, n: number, step: boolean): Case[] {
  return [matMul(m, k, n, step), matMul(k, m, n, step, true), matMul(m, n, k, step, false, true)];
}

/** A convolution and its gradients, SAME padding; `first` layers have no gradient of the input. */
function conv(
  batch: number,
  size: number,
  k: number,
  ci: number,
  co: number,
  stride = 1,
  step = false,
): Case[] {
  const out = Math.ceil(size / stride);
  const [x, w, y] = [
    [batch, size, size, ci],
    [k, k, ci, co],
    [batch, out, out, co],
  ] as const;
  const name = `conv ${k}x${k}/${stride} ${ci}->${co} ${size}² b${batch}`;
  const attrs = { strides: [1, stride, stride, 1], padding: 'SAME' };
  const gflop = (2 * batch * out * out * k * k * ci * co) / 1e9;
  const common = { attrs, gflop, step };
  return [
    { ...common, name, type: 'Conv2D', inputs: [x, w] },
    {
      ...common,
      name: `${name} dInput`,
      type: 'Conv2DBackpropInput',
      inputs: [x, w, y],
      step: step && ci > 1,
    },
    { ...common, name: `${name} dFilter`, type: 'Conv2DBackpropFilter', inputs: [x, w, y] },
  ];
}

/** Contractions, which arithmetic limits. */
export const CONTRACTIONS: readonly Case[] = [
  ...conv(128, 28, 5, 1, 32, 1, true),
  ...conv(128, 14, 5, 32, 64, 1, true),
  ...dense(128, 3136, 1024, true),
  ...dense(128, 1024, 10, true),
  ...dense(128, 784, 128, false),
  matMul(1024, 1024, 1024, false),
  matMul(1, 3136, 1024, false),
  ...conv(8, 56, 3, 64, 64),
  ...conv(8, 56, 3, 64, 128, 2),
  ...conv(64, 32, 3, 3, 32),
];

const FLOATS = 2 ** 24;

/** An op that reads `inputs` and writes `written` elements. */
function moving(
  name: string,
  type: string,
  inputs: readonly (readonly number[])[],
  written: number,
  attrs: AttrInputs = {},
): Case {
  const read = inputs.reduce((total, shape) => total + shape.reduce((size, dim) => size * dim, 1), 0);
  return { name, type, inputs, attrs, gflop: 0, gigabytes: ((read + written) * 4) / 1e9, step: false };
}

const IMAGES = [64, 64, 64, 64] as const;
const HALVES = [64, 32, 32, 64] as const;
const CHANNELS = [64] as const;
const POOL = { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'VALID' };

/** Ops that memory limits; the first is what the others are compared with. */
export const MEMORY_BOUND: readonly Case[] = [
  moving('relu', 'Relu', [[FLOATS]], FLOATS),
  moving('add', 'Add', [[FLOATS], [FLOATS]], FLOATS),
  moving('softmax, rows of 1000', 'Softmax', [[16_000, 1000]], 16_000_000),
  moving('softmax, rows of 10', 'Softmax', [[1_600_000, 10]], 16_000_000),
  moving('max pooling 2x2', 'MaxPool', [IMAGES], FLOATS / 4, POOL),
  moving('average pooling 2x2', 'AvgPool', [IMAGES], FLOATS / 4, POOL),
  moving('gradient of max pooling', 'MaxPoolGrad', [IMAGES, HALVES, HALVES], FLOATS, POOL),
  // Reads the images for their statistics, and to normalize them.
  moving(
    'batch norm in training',
    'FusedBatchNormV3',
    [IMAGES, CHANNELS, CHANNELS, CHANNELS, CHANNELS],
    2 * FLOATS,
    { is_training: true },
  ),
];
