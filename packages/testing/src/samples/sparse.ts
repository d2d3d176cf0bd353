/** Samples of ops on sparse tensors. */
import type { NestedArray } from '@forerun/graph';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { ints, scattered } from './literals.js';

const longs = (value: NestedArray, ...shape: number[]): SampleInput => ({
  value,
  dtype: 'int64',
  ...(shape.length === 0 ? {} : { shape }),
});
const empty = (...shape: number[]): SampleInput => ({ value: [], shape });

/** `count` elements of a matrix in no order, some of them repeated. */
function matrix(count: number, rows: number, columns: number): SampleInput[] {
  const at = Array.from({ length: count }, (_, k) => [(k * 7 + 3) % rows, (k * k + 5 * k) % columns]).flat();
  return [longs(at, count, 2), scattered(count), longs([rows, columns])];
}

/** Elements of a cube, out of order. */
const CUBE: SampleInput[] = [
  longs([
    [1, 0, 2],
    [0, 1, 1],
    [1, 1, 0],
    [0, 1, 0],
    [1, 0, 2],
  ]),
  { value: [0.5, -1, 2, 3, 0.25] },
  longs([2, 2, 3]),
];
const NOTHING: SampleInput[] = [longs([], 0, 2), empty(0), longs([3, 2])];
const MANY = 'the gradients of few are the same';

const adjoints: Sample[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
].map(([a = false, b = false]) => ({
  name: `adjoint a ${a}, adjoint b ${b}`,
  inputs: [...(a ? matrix(7, 4, 3) : matrix(7, 3, 4)), b ? scattered(5, 4) : scattered(4, 5)],
  attrs: { adjoint_a: a, adjoint_b: b },
}));

const FIT = [
  {
    inputs: '[5,3];[5];[2]',
    message: /_indices of shape \[5,3\] and (a|input)_shape of shape \[2\] differ in rank/,
  },
  {
    inputs: '[5,2];[4];[2]',
    message: /_indices of shape \[5,2\] and (a|input)_values of shape \[4\] differ in number/,
  },
  { inputs: '[5];[5];[1]', message: /_indices must have rank 2, got shape \[5\]/ },
] as const;

/** A matrix of three elements with what there is at their places. */
const cwise: OpSamples = {
  samples: [
    { name: 'a matrix', inputs: [longs([[0, 2], [1, 0], [1, 1]]), [0.5, -3, 2], longs([2, 3]), scattered(2, 3)] }, // prettier-ignore
    { name: 'a row', inputs: [longs([[0, 2], [1, 0], [1, 1]]), [0.5, -3, 2], longs([2, 3]), [4, 2, -0.25]] }, // prettier-ignore
    { name: 'a column', inputs: [longs([[0, 2], [1, 0], [1, 1]]), [0.5, -3, 2], longs([2, 3]), [[4], [-0.25]]] }, // prettier-ignore
    { name: 'a scalar', inputs: [...CUBE, { value: 8 }] },
    { name: 'nothing', inputs: [...NOTHING, scattered(3, 2)] },
  ],
  shapes: [
    { inputs: '[?,2];[5];[2];[3,?]', outputs: '[5]' },
    { inputs: '?;?;?;?', outputs: '[?]' },
  ],
  errors: [
    {
      inputs: '[5,2];[5];[2];[3]',
      constants: { 2: [4, 2] },
      message: /dense of shape \[3\] cannot be repeated to sp_shape \[4,2\]/,
    },
    {
      inputs: '[5,2];[5];[2];[1,1,1]',
      message: /dense of shape \[1,1,1\] cannot be repeated to sp_shape \[\?,\?\]/,
    },
  ],
};

export const SPARSE_SAMPLES = {
  SparseDenseCwiseAdd: cwise,
  SparseDenseCwiseMul: cwise,
  SparseDenseCwiseDiv: cwise,
  SparseReshape: {
    samples: [
      { name: 'a cube to a matrix', inputs: [longs([[1, 0, 2], [0, 1, 1], [1, 1, 0]]), longs([2, 2, 3]), longs([4, 3])] }, // prettier-ignore
      { name: 'a size that follows', inputs: [longs([[0, 0], [3, 5], [2, 1]]), longs([4, 6]), longs([2, -1, 3])] }, // prettier-ignore
      { name: 'a vector to columns', inputs: [longs([[4], [0]]), longs([5]), longs([-1, 1])] },
      { name: 'no elements', inputs: [longs([], 0, 2), longs([3, 2]), longs([6])] },
      { name: 'an axis of size 0', inputs: [longs([], 0, 2), longs([0, 2]), longs([2, 0])] },
      { name: 'many', inputs: [longs(Array.from({ length: 300 }, (_, k) => [(k * 7) % 50, (k * k) % 40])), longs([50, 40]), longs([20, 4, 25])] }, // prettier-ignore
    ],
    shapes: [
      { inputs: '[?,2];[2];[3]', outputs: '[?,3];[3]' },
      { inputs: '?;?;?', outputs: '[?,?];[?]' },
    ],
    // prettier-ignore
    errors: [
      { inputs: '[4,2];[3];[2]', message: /input_indices of shape \[4,2\] and input_shape of 3 elements differ in rank/ },
      { inputs: '[1,2];[2];[1]', constants: { 1: [3, 2], 2: [4] }, message: /input_shape \[3,2\] has 6 elements, which do not fit new_shape \[4\]/ },
      { inputs: '[1,2];[2];[2]', constants: { 2: [-1, -1] }, message: /more than one -1/ },
      { inputs: '[1,2];[2];[2]', constants: { 2: [-2, -3] }, message: /has negative sizes/ },
    ],
  },
  SparseSoftmax: {
    samples: [
      { name: 'rows', inputs: [longs([[0, 0], [0, 3], [2, 1], [3, 0], [3, 1], [3, 2]]), [0.5, -1, 2, 3, 0.25, 1], longs([4, 4])] }, // prettier-ignore
      { name: 'a cube', inputs: [longs([[0, 1, 0], [0, 1, 1], [1, 0, 2], [1, 1, 0], [1, 1, 2]]), [100, 101, -300, 2, 2], longs([2, 2, 3])] }, // prettier-ignore
      { name: 'one element', inputs: [longs([[1, 1]]), [-7], longs([2, 2])], skipGradient: 'it is 0' }, // prettier-ignore
      { name: 'nothing', inputs: NOTHING },
    ],
    shapes: [
      { inputs: '[?,2];[5];[2]', outputs: '[5]' },
      { inputs: '?;?;?', outputs: '[?]' },
    ],
    errors: [
      { inputs: '[5,1];[5];[1]', message: /the sparse tensor must have rank 2 or more, got 1/ },
      {
        inputs: '[5,2];[4];[2]',
        message: /sp_indices of shape \[5,2\] and sp_values of shape \[4\] differ in number/,
      },
    ],
  },
  SparseTensorDenseMatMul: {
    samples: [
      ...adjoints,
      { name: 'rows in vectors', inputs: [...matrix(9, 5, 3), scattered(3, 8)] },
      {
        name: 'indices of 32 bits',
        inputs: [ints([1, 0], [0, 1]), { value: [2, 3] }, longs([2, 2]), scattered(2, 2)],
      },
      { name: 'no elements', inputs: [...NOTHING, scattered(2, 3)] },
      { name: 'no columns', inputs: [...matrix(3, 2, 2), empty(2, 0)] },
      { name: 'no inner dimension', inputs: [longs([], 0, 2), empty(0), longs([3, 0]), empty(0, 2)] },
      {
        name: 'integers',
        inputs: [
          longs([
            [1, 0],
            [1, 1],
          ]),
          ints(3, -2),
          longs([2, 2]),
          ints([1, 2], [3, 4]),
        ],
      },
      { name: 'many', inputs: [...matrix(700, 90, 60), scattered(60, 12)], skipGradient: MANY },
    ],
    shapes: [
      { inputs: '[?,2];[?];[2];[?,5]', outputs: '[?,5]' },
      { inputs: '[?,2];[?];[2];[4,?]', constants: { 2: [3, 4] }, outputs: '[3,?]' },
      {
        inputs: '[7,2];[7];[2];[5,3]',
        constants: { 2: [3, 4] },
        attrs: { adjoint_a: true, adjoint_b: true },
        outputs: '[4,5]',
      },
      { inputs: '?;?;?;?', outputs: '[?,?]' },
    ],
    errors: [
      ...FIT.map((error) => ({ ...error, inputs: `${error.inputs};[4,5]` })),
      {
        inputs: '[7,2];[7];[2];[5,3]',
        constants: { 2: [3, 4] },
        message: /inner dimensions differ: a \[3,4\], b \[5,3\]/,
      },
      { inputs: '[7,3];[7];[3];[5,3]', message: /a_shape must have 2 elements, got 3/ },
      { inputs: '[7,2];[7];[2];[5]', message: /b must have rank 2, got shape \[5\]/ },
    ],
  },

  SparseReorder: {
    samples: [
      { name: 'a cube', inputs: CUBE },
      { name: 'a matrix', inputs: matrix(9, 4, 3) },
      { name: 'a vector', inputs: [longs([[3], [0], [2]]), { value: [1, 2, 3] }, longs([4])] },
      { name: 'no elements', inputs: NOTHING },
      { name: 'no dimensions', inputs: [longs([], 1, 0), { value: [7] }, longs([], 0)] },
      { name: 'bools', inputs: [longs([[1], [0]]), { value: [true, false] }, longs([2])] },
      { name: 'many', inputs: matrix(500, 1000, 70), skipGradient: MANY },
    ],
    shapes: [
      { inputs: '[?,2];[?];[2]', outputs: '[?,2];[?]' },
      { inputs: '[?,?];[7];[3]', outputs: '[7,3];[7]' },
      { inputs: '?;?;?', outputs: '[?,?];[?]' },
    ],
    errors: FIT,
  },

  SparseReduceSum: {
    samples: [
      { name: 'one axis', inputs: [...CUBE, ints(1)] },
      { name: 'from the end', inputs: [...CUBE, ints(-1, 0)] },
      { name: 'dimensions kept', inputs: [...CUBE, ints(2, 0)], attrs: { keep_dims: true } },
      { name: 'all', inputs: [...CUBE, ints(0, 1, 2)] },
      { name: 'none', inputs: [...CUBE, ints()] },
      { name: 'a scalar axis', inputs: [...CUBE, { value: 0, dtype: 'int32' }] },
      { name: 'no elements', inputs: [...NOTHING, ints(1)] },
      {
        name: 'integers',
        inputs: [
          longs([
            [1, 0],
            [1, 1],
          ]),
          ints(3, -2),
          longs([2, 2]),
          ints(1),
        ],
      },
      { name: 'many', inputs: [...matrix(900, 300, 7), ints(1)], skipGradient: MANY },
    ],
    shapes: [
      { inputs: '[?,2];[?];[2];[1]', outputs: '?' },
      { inputs: '[?,2];[?];[2];[1]', constants: { 3: [-1] }, outputs: '[?]' },
      { inputs: '[?,2];[?];[2];[1]', constants: { 2: [3, 4], 3: [0] }, outputs: '[4]' },
      { inputs: '[?,2];[?];[2];[1]', attrs: { keep_dims: true }, outputs: '[?,?]' },
      { inputs: '?;?;?;?', outputs: '?' },
    ],
    errors: [
      ...FIT.map((error) => ({ ...error, inputs: `${error.inputs};[1]` })),
      {
        inputs: '[5,2];[5];[2];[1]',
        constants: { 3: [2] },
        message: /axis 2 is out of range \[-2, 2\)/,
      },
      {
        inputs: '[5,2];[5];[2];[2]',
        constants: { 3: [1, -1] },
        message: /axis 1 is reduced twice/,
      },
      { inputs: '[5,2];[5];[2];[1,1]', message: /reduction_axes must be a scalar or a vector/ },
    ],
  },

  SparseFillEmptyRows: {
    samples: [
      {
        name: 'a matrix',
        inputs: [
          longs([
            [0, 1],
            [2, 0],
            [0, 3],
            [4, 2],
          ]),
          { value: [1, 2, 3, 4] },
          longs([6, 4]),
          0.5,
        ],
      },
      {
        name: 'rows out of order',
        inputs: [
          longs([
            [2, 1],
            [0, 0],
            [2, 0],
          ]),
          { value: [1, 2, 3] },
          longs([3, 2]),
          -1,
        ],
      },
      { name: 'a cube', inputs: [...CUBE.slice(0, 2), longs([3, 2, 3]), 9] },
      { name: 'a vector', inputs: [longs([[1]]), { value: [5] }, longs([3]), 2] },
      { name: 'no elements', inputs: [...NOTHING, 4] },
      { name: 'no rows', inputs: [longs([], 0, 2), empty(0), longs([0, 2]), 4] },
      {
        name: 'full',
        inputs: [
          longs([
            [0, 0],
            [1, 1],
          ]),
          ints(3, 4),
          longs([2, 2]),
          { value: 1, dtype: 'int32' },
        ],
      },
    ],
    shapes: [
      { inputs: '[?,2];[?];[2];[]', outputs: '[?,2];[?];[?];[?]' },
      { inputs: '[4,2];[4];[2];[]', constants: { 2: [3, 9] }, outputs: '[?,2];[?];[3];[4]' },
      {
        inputs: '[2,2];[2];[2];[]',
        dtypes: ['int64', 'float32', 'int64', 'float32'],
        constants: {
          0: [
            [0, 0],
            [2, 0],
          ],
          2: [3, 9],
        },
        outputs: '[3,2];[3];[3];[2]',
      },
      { inputs: '?;?;?;?', outputs: '[?,?];[?];[?];[?]' },
    ],
    errors: [
      {
        inputs: '[2,2];[2];[2];[]',
        dtypes: ['int64', 'float32', 'int64', 'float32'],
        constants: {
          0: [
            [0, 0],
            [3, 0],
          ],
          2: [3, 9],
        },
        message: /indices\[1\] is in row 3, there are 3/,
      },
      { inputs: '[2,2];[2];[2];[1]', message: /default_value must be a scalar, got shape \[1\]/ },
      { inputs: '[2,0];[2];[0];[]', message: /dense_shape must have an element at least/ },
      { inputs: '[2,2];[3];[2];[]', message: /differ in number/ },
    ],
  },

  SparseFillEmptyRowsGrad: {
    samples: [
      { name: 'a few', inputs: [longs([3, 0, 1]), scattered(6)] },
      { name: 'all', inputs: [longs([1, 0]), scattered(2)] },
      { name: 'none', inputs: [longs([], 0), scattered(3)] },
      { name: 'nothing', inputs: [longs([], 0), empty(0)] },
      {
        name: 'many',
        inputs: [longs(Array.from({ length: 200 }, (_, k) => (k * 37) % 300)), scattered(300)],
        skipGradient: MANY,
      },
    ],
    shapes: [
      { inputs: '[?];[5]', outputs: '[?];[]' },
      { inputs: '?;?', outputs: '[?];[]' },
    ],
    errors: [
      { inputs: '[2,1];[3]', message: /reverse_index_map must have rank 1/ },
      {
        inputs: '[2];[3]',
        constants: { 0: [0, 3] },
        message: /reverse_index_map must be in \[0, 3\), got 3/,
      },
    ],
  },
} satisfies FamilySamples;
