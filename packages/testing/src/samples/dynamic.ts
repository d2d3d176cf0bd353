/** Samples of the family `dynamic`. */
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { counting, indices, int, ints, none, scattered } from './literals.js';

const NONE = 'none is defined';
const axis = (...value: number[]): SampleInput => ({ value, dtype: 'int64' });

const LISTS: readonly Sample[] = [
  { name: 'integers', inputs: [ints(1, 1, 2, 4, 4, 4, 7, 8, 8, 1)] },
  { name: 'floats', inputs: [[0.5, -0, 0, 0.5, NaN, Infinity]], skipGradient: NONE },
  { name: 'empty', inputs: [none] },
];

/** Samples of unique without an axis; `counts` adds an output. */
function unique(counts: boolean): OpSamples {
  const more = counts ? ';[?]' : '';
  return {
    samples: LISTS,
    shapes: [
      { inputs: '[5]', outputs: `[?];[5]${more}` },
      { inputs: '[?]', outputs: `[?];[?]${more}` },
      { inputs: '?', outputs: `[?];[?]${more}` },
      {
        inputs: '[4]',
        dtypes: ['int32'],
        constants: { 0: [3, 3, 1, 3] },
        outputs: `[2];[4]${counts ? ';[2]' : ''}`,
      },
    ],
    errors: [{ inputs: '[2,2]', message: /x must have rank 1, got shape \[2,2\]/ }],
  };
}

function uniqueSlices(counts: boolean): OpSamples {
  const more = counts ? ';[?]' : '';
  return {
    samples: [
      ...LISTS.map((sample) => ({ ...sample, inputs: [...sample.inputs, axis()] })),
      { name: 'rows', inputs: [ints([1, 0, 0], [1, 0, 0], [2, 0, 0]), axis(0)] },
      { name: 'columns', inputs: [ints([1, 0, 0], [1, 0, 0], [2, 0, 0]), axis(-1)] },
      {
        name: 'floats',
        inputs: [
          [
            [1, 2],
            [0, 2],
            [1, 2],
          ],
          axis(0),
        ],
        skipGradient: NONE,
      },
    ].filter(({ name }, i) => name !== 'floats' || i > 2),
    shapes: [
      { inputs: '[5,3];[1]', constants: { 1: [1] }, outputs: `[5,?];[3]${more}` },
      { inputs: '[5,3];[1]', outputs: `[?,?];[?]${more}` },
      { inputs: '?;[1]', outputs: `?;[?]${more}` },
    ],
    errors: [
      { inputs: '[2,2];[1]', constants: { 1: [2] }, message: /axis 2 is out of range \[-2, 2\)/ },
      { inputs: '[2,2];[2]', message: /axis must have one element or none, got 2/ },
      { inputs: '[2,2];[0]', message: /without an axis x must be a vector, got shape \[2,2\]/ },
    ],
  };
}

/** Samples of stitches: N lists of indices, then N lists of rows. */
function stitch(...more: Sample[]): OpSamples {
  return {
    samples: [
      { name: 'rows', inputs: [ints(4, 0), ints(2, 1, 3), scattered(2, 3), scattered(3, 3)] },
      {
        name: 'of a scalar and matrices',
        inputs: [int(6), ints([4, 1], [5, 2]), ints(0, 3), [7, 8], scattered(2, 2, 2), scattered(2, 2)],
      },
      { name: 'gaps', inputs: [ints(5, 1), none, scattered(2), { value: [], shape: [0] }] },
      { name: 'in vectors', inputs: [ints(1), ints(0), scattered(1, 8), scattered(1, 8)] },
      { name: 'integers', inputs: [ints(1, 0), ints(2), ints(4, 5), ints(6)] },
      ...more,
    ],
    shapes: [
      { inputs: '[2];[?];[2,3];[?,3]', constants: { 0: [4, 0] }, outputs: '[?,3]', attrs: { N: 2 } },
      { inputs: '[2];[1];[2,3];[1,?]', constants: { 0: [4, 0], 1: [7] }, outputs: '[8,3]', attrs: { N: 2 } },
      { inputs: '?;?;?;?', outputs: '?', attrs: { N: 2 } },
    ],
    errors: [
      {
        inputs: '[2];[3,1]',
        attrs: { N: 1 },
        message: /data 0 of shape \[3,1\] does not begin with the shape of its indices \[2\]/,
      },
      {
        inputs: '[2];[2];[2,3];[2,4]',
        attrs: { N: 2 },
        message: /rows differ: those of data 1 have shape \[4\], the others \[3\]/,
      },
      {
        inputs: '[2];[2]',
        attrs: { N: 1 },
        constants: { 0: [0, -1] },
        message: /indices must not be negative, got -1/,
      },
    ],
  };
}

export const DYNAMIC_SAMPLES = {
  Where: {
    samples: [
      {
        name: 'matrix',
        inputs: [
          {
            value: [
              [true, false],
              [false, true],
              [true, true],
            ],
          },
        ],
      },
      { name: 'none', inputs: [{ value: [false, false] }] },
      { name: 'floats', inputs: [[[[0, 2, -0]], [[NaN, 0, 1]]]], skipGradient: NONE },
      { name: 'a scalar', inputs: [{ value: true }] },
      { name: 'empty', inputs: [{ value: [], shape: [0, 3], dtype: 'bool' }] },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[?,2]' },
      { inputs: '[3]', constants: { 0: [true, false, true] }, outputs: '[2,1]' },
      { inputs: '?', outputs: '[?,?]' },
    ],
    errors: [{ inputs: '[2]', dtypes: ['string'], message: /must be one of/ }],
  },
  Unique: unique(false),
  UniqueWithCounts: unique(true),
  UniqueV2: uniqueSlices(false),
  UniqueWithCountsV2: uniqueSlices(true),
  ListDiff: {
    samples: [
      { name: 'integers', inputs: [ints(1, 2, 3, 4, 5, 6), ints(1, 3, 5)] },
      {
        name: 'floats',
        inputs: [
          [0.5, 2, 2, -0],
          [0, 7],
        ],
        skipGradient: NONE,
      },
      { name: 'nothing left', inputs: [ints(1, 1), ints(1)], attrs: { out_idx: 'int64' } },
      { name: 'empty', inputs: [none, ints(1)] },
    ],
    shapes: [
      { inputs: '[?];[3]', outputs: '[?];[?]' },
      {
        inputs: '[3];[1]',
        dtypes: ['int32', 'int32'],
        constants: { 0: [1, 2, 3], 1: [2] },
        outputs: '[2];[2]',
      },
      { inputs: '?;?', outputs: '[?];[?]' },
    ],
    errors: [
      { inputs: '[2,2];[3]', message: /x must have rank 1/ },
      { inputs: '[2];[]', message: /y must have rank 1/ },
    ],
  },
  RaggedTensorToTensor: {
    samples: [
      {
        name: 'row splits',
        inputs: [int(-1), [1, 2, 3, 4, 5], 0.5, ints(0, 2, 2, 5)],
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_SPLITS'] },
        skipGradient: NONE,
      },
      {
        name: 'row ids, cut and filled',
        inputs: [ints(4, 2), ints(1, 2, 3, 4, 5), int(-7), int(3), ints(0, 0, 2, 2, 2)],
        attrs: { num_row_partition_tensors: 2, row_partition_types: ['FIRST_DIM_SIZE', 'VALUE_ROWIDS'] },
      },
      {
        name: 'two ragged dimensions of rows',
        inputs: [ints(-1, -1, 3, -1), counting(5, 2), [8, 9], ints(0, 1, 3), ints(0, 0, 4, 5)],
        attrs: { num_row_partition_tensors: 2, row_partition_types: ['ROW_SPLITS', 'ROW_SPLITS'] },
        skipGradient: NONE,
      },
      {
        name: 'no rows',
        inputs: [int(-1), none, int(1), ints(0)],
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_SPLITS'] },
        skipGradient: NONE,
      },
    ],
    shapes: [
      {
        inputs: '[2];[?];[];[?]',
        dtypes: ['int64', 'float32', 'float32', 'int64'],
        constants: { 0: [-1, 8] },
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_SPLITS'] },
        outputs: '[?,8]',
      },
      {
        inputs: '[];?;[];[?]',
        dtypes: ['int64', 'float32', 'float32', 'int64'],
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_SPLITS'] },
        outputs: '?',
      },
    ],
    errors: [
      {
        inputs: '[];[5];[];[3]',
        dtypes: ['int64', 'float32', 'float32', 'int64'],
        constants: { 3: [0, 3, 2] },
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_SPLITS'] },
        message: /row splits must rise from 0; they are \[0, 3, 2\]/,
      },
      {
        inputs: '[3];[5];[];[3]',
        dtypes: ['int64', 'float32', 'float32', 'int64'],
        constants: { 0: [1, 2, 3] },
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_SPLITS'] },
        message: /shape must have 2 sizes, got \[1, 2, 3\]/,
      },
      {
        inputs: '[];[5];[];[3]',
        dtypes: ['int64', 'float32', 'float32', 'int64'],
        attrs: { num_row_partition_tensors: 1, row_partition_types: ['ROW_LENGTHS'] },
        message: /must have FIRST_DIM_SIZE, VALUE_ROWIDS, ROW_SPLITS, got ROW_LENGTHS/,
      },
    ],
  },
  DynamicPartition: {
    samples: [
      { name: 'rows', inputs: [scattered(5, 2), ints(0, 2, 0, 1, 2)], attrs: { num_partitions: 3 } },
      { name: 'an empty part', inputs: [scattered(3), ints(2, 0, 2)], attrs: { num_partitions: 4 } },
      {
        name: 'matrix of numbers',
        inputs: [scattered(2, 2, 3), ints([0, 1], [1, 0])],
        attrs: { num_partitions: 2 },
      },
      { name: 'a scalar', inputs: [counting(3), int(1)], attrs: { num_partitions: 2 } },
      { name: 'integers', inputs: [ints(4, 5), ints(0, 0)], attrs: { num_partitions: 1 } },
    ],
    shapes: [
      { inputs: '[?,3];[?]', outputs: '[?,3];[?,3]', attrs: { num_partitions: 2 } },
      {
        inputs: '[3,?];[3]',
        constants: { 1: [1, 0, 1] },
        outputs: '[1,?];[2,?]',
        attrs: { num_partitions: 2 },
      },
      { inputs: '?;[2]', outputs: '?;?', attrs: { num_partitions: 2 } },
    ],
    errors: [
      {
        inputs: '[3,2];[2]',
        attrs: { num_partitions: 2 },
        message: /data \[3,2\] does not begin with the shape of partitions \[2\]/,
      },
      {
        inputs: '[2];[2]',
        constants: { 1: [0, 2] },
        attrs: { num_partitions: 2 },
        message: /partitions must be in \[0, 2\), got 2/,
      },
    ],
  },
  DynamicStitch: stitch(
    {
      name: 'repeated',
      inputs: [ints(0, 2), ints(2, 1, 2), scattered(2, 2), counting(3, 2)],
      skipGradient: 'TensorFlow passes gradients to rows that were replaced, too',
    },
    {
      name: 'many',
      inputs: [indices(300, 300), ints(7), scattered(300, 2), scattered(1, 2)],
      skipGradient: 'that of few is the same',
    },
  ),
  ParallelDynamicStitch: stitch(),
} satisfies FamilySamples;
