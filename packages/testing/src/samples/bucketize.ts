/** Samples of comparisons with thresholds: values on a boundary, NaN, no boundaries, integers, bools. */
import type { FamilySamples } from '../sample.js';
import { ints, scattered } from './literals.js';

const INTEGERS = 'its results are integers';
const bool = (...value: boolean[]): { value: boolean[]; dtype: 'bool' } => ({ value, dtype: 'bool' });

export const BUCKETIZE_SAMPLES = {
  Bucketize: {
    samples: [
      {
        name: 'floats',
        inputs: [
          [
            [-5, 10000],
            [150, 10],
            [5, 100],
            [0, -0],
          ],
        ],
        attrs: { boundaries: [0, 10, 100] },
      },
      { name: 'not finite', inputs: [[NaN, Infinity, -Infinity]], attrs: { boundaries: [-1.5, 2.5] } },
      { name: 'integers', inputs: [ints(-3, 2, 3, 7, 8, 9)], attrs: { boundaries: [2.5, 3, 8] } },
      { name: 'equal boundaries', inputs: [[0, 1, 2]], attrs: { boundaries: [1, 1, 1] } },
      { name: 'no boundaries', inputs: [[0, 1]], attrs: { boundaries: [] } },
      {
        name: 'many',
        inputs: [scattered(7, 11)],
        attrs: { boundaries: Array.from({ length: 33 }, (_, i) => i / 16 - 1) },
      },
      { name: 'scalar', inputs: [0.5], attrs: { boundaries: [0.1] } },
      { name: 'empty', inputs: [{ value: [], shape: [0, 3] }], attrs: { boundaries: [0] } },
    ].map((sample) => ({ ...sample, skipGradient: INTEGERS })),
    shapes: [{ inputs: '[?,2]', attrs: { boundaries: [1] }, outputs: '[?,2]' }],
    errors: [
      {
        inputs: '[2]',
        attrs: { boundaries: [1, 0] },
        message: /boundaries must be ascending, got 1 before 0/,
      },
      {
        inputs: '[2]',
        dtypes: ['bool'],
        attrs: { boundaries: [1] },
        message: /must be one of int32, int64, float32/,
      },
    ],
  },
  CompareAndBitpack: {
    samples: [
      { name: 'floats', inputs: [scattered(3, 16), 0.25] },
      { name: 'not finite', inputs: [[NaN, Infinity, -Infinity, 1, 2, 0, -0, 3], 0] },
      { name: 'integers', inputs: [ints(1, 2, 3, 4, 5, 6, 7, -8), { value: 3, dtype: 'int32' as const }] },
      {
        name: 'bools',
        inputs: [
          bool(true, false, false, true, true, true, false, true),
          { value: true, dtype: 'bool' as const },
        ],
      },
      { name: 'empty', inputs: [{ value: [], shape: [2, 0] }, 0] },
    ].map((sample) => ({ ...sample, skipGradient: INTEGERS })),
    shapes: [
      { inputs: '[?,16];[]', outputs: '[?,2]' },
      { inputs: '?;[]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,4];[]', message: /the last dimension must be divisible by 8, got shape \[2,4\]/ },
      { inputs: '[];[]', message: /the last dimension must be divisible by 8, got shape \[\]/ },
      { inputs: '[8];[2]', message: /threshold must be a scalar, got shape \[2\]/ },
    ],
  },
} satisfies FamilySamples;
