/** Float64 references of neural network ops: bias, softmax, cross-entropies. */
import { BLOCK_RNN_REFERENCES } from './blockRnn.js';
import { CTC_REFERENCES } from './ctc.js';
import { EDIT_REFERENCES } from './editDistance.js';
import { QUANTIZE_REFERENCES } from './quantize.js';
import { CTC_DECODE_REFERENCES } from './ctcDecode.js';
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { wrapTo } from './unary.js';

/** The rows of a tensor along its last dimension. */
function rowsOf({ shape, data }: HostValue): number[][] {
  const columns = shape.at(-1) ?? 1;
  const count = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, r) => [...data.slice(r * columns, (r + 1) * columns)]);
}

function logSumExp(row: readonly number[]): number {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

function logSoftmaxRow(row: readonly number[]): number[] {
  const total = logSumExp(row);
  return row.map((x) => x - total);
}

/** A reference that maps every row. */
function byRow(map: (row: readonly number[]) => readonly number[]): Reference {
  return ({ input, outputs: [dtype = 'float32'] }) => [
    { dtype, shape: input(0).shape, data: Float64Array.from(rowsOf(input(0)).flatMap(map)) },
  ];
}

/** Position of the channels. */
function channelAxis({ attrs, input }: ReferenceContext): number {
  return attrs.string('data_format') === 'NCHW' ? 1 : input(0).shape.length - 1;
}

/** The channel of every element of input 0. */
function channels(c: ReferenceContext): { count: number; of: (flat: number) => number } {
  const { shape } = c.input(0);
  const axis = channelAxis(c);
  const count = shape[axis] ?? 1;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return { count, of: (flat) => Math.floor(flat / inner) % count };
}

/** Number of classes, of batches without rows too. */
function columnsOf(
  c: ReferenceContext,
  features: readonly (readonly number[])[],
  labels: readonly (readonly number[])[],
): number {
  if (features.length === 0) return c.input(0).shape[1] ?? 0;
  return Math.max(features[0]?.length ?? 0, labels[0]?.length ?? 0);
}

function crossEntropy(
  c: ReferenceContext,
  features: readonly (readonly number[])[],
  labels: readonly (readonly number[])[],
): HostValue[] {
  const rows = features.length === 1 ? labels.length : features.length;
  const columns = columnsOf(c, features, labels);
  const loss = new Float64Array(rows);
  const backprop = new Float64Array(rows * columns);
  const pick = <T>(items: readonly T[], i: number): T | undefined => items[items.length === 1 ? 0 : i];
  for (let r = 0; r < rows; r++) {
    const own = pick(features, r) ?? [];
    const row = Array.from({ length: columns }, (_, k) => pick(own, k) ?? NaN);
    logSoftmaxRow(row).forEach((logP, k) => {
      const label = pick(pick(labels, r) ?? [], k) ?? NaN;
      loss[r] = (loss[r] ?? 0) - label * logP;
      backprop[r * columns + k] = Math.exp(logP) - label;
    });
  }
  const [dtype = 'float32'] = c.outputs;
  return [
    { dtype, shape: [rows], data: loss },
    { dtype, shape: [rows, columns], data: backprop },
  ];
}

function oneHot(label: number, columns: number): number[] {
  const valid = label >= 0 && label < columns;
  return Array.from({ length: columns }, (_, k) => (valid ? Number(k === label) : NaN));
}

function inTopK(c: ReferenceContext, k: number): HostValue[] {
  const precision = rowsOf(c.input(0)).map((row, r) => {
    const own = row[c.input(1).data[r] ?? -1];
    if (own === undefined || !row.every(Number.isFinite)) return 0;
    return Number(row.filter((x) => x > own).length < k);
  });
  return [{ dtype: 'bool', shape: c.input(1).shape, data: Float64Array.from(precision) }];
}

export const NN_REFERENCES = {
  ...QUANTIZE_REFERENCES,
  ...BLOCK_RNN_REFERENCES,
  ...EDIT_REFERENCES,
  ...CTC_REFERENCES,
  ...CTC_DECODE_REFERENCES,
  BiasAdd: (c) => {
    const { of } = channels(c);
    const [dtype = 'float32'] = c.outputs;
    const data = c.input(0).data.map((x, i) => wrapTo(x + (c.input(1).data[of(i)] ?? NaN), dtype));
    return [{ dtype, shape: c.input(0).shape, data }];
  },
  BiasAddV1: ({ input, outputs: [dtype = 'float32'] }) => {
    const bias = input(1).data;
    const data = input(0).data.map((x, i) => wrapTo(x + (bias[i % bias.length] ?? NaN), dtype));
    return [{ dtype, shape: input(0).shape, data }];
  },
  BiasAddGrad: (c) => {
    const { count, of } = channels(c);
    const data = new Float64Array(count);
    c.input(0).data.forEach((x, i) => (data[of(i)] = (data[of(i)] ?? 0) + x));
    return [{ dtype: c.outputs[0] ?? 'float32', shape: [count], data }];
  },
  L2Loss: ({ input, outputs: [dtype = 'float32'] }) => {
    const data = Float64Array.of(input(0).data.reduce((sum, x) => sum + x * x, 0) / 2);
    return [{ dtype, shape: [], data }];
  },
  Softmax: byRow((row) => logSoftmaxRow(row).map(Math.exp)),
  LogSoftmax: byRow(logSoftmaxRow),
  SoftmaxCrossEntropyWithLogits: (c) => crossEntropy(c, rowsOf(c.input(0)), rowsOf(c.input(1))),
  SparseSoftmaxCrossEntropyWithLogits: (c) => {
    const columns = c.input(0).shape[1] ?? 0;
    return crossEntropy(
      c,
      rowsOf(c.input(0)),
      [...c.input(1).data].map((label) => oneHot(label, columns)),
    );
  },
  InTopK: (c) => inTopK(c, c.attrs.int('k')),
  InTopKV2: (c) => inTopK(c, c.input(2).data[0] ?? 0),
} satisfies FamilyReferences;
