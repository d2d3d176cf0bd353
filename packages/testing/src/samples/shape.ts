/** Samples of ops that speak of shapes, or make tensors from them. */
import type { FamilySamples, OpSamples, SampleInput } from '../sample.js';

const ints = (...value: number[]): SampleInput => ({ value, dtype: 'int32' });
const int = (value: number): SampleInput => ({ value, dtype: 'int32' });
const m23 = [
  [1, -2, 3],
  [4, 5, -6],
];

const wrongIndexType = {
  inputs: '[2]',
  attrs: { out_type: 'float32' },
  message: /attribute "out_type" must be one of int32, int64/,
};

function like(): OpSamples {
  return {
    samples: [
      { name: 'matrix', inputs: [m23] },
      { name: 'integers', inputs: [ints(1, 2, 3, 4)] },
      { name: 'bool', inputs: [[true, false]] },
      { name: 'scalar', inputs: [3] },
      { name: 'empty', inputs: [{ value: [], shape: [0, 2] }] },
    ],
    shapes: [
      { inputs: '[1,?]', outputs: '[1,?]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [{ inputs: '[2];[2]', message: /takes 1 inputs, 2 given/ }],
  };
}

export const SHAPE_SAMPLES = {
  Shape: {
    samples: [
      { name: 'matrix', inputs: [m23] },
      { name: 'scalar', inputs: [1] },
      { name: 'int64', inputs: [m23], attrs: { out_type: 'int64' } },
    ],
    shapes: [
      { inputs: '[1,?]', outputs: '[2]' },
      { inputs: '?', outputs: '[?]' },
    ],
    errors: [wrongIndexType],
  },
  ShapeN: {
    samples: [{ name: 'two', inputs: [m23, [1, 2]] }],
    shapes: [{ inputs: '[1,?];?;[]', outputs: '[2];[?];[0]' }],
    errors: [{ inputs: '', message: /attribute "N" must be at least 1, got 0/ }],
  },
  Size: {
    samples: [
      { name: 'matrix', inputs: [m23] },
      { name: 'empty', inputs: [{ value: [], shape: [0, 3] }] },
    ],
    shapes: [{ inputs: '[1,?]', outputs: '[]' }],
    errors: [wrongIndexType],
  },
  Rank: {
    samples: [
      { name: 'matrix', inputs: [m23] },
      { name: 'scalar', inputs: [1] },
    ],
    shapes: [{ inputs: '?', outputs: '[]' }],
    errors: [{ inputs: '[2];[2]', message: /takes 1 inputs, 2 given/ }],
  },
  BroadcastArgs: {
    samples: [
      { name: 'stretch', inputs: [ints(2, 1, 4), ints(3, 1)] },
      { name: 'scalar', inputs: [ints(2, 3), { value: [], dtype: 'int32' }] },
    ],
    shapes: [
      { inputs: '[2];[3]', outputs: '[3]' },
      { inputs: '[?];[3]', outputs: '[?]' },
    ],
    errors: [
      {
        inputs: '[2];[2]',
        constants: { 0: [2, 3], 1: [2, 4] },
        message: /do not broadcast: \[2,3\] and \[2,4\]/,
      },
    ],
  },
  BroadcastGradientArgs: {
    samples: [
      { name: 'stretch both', inputs: [ints(2, 1, 4), ints(3, 1)] },
      { name: 'equal', inputs: [ints(2, 1), ints(2, 1)] },
    ],
    shapes: [
      { inputs: '?;[3]', outputs: '[?];[?]' },
      { inputs: '[2];[1]', constants: { 0: [2, 3], 1: [3] }, outputs: '[0];[1]' },
    ],
    errors: [{ inputs: '[2,2];[2]', message: /s0 must have rank 1, got shape \[2,2\]/ }],
  },
  Fill: {
    samples: [
      { name: 'matrix', inputs: [ints(2, 3), 1.5] },
      { name: 'divisible by four', inputs: [ints(2, 8), -2] },
      { name: 'scalar', inputs: [{ value: [], dtype: 'int32' }, 7] },
      { name: 'integers', inputs: [ints(3), int(-4)] },
      { name: 'bool', inputs: [ints(3), true] },
      { name: 'empty', inputs: [ints(0, 3), 1] },
    ],
    shapes: [
      { inputs: '[2];[]', outputs: '[?,?]' },
      { inputs: '[?];[]', outputs: '?' },
      { inputs: '[2];?', constants: { 0: [4, 5] }, outputs: '[4,5]' },
    ],
    errors: [
      { inputs: '[2];[1]', message: /value must have rank 0, got shape \[1\]/ },
      { inputs: '[2];[]', constants: { 0: [2, -1] }, message: /must not be negative, got \[2,-1\]/ },
    ],
  },
  ZerosLike: like(),
  OnesLike: like(),
  Range: {
    samples: [
      { name: 'up', inputs: [int(3), int(18), int(4)] },
      { name: 'down', inputs: [int(5), int(0), int(-2)] },
      { name: 'floats', inputs: [0, 2, 0.5] },
      { name: 'floats whose quotient is whole in float32 only', inputs: [0, 0.3, 0.1] },
      { name: 'long', inputs: [int(0), int(9000), int(2)] },
      { name: 'empty', inputs: [int(2), int(2), int(1)] },
    ],
    shapes: [
      { inputs: '[];[];[]', outputs: '[?]' },
      { inputs: '[];[];?', constants: { 0: 2, 1: 11, 2: 3 }, outputs: '[3]' },
      { inputs: '[];[];[]', constants: { 0: -2, 1: 19 }, outputs: '[?]' },
    ],
    errors: [
      { inputs: '[];[];[]', constants: { 0: 0, 1: 5, 2: 0 }, message: /delta must not be 0/ },
      {
        inputs: '[];[];[]',
        constants: { 0: 5, 1: 0, 2: 1 },
        message: /from 5 to 0 cannot be walked with delta 1/,
      },
      { inputs: '[1];[];[]', message: /start must have rank 0, got shape \[1\]/ },
    ],
  },
  LinSpace: {
    samples: [
      { name: 'five', inputs: [-1, 1, int(5)] },
      { name: 'one', inputs: [3, 9, int(1)] },
      { name: 'down', inputs: [2.5, -7.25, int(8)] },
    ],
    shapes: [
      { inputs: '[];[];?', outputs: '[?]' },
      { inputs: '[];[];[]', constants: { 2: 4 }, outputs: '[4]' },
    ],
    errors: [{ inputs: '[];[];[]', constants: { 2: 0 }, message: /num must be positive, got 0/ }],
  },
  BroadcastTo: {
    samples: [
      { name: 'rows', inputs: [[1, 2, 3], ints(2, 3)] },
      { name: 'columns', inputs: [[[1], [2]], ints(2, 4)] },
      { name: 'scalar', inputs: [3, ints(2, 2)] },
      { name: 'middle', inputs: [[[[1, 2, 3, 4]], [[5, 6, 7, 8]]], ints(2, 3, 4)] },
      { name: 'integers', inputs: [ints(1, 2), ints(3, 2)] },
      { name: 'bool', inputs: [[[true], [false]], ints(2, 3)] },
      { name: 'same', inputs: [[1, 2], ints(2)] },
    ],
    shapes: [
      { inputs: '[?];[2]', outputs: '[?,?]' },
      { inputs: '?;[3]', constants: { 1: [2, 3, 4] }, outputs: '[2,3,4]' },
    ],
    errors: [
      { inputs: '[3];[2]', constants: { 1: [2, 4] }, message: /\[3\] does not broadcast to \[2,4\]/ },
      { inputs: '[2,3];[1]', constants: { 1: [3] }, message: /\[2,3\] does not broadcast to \[3\]/ },
    ],
  },
  EnsureShape: {
    samples: [{ name: 'matrix', inputs: [m23], attrs: { shape: [null, 3] } }],
    shapes: [{ inputs: '[?,3]', attrs: { shape: [2, null] }, outputs: '[2,3]' }],
    errors: [
      { inputs: '[2,3]', attrs: { shape: [2, 4] }, message: /the input has shape \[2,3\], expected \[2,4\]/ },
    ],
  },
} satisfies FamilySamples;
