/** Samples of the family `segment`. */
import type { NestedArray } from '@forerun/graph';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { BUCKETIZE_SAMPLES } from './bucketize.js';
import { counting, indices, int, ints, none, scattered } from './literals.js';

const wide = (...value: NestedArray[]): SampleInput => ({ value, dtype: 'int64' });
const KINK = 'equal elements: a kink';
const FEW = 'that of few is the same';

/** Samples of an unsorted segment op; `ids` of -1 belong nowhere. */
function unsorted(data: (...shape: number[]) => SampleInput, ...more: Sample[]): OpSamples {
  return {
    samples: [
      { name: 'rows', inputs: [data(5, 2), ints(0, 2, 0, 1, 2), int(4)] },
      { name: 'elements', inputs: [data(6), ints(1, 1, 0, 3, 0, 1), int(4)] },
      { name: 'matrix of ids', inputs: [data(2, 3, 4), ints([0, 1, 0], [2, 2, 1]), int(3)] },
      { name: 'negative ids', inputs: [data(3, 4), ints(-1, 1, -1), int(2)] },
      {
        name: 'ids that are too large',
        inputs: [data(3), ints(1, 7, 0), int(2)],
        skipGradient: 'TensorFlow refuses them',
      },
      { name: 'an id of its own', inputs: [data(3), int(1), int(3)] },
      { name: 'no segments', inputs: [data(2, 3), ints(-1, -1), int(0)] },
      { name: 'no rows', inputs: [{ value: [], shape: [0, 3] }, { value: [], dtype: 'int32' }, int(2)] },
      { name: 'many', inputs: [scattered(400, 2), indices(170, 400), int(170)], skipGradient: FEW },
      {
        name: 'many of few in vectors',
        inputs: [scattered(1200, 8), indices(30, 1200), int(30)],
        skipGradient: FEW,
      },
      { name: 'integers', inputs: [ints(4, -5, 6, 2), ints(0, 2, 0, 2), int(4)] },
      ...more,
    ],
    shapes: [
      { inputs: '[?,3];[?];[]', constants: { 2: 5 }, outputs: '[5,3]' },
      { inputs: '[2,3];[2];[]', outputs: '[?,3]' },
      { inputs: '?;[2];[]', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2,3];[3];[]',
        message: /data \[2,3\] does not begin with the shape of segment_ids \[3\]/,
      },
      { inputs: '[2];[2];[]', constants: { 2: -1 }, message: /num_segments must not be negative, got -1/ },
    ],
  };
}

/** `length` ascending ids of runs of differing lengths, with gaps. */
function ascending(length: number): SampleInput {
  let id = 0;
  const value = Array.from({ length }, (_, i) => (id += i % 7 === 6 ? 2 : i % 3 === 0 ? 1 : 0) - 1);
  return { value, dtype: 'int32' };
}

/** Samples of a segment op with ascending ids. */
function sorted(...more: Sample[]): OpSamples {
  return {
    samples: [
      { name: 'rows', inputs: [scattered(5, 2), ints(0, 0, 1, 3, 3)] },
      { name: 'elements', inputs: [scattered(6), ints(0, 1, 1, 1, 2, 2)] },
      { name: 'in vectors', inputs: [scattered(3, 2, 4), ints(0, 0, 2)] },
      { name: 'one segment', inputs: [scattered(4, 3), ints(0, 0, 0, 0)] },
      { name: 'no rows', inputs: [{ value: [], shape: [0, 3] }, none] },
      { name: 'integers', inputs: [ints(4, -5, 6, 2), ints(0, 0, 1, 1)] },
      { name: 'many', inputs: [scattered(500, 3), ascending(500)], skipGradient: FEW },
      {
        name: 'many of two in vectors',
        inputs: [
          scattered(3000, 16),
          { value: Array.from({ length: 3000 }, (_, i) => (i < 2900 ? 4 : 5)), dtype: 'int32' },
        ],
        skipGradient: FEW,
        tolerance: { rtol: 1e-5, atol: 3e-5 }, // a sum of 2900 numbers
      },
      ...more,
    ],
    shapes: [
      { inputs: '[?,3];[2]', constants: { 1: [0, 4] }, outputs: '[5,3]' },
      { inputs: '[2,3];[?]', outputs: '[?,3]' },
      { inputs: '?;[2]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,3];[3]', message: /segment_ids has 3 elements, data \[2,3\] has 2 rows/ },
      {
        inputs: '[2,3];[2]',
        constants: { 1: [1, 0] },
        message: /segment_ids must ascend from 0 or more, got \[1,0\]/,
      },
      { inputs: '[2];[2]', constants: { 1: [-1, 0] }, message: /segment_ids must ascend from 0 or more/ },
      { inputs: '[2];[2,1]', message: /segment_ids must have rank 1/ },
      { inputs: '[];[2]', message: /data must have rank 1 or more/ },
    ],
  };
}

/** Samples of a segment op over picked rows; `segments` where their number is an input. */
function picked(segments?: number): OpSamples {
  const extra = segments === undefined ? [] : [int(segments)];
  const inputs = (text: string): string => (segments === undefined ? text : `${text};[]`);
  return {
    samples: [
      { name: 'rows', inputs: [scattered(4, 3), ints(2, 0, 2, 1), ints(0, 0, 1, 1), ...extra] },
      { name: 'gaps, in vectors', inputs: [scattered(3, 4), ints(1, 1, 2), ints(0, 2, 2), ...extra] },
      { name: 'elements', inputs: [scattered(3), ints(2, 0), ints(0, 0), ...extra] },
      { name: 'out of range', inputs: [scattered(3, 2), ints(2, 7, -1), ints(0, 0, 1), ...extra] },
      {
        name: 'many',
        inputs: [
          scattered(50, 16),
          indices(50, 3200),
          { value: Array.from({ length: 3200 }, (_, i) => Math.floor(i / 600)), dtype: 'int32' },
          ...(segments === undefined ? [] : [int(6)]),
        ],
        skipGradient: FEW,
        tolerance: { rtol: 1e-5, atol: 2e-5 }, // sums of 600 numbers
      },
    ],
    shapes: [
      {
        inputs: inputs('[?,3];[2];[2]'),
        constants: { 2: [0, 2], ...(segments === undefined ? {} : { 3: 3 }) },
        outputs: '[3,3]',
      },
      { inputs: inputs('[4,3];[?];[2]'), outputs: '[?,3]' },
      { inputs: inputs('?;[2];[2]'), outputs: '?' },
    ],
    errors: [
      { inputs: inputs('[4,3];[2];[3]'), message: /indices has 2 elements, segment_ids has 3/ },
      { inputs: inputs('[4,3];[2];[2]'), constants: { 2: [1, 0] }, message: /segment_ids must ascend/ },
      ...(segments === undefined
        ? []
        : [
            {
              inputs: '[4];[2];[2];[]',
              constants: { 2: [0, 3], 3: 2 },
              message: /num_segments is 2, segment_ids speak of 4/,
            },
          ]),
    ],
  };
}

const pickedGrad: OpSamples = {
  samples: [
    { name: 'rows', inputs: [scattered(2, 3), ints(2, 0, 2, 1), ints(0, 0, 0, 1), int(4)] },
    { name: 'gaps', inputs: [scattered(3, 4), ints(1, 1, 2), ints(0, 2, 2), int(3)] },
    {
      name: 'many',
      inputs: [
        scattered(6, 8),
        indices(50, 1200),
        { value: Array.from({ length: 1200 }, (_, i) => Math.floor(i / 200)), dtype: 'int32' },
        int(50),
      ],
      skipGradient: FEW,
    },
  ],
  shapes: [
    { inputs: '[?,3];[2];[2];[]', constants: { 3: 5 }, outputs: '[5,3]' },
    { inputs: '?;?;?;[]', outputs: '?' },
  ],
  errors: [
    { inputs: '[4,3];[2];[3];[]', message: /indices has 2 elements, segment_ids has 3/ },
    { inputs: '[4,3];[2];[2];[]', constants: { 3: -2 }, message: /output_dim0 must not be negative, got -2/ },
  ],
};

const rowsGrad: OpSamples = {
  samples: pickedGrad.samples,
  shapes: [
    { inputs: '[?,3];[3];[3];[]', constants: { 1: [4, 0, 4], 3: 5 }, outputs: '[2,3];[2]' },
    { inputs: '[2,3];[3];[3];[]', outputs: '[?,3];[?]' },
    { inputs: '?;?;?;[]', outputs: '?;[?]' },
  ],
  errors: [
    { inputs: '[4,3];[2];[3];[]', message: /indices has 2 elements, segment_ids has 3/ },
    {
      inputs: '[4,3];[2];[2];[]',
      constants: { 1: [0, 3], 3: 3 },
      message: /indices\[1\] is 3, there are 3 rows/,
    },
  ],
};

const empty: SampleInput = { value: [], dtype: 'float32' };

export const SEGMENT_SAMPLES = {
  ...BUCKETIZE_SAMPLES,
  SegmentSum: sorted(),
  SegmentMean: sorted(),
  SegmentProd: sorted({ name: 'a zero', inputs: [[2, 0, 3, 5], ints(0, 0, 0, 1)] }),
  SegmentMax: sorted({ name: 'equal', inputs: [[2, 2, 1, 5], ints(0, 0, 0, 1)], skipGradient: KINK }),
  SegmentMin: sorted({ name: 'equal', inputs: [[2, 2, 3, 5], ints(0, 0, 0, 1)], skipGradient: KINK }),
  SparseSegmentSum: picked(),
  SparseSegmentMean: picked(),
  SparseSegmentSqrtN: picked(),
  SparseSegmentSumWithNumSegments: picked(4),
  SparseSegmentMeanWithNumSegments: picked(4),
  SparseSegmentSqrtNWithNumSegments: picked(4),
  SparseSegmentSumGrad: pickedGrad,
  SparseSegmentSumGradV2: rowsGrad,
  SparseSegmentMeanGradV2: rowsGrad,
  SparseSegmentSqrtNGradV2: rowsGrad,
  SparseSegmentMeanGrad: pickedGrad,
  SparseSegmentSqrtNGrad: pickedGrad,
  DenseBincount: {
    samples: [
      { name: 'a vector', inputs: [ints(1, 3, 1, 0, 9), int(4), none], attrs: { T: 'int32' } },
      { name: 'rows', inputs: [ints([1, 2, 2], [1, 5, 0]), int(3), empty] },
      { name: 'weights', inputs: [ints(1, 3, 1, 0, 9), int(5), [0.5, 2, 3, 4, 5]] },
      { name: 'weights of rows', inputs: [ints([1, 3, 1], [0, 9, 1]), int(4), scattered(2, 3)] },
      {
        name: 'what occurs',
        inputs: [ints([1, 1, 0], [2, 7, 2]), int(3), scattered(2, 3)],
        attrs: { binary_output: true },
        skipGradient: 'weights do not count',
      },
      {
        name: 'what occurs in a vector',
        inputs: [ints(1, 1, 4), int(3), empty],
        attrs: { binary_output: true },
      },
      { name: 'no rows', inputs: [{ value: [], shape: [0, 2], dtype: 'int32' }, int(2), empty] },
    ],
    shapes: [
      {
        inputs: '[?,3];[];[0]',
        dtypes: ['int32', 'int32', 'float32'],
        constants: { 1: 5 },
        outputs: '[?,5]',
      },
      { inputs: '[3];[];[3]', dtypes: ['int64', 'int64', 'float32'], outputs: '[?]' },
      { inputs: '?;[];?', dtypes: ['int32', 'int32', 'float32'], outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2,3,4];[];[0]',
        dtypes: ['int32', 'int32', 'float32'],
        message: /input must have rank 1 or 2, got shape \[2,3,4\]/,
      },
      {
        inputs: '[3];[];[2]',
        dtypes: ['int32', 'int32', 'float32'],
        message: /weights must be empty or have the shape of input, \[3\], got \[2\]/,
      },
      {
        inputs: '[3];[];[0]',
        dtypes: ['int32', 'int32', 'float32'],
        constants: { 1: -1 },
        message: /size must not be negative, got -1/,
      },
    ],
  },
  Bincount: {
    samples: [
      { name: 'counts', inputs: [ints(1, 3, 1, 0, 9), int(4), none], attrs: { T: 'int32' } },
      { name: 'counts as floats', inputs: [ints([1, 2], [1, 5]), int(3), empty] },
      {
        name: 'weights',
        inputs: [ints(1, 3, 1, 0, 9), int(5), [0.5, 2, 3, 4, 5]],
      },
      {
        name: 'weights beyond the bins',
        inputs: [
          ints([1, 3], [0, 9]),
          int(3),
          [
            [1, 2],
            [3, 4],
          ],
        ],
      },
      { name: 'no bins', inputs: [ints(1, 2), int(0), none], attrs: { T: 'int32' } },
      { name: 'nothing', inputs: [none, int(2), none], attrs: { T: 'int32' } },
      {
        name: 'many weights',
        inputs: [indices(300, 400), int(300), scattered(400)],
      },
    ],
    shapes: [
      { inputs: '[?];[];[0]', constants: { 1: 5 }, outputs: '[5]' },
      { inputs: '?;[];?', outputs: '[?]' },
    ],
    errors: [
      { inputs: '[3];[];[2]', message: /weights must be empty or have the shape of arr, \[3\], got \[2\]/ },
      { inputs: '[3];[];[0]', constants: { 1: -1 }, message: /size must not be negative, got -1/ },
    ],
  },
  SparseBincount: {
    samples: [
      {
        name: 'a matrix',
        inputs: [wide([0, 1], [0, 2], [2, 0], [2, 3]), ints(1, 1, 0, 7), wide(3, 4), int(3), empty],
      },
      {
        name: 'weights',
        inputs: [wide([0, 1], [1, 2], [1, 3]), ints(1, 2, 2), wide(2, 4), int(3), [0.5, 2, 3]],
      },
      {
        name: 'what occurs in a vector',
        inputs: [wide([0], [3], [4]), ints(1, 1, 2), wide(5), int(4), empty],
        attrs: { binary_output: true },
      },
    ],
    shapes: [
      {
        inputs: '[?,2];[?];[2];[];[0]',
        dtypes: ['int64', 'int32', 'int64', 'int32', 'float32'],
        constants: { 3: 5 },
        outputs: '[?,5]',
      },
      { inputs: '?;?;?;[];?', dtypes: ['int64', 'int32', 'int64', 'int32', 'float32'], outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2,3];[2];[3];[];[0]',
        dtypes: ['int64', 'int32', 'int64', 'int32', 'float32'],
        message: /dense_shape must have 1 or 2 sizes, got 3/,
      },
      {
        inputs: '[2,1];[2];[1];[];[3]',
        dtypes: ['int64', 'int32', 'int64', 'int32', 'float32'],
        message: /weights must be empty or have the shape of values, \[2\], got \[3\]/,
      },
    ],
  },
  RaggedBincount: {
    samples: [
      { name: 'rows', inputs: [wide(0, 2, 2, 5), ints(1, 1, 0, 7, 2), int(3), empty] },
      { name: 'weights', inputs: [wide(0, 1, 4), ints(1, 2, 2, 0), int(3), [0.5, 2, 3, -1]] },
      {
        name: 'what occurs',
        inputs: [wide(0, 3, 3), ints(1, 1, 2), int(4), empty],
        attrs: { binary_output: true },
      },
    ],
    shapes: [
      {
        inputs: '[4];[?];[];[0]',
        dtypes: ['int64', 'int32', 'int32', 'float32'],
        constants: { 2: 5 },
        outputs: '[3,5]',
      },
      { inputs: '?;?;[];?', dtypes: ['int64', 'int32', 'int32', 'float32'], outputs: '[?,?]' },
    ],
    errors: [
      {
        inputs: '[0];[2];[];[0]',
        dtypes: ['int64', 'int32', 'int32', 'float32'],
        message: /splits must not be empty/,
      },
      {
        inputs: '[2];[2];[];[0]',
        dtypes: ['int64', 'int32', 'int32', 'float32'],
        constants: { 2: -1 },
        message: /size must not be negative, got -1/,
      },
    ],
  },
  HistogramFixedWidth: {
    samples: [
      { name: 'floats', inputs: [[-1, 0, 1.5, 2, 5, 15], [0, 5], int(5)] },
      { name: 'integers', inputs: [ints(1, 2, 3, 4, 9), ints(0, 10), int(3)] },
      { name: 'many', inputs: [scattered(100, 10), [-0.9, 1], int(7)] },
    ].map((sample) => ({ ...sample, skipGradient: 'none is defined' })),
    shapes: [
      { inputs: '[?];[2];[]', constants: { 2: 5 }, outputs: '[5]' },
      { inputs: '?;?;[]', outputs: '[?]' },
    ],
    errors: [
      { inputs: '[3];[3];[]', message: /value_range must have shape \[2\], got \[3\]/ },
      { inputs: '[3];[2];[]', constants: { 2: 0 }, message: /nbins must be 1 or more, got 0/ },
    ],
  },
  UnsortedSegmentSum: unsorted(counting),
  UnsortedSegmentProd: unsorted(
    scattered,
    { name: 'a zero', inputs: [[2, 0, 3, 5], ints(0, 0, 0, 1), int(2)] },
    {
      name: 'two zeros',
      inputs: [[2, 0, 0, 5], ints(0, 0, 0, 1), int(2)],
      skipGradient: 'the second order is missing',
    },
  ),
  UnsortedSegmentMax: unsorted(
    scattered,
    { name: 'equal', inputs: [[2, 2, 1, 5], ints(0, 0, 0, 1), int(3)], skipGradient: KINK },
    { name: 'not finite', inputs: [[NaN, 2, -Infinity, 5], ints(0, 0, 1, 2), int(3)], skipGradient: 'NaN' },
  ),
  UnsortedSegmentMin: unsorted(
    scattered,
    { name: 'equal', inputs: [[2, 2, 3, 5], ints(0, 0, 0, 1), int(3)], skipGradient: KINK },
    { name: 'not finite', inputs: [[NaN, 2, Infinity, 5], ints(0, 0, 1, 2), int(3)], skipGradient: 'NaN' },
  ),
} satisfies FamilySamples;
