/** Samples of the family `sort`. */
import type { FamilySamples, Sample } from '../sample.js';
import { counting, int, ints, scattered } from './literals.js';

const TIES = 'equal elements: a kink';

const TOP: readonly (Sample & { readonly k: number })[] = [
  { name: 'three of a row', k: 3, inputs: [scattered(2, 7)] },
  { name: 'equal', k: 4, inputs: [[1, 3, 3, 0, 3, 1]], skipGradient: TIES },
  { name: 'all of some boxes', k: 5, inputs: [scattered(2, 3, 5)] },
  { name: 'none', k: 0, inputs: [scattered(2, 3)] },
  { name: 'no rows', k: 2, inputs: [scattered(0, 3)] },
  {
    name: 'all of a long row',
    k: 137,
    inputs: [scattered(2, 137)],
    skipGradient: 'that of short rows is the same',
  },
  {
    name: 'a few of a long row',
    k: 5,
    inputs: [scattered(3, 1000)],
    skipGradient: 'that of short rows is the same',
  },
  {
    name: 'more than a run',
    k: 40,
    inputs: [scattered(2, 100)],
    skipGradient: 'that of short rows is the same',
  },
  { name: 'integers', k: 3, inputs: [ints([5, -7, 2147483647, -2147483648], [1, 1, 2, 0])] },
  { name: 'bytes', k: 2, inputs: [{ value: [3, 200, 7], dtype: 'uint8' }] },
  { name: 'not finite', k: 6, inputs: [[1, -Infinity, NaN, Infinity, -0, 0]], skipGradient: 'NaN' },
];

export const SORT_SAMPLES = {
  TopK: {
    samples: TOP.map(({ k, ...sample }) => ({ ...sample, attrs: { k } })),
    shapes: [
      { inputs: '[?,9]', outputs: '[?,4];[?,4]', attrs: { k: 4 } },
      { inputs: '?', outputs: '?;?', attrs: { k: 4 } },
    ],
    errors: [
      { inputs: '[2,3]', attrs: { k: 4 }, message: /k = 4 exceeds the last dimension of \[2,3\]/ },
      { inputs: '[]', attrs: { k: 1 }, message: /input must have rank 1 or more/ },
    ],
  },
  TopKV2: {
    samples: TOP.map(({ k, inputs, ...sample }) => ({ ...sample, inputs: [...inputs, int(k)] })),
    shapes: [
      { inputs: '[?,9];[]', constants: { 1: 4 }, outputs: '[?,4];[?,4]' },
      { inputs: '[2,9];[]', outputs: '[2,?];[2,?]' },
      { inputs: '?;[]', outputs: '?;?' },
    ],
    errors: [
      { inputs: '[2,3];[]', constants: { 1: 4 }, message: /k = 4 exceeds the last dimension of \[2,3\]/ },
      { inputs: '[2,3];[]', constants: { 1: -1 }, message: /k must not be negative, got -1/ },
      { inputs: '[2,3];[2]', message: /k must be a scalar, got shape \[2\]/ },
    ],
  },
  NthElement: {
    samples: [
      { name: 'the third', inputs: [scattered(3, 6), int(2)] },
      { name: 'from the largest', inputs: [scattered(2, 2, 5), int(1)], attrs: { reverse: true } },
      { name: 'equal', inputs: [[1, 3, 3, 0], int(2)], skipGradient: TIES },
      { name: 'a median', inputs: [scattered(101), int(50)], skipGradient: 'that of short rows is the same' },
      { name: 'integers', inputs: [ints(4, 1, 9), int(1)] },
    ],
    shapes: [
      { inputs: '[?,5];[]', outputs: '[?]' },
      { inputs: '?;[]', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2,3];[]',
        constants: { 1: 3 },
        message: /n = 3 is out of range for the last dimension of \[2,3\]/,
      },
      { inputs: '[];[]', message: /input must have rank 1 or more/ },
    ],
  },
  LowerBound: {
    samples: [
      {
        name: 'rows',
        inputs: [
          [
            [0, 3, 9, 9, 10],
            [1, 2, 3, 4, 5],
          ],
          [
            [2, 4, 9],
            [0, 2, 6],
          ],
        ],
      },
      { name: 'integers', inputs: [ints([-3, 0, 5]), ints([-4, -3, 6, 1])] },
      { name: 'empty rows', inputs: [{ value: [], shape: [2, 0] }, counting(2, 3)] },
      { name: 'int64', inputs: [[[1, 2]], [[2]]], attrs: { out_type: 'int64' } },
    ],
    shapes: [
      { inputs: '[?,5];[2,?]', outputs: '[2,?]' },
      { inputs: '?;?', outputs: '[?,?]' },
    ],
    errors: [
      { inputs: '[5];[3]', message: /sorted_inputs must have rank 2, got shape \[5\]/ },
      { inputs: '[2,5];[3,1]', message: /differ in their number of rows/ },
    ],
  },
  UpperBound: {
    samples: [
      {
        name: 'rows',
        inputs: [
          [
            [0, 3, 9, 9, 10],
            [1, 2, 3, 4, 5],
          ],
          [
            [2, 4, 9],
            [0, 2, 6],
          ],
        ],
      },
      { name: 'integers', inputs: [ints([-3, 0, 5]), ints([-4, -3, 6, 1])] },
      { name: 'empty', inputs: [counting(2, 3), { value: [], shape: [2, 0] }] },
    ],
    shapes: [
      { inputs: '[?,5];[2,?]', outputs: '[2,?]' },
      { inputs: '?;?', outputs: '[?,?]' },
    ],
    errors: [
      { inputs: '[2,5];[3]', message: /values must have rank 2, got shape \[3\]/ },
      { inputs: '[2,5];[3,1]', message: /differ in their number of rows/ },
    ],
  },
} satisfies FamilySamples;
