/** Samples of ops that rearrange, join, cut and index tensors; the others of the family are in arrayIndex.ts. */
import type { NestedArray } from '@forerun/graph';
import type { FamilySamples, OpSamples, SampleInput } from '../sample.js';
import { ARRAY_BLOCK_SAMPLES } from './arrayBlock.js';
import { DATA_FORMAT_SAMPLES } from './dataFormat.js';
import { ARRAY_INDEX_SAMPLES } from './arrayIndex.js';
import { ARRAY_JOIN_SAMPLES } from './arrayJoin.js';
import { ARRAY_SLICE_SAMPLES } from './arraySlice.js';

const ints = (...value: NestedArray[]): SampleInput => ({ value, dtype: 'int32' });
const int = (value: number): SampleInput => ({ value, dtype: 'int32' });
const none: SampleInput = { value: [], dtype: 'int32' };

/** The numbers 1, 2, 3 … in a shape. */
function counting(...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length }, (_, i) => i + 1), shape };
}

const bools: SampleInput = {
  value: [
    [true, false, true],
    [false, false, true],
  ],
  dtype: 'bool',
};

const TRANSPOSED = {
  samples: [
    { name: 'matrix', inputs: [counting(2, 3), ints(1, 0)] },
    { name: 'matrix in blocks', inputs: [counting(8, 12), ints(1, 0)] },
    { name: 'three axes', inputs: [counting(2, 3, 4), ints(2, 0, 1)] },
    { name: 'channels first in blocks', inputs: [counting(2, 4, 2, 8), ints(0, 3, 1, 2)] },
    { name: 'rows of vectors', inputs: [counting(3, 2, 8), ints(1, 0, 2)] },
    { name: 'identity', inputs: [counting(2, 3), ints(0, 1)] },
    { name: 'unit axes', inputs: [counting(1, 6, 1, 2), ints(2, 1, 3, 0)] },
    { name: 'bool', inputs: [bools, ints(1, 0)] },
    { name: 'scalar', inputs: [3, none] },
    { name: 'empty', inputs: [counting(0, 3), ints(1, 0)] },
  ],
  shapes: [
    { inputs: '[?,3];[2]', constants: { 1: [1, 0] }, outputs: '[3,?]' },
    { inputs: '[?,3];[2]', outputs: '[?,?]' },
    { inputs: '?;[3]', outputs: '[?,?,?]' },
    { inputs: '?;?', outputs: '?' },
  ],
  errors: [
    { inputs: '[2,3];[3]', message: /perm has 3 elements for an input of shape \[2,3\]/ },
    { inputs: '[2,3];[2]', constants: { 1: [1, 1] }, message: /\[1,1\] is not a permutation/ },
  ],
} satisfies OpSamples;

const MOVES = {
  Reshape: {
    samples: [
      { name: 'matrix', inputs: [counting(2, 6), ints(3, 4)] },
      { name: 'flat', inputs: [counting(2, 3, 4), ints(-1)] },
      { name: 'scalar', inputs: [counting(1), none] },
      { name: 'bool', inputs: [bools, ints(3, -1)] },
      { name: 'empty', inputs: [counting(0, 3), ints(3, 0)] },
    ],
    shapes: [
      { inputs: '[?,4];[2]', constants: { 1: [-1, 2] }, outputs: '[?,2]' },
      { inputs: '[6,4];[2]', constants: { 1: [-1, 3] }, outputs: '[8,3]' },
      { inputs: '[?];[3]', outputs: '[?,?,?]' },
      { inputs: '[2];?', outputs: '?' },
      { inputs: '[0,5];[2]', constants: { 1: [-1, 5] }, outputs: '[0,5]' },
    ],
    errors: [
      {
        inputs: '[6];[2]',
        constants: { 1: [4, 2] },
        message: /cannot reshape 6 elements to \[4,2\], which has 8/,
      },
      {
        inputs: '[6];[2]',
        constants: { 1: [-1, 4] },
        message: /6 elements to \[-1,4\]: not a multiple of 4/,
      },
      {
        inputs: '[6];[2]',
        constants: { 1: [-1, -1] },
        message: /only one dimension may be -1, got \[-1,-1\]/,
      },
      { inputs: '[6];[2]', constants: { 1: [-2, 3] }, message: /dimensions must be -1 or more, got -2/ },
      { inputs: '[0];[2]', constants: { 1: [-1, 0] }, message: /cannot infer the -1 in \[-1,0\]/ },
      { inputs: '[6];[1,2]', message: /shape must be a vector, got shape \[1,2\]/ },
    ],
  },
  ExpandDims: {
    samples: [
      { name: 'front', inputs: [counting(2, 3), int(0)] },
      { name: 'back', inputs: [counting(2, 3), int(-1)] },
      { name: 'middle', inputs: [counting(2, 3), ints(1)] },
    ],
    shapes: [
      { inputs: '[?,3];[]', constants: { 1: 1 }, outputs: '[?,1,3]' },
      { inputs: '[?,3];[]', outputs: '[?,?,?]' },
      { inputs: '?;[]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2];[]', constants: { 1: 2 }, message: /axis 2 is out of range \[-2, 2\)/ },
      { inputs: '[2];[2]', message: /dim must have one element, got shape \[2\]/ },
    ],
  },
  Squeeze: {
    samples: [
      { name: 'all', inputs: [counting(1, 3, 1)] },
      { name: 'one', inputs: [counting(1, 3, 1)], attrs: { squeeze_dims: [-1] } },
    ],
    shapes: [
      { inputs: '[1,?,1]', outputs: '?' },
      { inputs: '[1,?,1]', attrs: { squeeze_dims: [1] }, outputs: '[1,1]' },
    ],
    errors: [
      { inputs: '[1,3]', attrs: { squeeze_dims: [1] }, message: /dimension 1 of \[1,3\] has size 3/ },
      { inputs: '[1,3]', attrs: { squeeze_dims: [2] }, message: /axis 2 is out of range/ },
    ],
  },
  Transpose: TRANSPOSED,
  ConjugateTranspose: TRANSPOSED,
  InvertPermutation: {
    samples: [{ name: 'five', inputs: [ints(3, 4, 0, 2, 1)] }],
    shapes: [{ inputs: '[?]', outputs: '[?]' }],
    errors: [
      { inputs: '[2,2]', message: /x must be a vector, got shape \[2,2\]/ },
      { inputs: '[2]', constants: { 0: [0, 2] }, message: /\[0,2\] is not a permutation/ },
    ],
  },
  UnravelIndex: {
    samples: [
      { name: 'vector', inputs: [ints(0, 5, 23, 7, 18), ints(2, 3, 4)] },
      { name: 'scalar', inputs: [{ ...ints(17), shape: [] }, ints(4, 5)] },
      { name: 'one dimension', inputs: [ints(3, 1), ints(4)] },
      { name: 'no indices', inputs: [none, ints(4, 5)] },
    ],
    shapes: [
      { inputs: '[?];[3]', outputs: '[3,?]' },
      { inputs: '[];[?]', outputs: '[?]' },
      { inputs: '?;[2]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,2];[2]', message: /indices must be a scalar or a vector, got shape \[2,2\]/ },
      { inputs: '[2];[]', message: /dims must be a vector/ },
      { inputs: '[2];[2]', constants: { 0: [0, 6], 1: [2, 3] }, message: /index 6 is outside of .*\[2,3\]/ },
      { inputs: '[2];[2]', constants: { 1: [2, 0] }, message: /dims must be positive, got 0/ },
    ],
  },
  ReverseV2: {
    samples: [
      { name: 'vector', inputs: [counting(5), ints(0)] },
      { name: 'rows of vectors', inputs: [counting(3, 4), ints(0)] },
      { name: 'two axes', inputs: [counting(2, 3, 4), ints(0, -1)] },
      { name: 'no axes', inputs: [counting(2, 3), none] },
      { name: 'bool', inputs: [bools, ints(1)] },
    ],
    shapes: [{ inputs: '[?,3];[1]', outputs: '[?,3]' }],
    errors: [
      { inputs: '[2,3];[1]', constants: { 1: [2] }, message: /axis 2 is out of range/ },
      { inputs: '[2,3];[2]', constants: { 1: [0, -2] }, message: /axis 0 occurs twice in \[0,-2\]/ },
    ],
  },
  Tile: {
    samples: [
      { name: 'vector', inputs: [counting(3), ints(2)] },
      { name: 'matrix', inputs: [counting(2, 3), ints(2, 2)] },
      { name: 'in vectors', inputs: [counting(3, 4), ints(2, 3)] },
      { name: 'bool', inputs: [bools, ints(2, 1)] },
      { name: 'scalar', inputs: [3, none] },
      { name: 'zero times', inputs: [counting(2, 3), ints(0, 2)] },
    ],
    shapes: [
      { inputs: '[?,3];[2]', constants: { 1: [2, 2] }, outputs: '[?,6]' },
      { inputs: '?;[2]', outputs: '[?,?]' },
    ],
    errors: [
      { inputs: '[2,3];[1]', message: /multiples has 1 elements for an input of shape \[2,3\]/ },
      { inputs: '[2];[1]', constants: { 1: [-1] }, message: /multiples must not be negative, got -1/ },
    ],
  },
} satisfies FamilySamples;

export const ARRAY_SAMPLES = {
  ...MOVES,
  ...ARRAY_JOIN_SAMPLES,
  ...ARRAY_SLICE_SAMPLES,
  ...ARRAY_INDEX_SAMPLES,
  ...ARRAY_BLOCK_SAMPLES,
  ...DATA_FORMAT_SAMPLES,
} satisfies FamilySamples;
