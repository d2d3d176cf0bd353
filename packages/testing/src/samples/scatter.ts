/** Samples of the family `scatter`. */
import type { OpName } from '@forerun/graph';
import { byReference } from './byReference.js';
import { SPARSE_SAMPLES } from './sparse.js';
import { SPARSE_DENSE_SAMPLES } from './sparseDense.js';
import type { ErrorCase, FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { counting, indices, int, ints, none, scattered } from './literals.js';

const TIES = 'with equal updates of one row the extreme has a kink';
const REPEATED =
  'of repeated updates the last one stays, which differences see and the gradient of TensorFlow does not';

const NO_MATCH: ErrorCase = {
  inputs: '[4,3];[2,1];[2,4]',
  message: /updates must have shape \[2,3\], got \[2,4\]/,
};

/** Samples that tensors and updates of all kinds share; `many` rows take another way than few. */
function tensorScatter(skip: { repeated?: string; ties?: string } = {}): OpSamples {
  const samples: Sample[] = [
    { name: 'elements', inputs: [scattered(3, 4), ints([0, 1], [2, 3], [1, 1]), [0.3, -2, 5]] },
    {
      name: 'rows in vectors',
      inputs: [scattered(4, 4), ints([2], [0]), scattered(2, 4)],
      ...skipOf(skip.ties),
    },
    {
      name: 'repeated',
      inputs: [scattered(4, 3), ints([2], [0], [2], [2]), counting(4, 3)],
      ...skipOf(skip.repeated),
    },
    { name: 'out of range', inputs: [scattered(3), ints([5], [1], [-1]), [2, 3, 4]] },
    {
      name: 'whole',
      inputs: [
        scattered(2, 2),
        { value: [], shape: [1, 0], dtype: 'int32' },
        [
          [
            [3, 4],
            [5, 6],
          ],
        ],
      ],
    },
    {
      name: 'no updates',
      inputs: [scattered(3, 2), { value: [], shape: [0, 1], dtype: 'int32' }, { value: [], shape: [0, 2] }],
    },
    {
      name: 'matrix of indices',
      inputs: [
        scattered(5),
        { value: [0, 3, 4, 1], shape: [2, 2, 1], dtype: 'int32' },
        [
          [9, 8],
          [7, 6],
        ],
      ],
    },
    {
      name: 'many',
      inputs: [scattered(250, 2), indices(250, 300, 1), scattered(300, 2)],
      skipGradient: 'that of few is the same',
    },
    {
      name: 'many of one row in vectors',
      inputs: [scattered(16, 16), indices(3, 1100, 1), scattered(1100, 16)],
      skipGradient: 'that of few is the same',
    },
    { name: 'integers', inputs: [ints(1, 2, 3), ints([1], [1]), ints(3, 4)] },
  ];
  return {
    samples,
    shapes: [
      { inputs: '[?,3];[2,1];[2,3]', outputs: '[?,3]' },
      { inputs: '[4,?];[?,1];?', outputs: '[4,?]' },
      { inputs: '?;?;?', outputs: '?' },
    ],
    errors: [
      NO_MATCH,
      {
        inputs: '[4];[2,2];[2]',
        message: /index vectors have 2 elements, the indexed tensor has shape \[4\]/,
      },
      { inputs: '[4];[];[]', message: /indices must have rank 1 or more/ },
    ],
  };
}

function skipOf(skipGradient: string | undefined): { skipGradient?: string } {
  return skipGradient === undefined ? {} : { skipGradient };
}

/** Updates of rows of a variable. */
function rows(...more: Sample[]): OpSamples {
  const attrs = { dtype: 'float32' };
  return {
    samples: [
      { name: 'rows', inputs: [scattered(4, 3), ints(2, 0), counting(2, 3)], attrs },
      { name: 'repeated rows in vectors', inputs: [scattered(4, 4), ints(2, 0, 2), counting(3, 4)], attrs },
      {
        name: 'elements at a matrix of indices',
        inputs: [scattered(5), ints([4, 0], [1, 1]), counting(2, 2)],
        attrs,
      },
      { name: 'one number', inputs: [scattered(4, 4), ints(1, 3, 1), 2.5], attrs },
      { name: 'out of range', inputs: [scattered(3, 2), ints(3, -1, 1), counting(3, 2)], attrs },
      { name: 'a single index', inputs: [scattered(3, 2), int(1), [5, 6]], attrs },
      { name: 'no updates', inputs: [scattered(3, 2), none, { value: [], shape: [0, 2] }], attrs },
      {
        name: 'many',
        inputs: [scattered(300, 2), indices(300, 280), { ...counting(280, 2) }],
        attrs,
        tolerance: { rtol: 2e-5 },
      },
      ...more,
    ],
    shapes: [
      { inputs: '[4,3];[?];[?,3]', outputs: '', attrs },
      { inputs: '[4,3];?;?', outputs: '', attrs },
    ],
    errors: [
      {
        inputs: '[4,3];[2];[2,4]',
        attrs,
        message: /updates must be a scalar or have shape \[2,3\], got \[2,4\]/,
      },
      { inputs: '[];[2];[2]', attrs, message: /the variable must have rank 1 or more/ },
      {
        inputs: '[4];[2];[2]',
        attrs: { dtype: 'int32' },
        dtypes: ['float32', 'int32', 'int32'],
        message: /the variable is float32, attribute "dtype" says int32/,
      },
    ],
  };
}

/** Updates of parts of a variable. */
const vectors: OpSamples = {
  samples: [
    { name: 'elements', inputs: [scattered(3, 4), ints([0, 1], [2, 3], [1, 1]), [3, -2, 5]] },
    { name: 'repeated rows in vectors', inputs: [scattered(4, 4), ints([2], [0], [2]), counting(3, 4)] },
    { name: 'out of range', inputs: [scattered(3), ints([5], [1]), [2, 3]] },
    { name: 'many', inputs: [scattered(300, 4), indices(300, 300, 1), scattered(300, 4)] },
  ],
  shapes: [
    { inputs: '[4,3];[?,1];[?,3]', outputs: '', attrs: { T: 'float32' } },
    { inputs: '[4,3];?;?', outputs: '', attrs: { T: 'float32' } },
  ],
  errors: [{ ...NO_MATCH, attrs: { T: 'float32' } }],
};

const integers: Sample = {
  name: 'integers',
  inputs: [ints(7, 9, 100), ints(2, 0, 2), ints(3, -2, 5)],
  attrs: { dtype: 'int32' },
};

/** Rows of a tensor of four. */
function inplace(rows: readonly number[]): OpSamples {
  const i = { value: [...rows], dtype: 'int32' } as const;
  const numbers = (shape: readonly number[], dtype: 'float32' | 'int32'): SampleInput => {
    const size = shape.reduce((a, b) => a * b, 1);
    return { value: Array.from({ length: size }, (_, k) => ((k * 7) % 11) - 4), shape, dtype };
  };
  return {
    samples: [
      { name: 'rows', inputs: [numbers([4, 3], 'float32'), i, numbers([rows.length, 3], 'float32')] },
      { name: 'elements', inputs: [numbers([4], 'int32'), i, numbers([rows.length], 'int32')] },
      {
        name: 'none',
        inputs: [
          numbers([4, 2], 'float32'),
          { value: [], dtype: 'int32', shape: [0] },
          numbers([0, 2], 'float32'),
        ],
      },
    ],
    shapes: [
      { inputs: '[?,3];[?];[2,3]', outputs: '[?,3]' },
      { inputs: '?;[2];?', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[4,3];[2];[2,2]',
        message: /v must have shape \[2,3\], a row of x for each of i, got \[2,2\]/,
      },
      { inputs: '[4,3];[2,1];[2,3]', message: /i must have rank 1, got shape \[2,1\]/ },
      { inputs: '[];[2];[2]', message: /x must have rank 1 or more, got shape \[\]/ },
    ],
  };
}

const ROWS = {
  ResourceScatterUpdate: rows(integers, {
    name: 'bool',
    inputs: [{ value: [true, false, true] }, ints(0, 1), { value: [false, true] }],
    attrs: { dtype: 'bool' },
  }),
  ResourceScatterAdd: rows(integers),
  ResourceScatterSub: rows(integers),
  ResourceScatterMul: rows(integers),
  ResourceScatterDiv: rows(integers),
  ResourceScatterMin: rows(integers),
  ResourceScatterMax: rows(integers),
  ResourceScatterNdUpdate: vectors,
  ResourceScatterNdAdd: vectors,
  ResourceScatterNdSub: vectors,
} satisfies FamilySamples;

/** The same ops by reference: `ScatterAdd` from `ResourceScatterAdd`. */
const BY_REFERENCE: FamilySamples = Object.fromEntries(
  Object.entries(ROWS).map(([resource, samples]) => {
    const type = resource.replace('Resource', '') as OpName;
    return [type, byReference(type, [resource as OpName, samples])];
  }),
);

export const SCATTER_SAMPLES = {
  ...SPARSE_SAMPLES,
  ...SPARSE_DENSE_SAMPLES,
  InplaceUpdate: inplace([2, 0]),
  InplaceAdd: inplace([2, 0, 2]),
  InplaceSub: inplace([2, 0, 2]),
  ScatterNd: {
    samples: [
      { name: 'elements', inputs: [ints([0, 1], [2, 3], [0, 1]), counting(3), ints(3, 4)] },
      { name: 'rows in vectors', inputs: [ints([2], [0]), counting(2, 4), ints(4, 4)] },
      { name: 'out of range', inputs: [ints([5], [1]), counting(2), ints(3)] },
      { name: 'integers', inputs: [ints([1], [1]), ints(3, 4), ints(3)] },
    ],
    shapes: [
      { inputs: '[2,1];[2,3];[2]', outputs: '[?,?]' },
      { inputs: '[2,1];[2,?];[2]', constants: { 2: [4, 3] }, outputs: '[4,3]' },
    ],
    errors: [
      {
        inputs: '[2,1];[2,4];[2]',
        constants: { 2: [4, 3] },
        message: /updates must have shape \[2,3\], got \[2,4\]/,
      },
    ],
  },
  TensorScatterUpdate: tensorScatter({ repeated: REPEATED }),
  TensorScatterAdd: tensorScatter(),
  TensorScatterSub: tensorScatter(),
  TensorScatterMax: tensorScatter({ repeated: TIES }),
  TensorScatterMin: tensorScatter({ repeated: TIES }),
  ScatterNdNonAliasingAdd: tensorScatter(),
  ...ROWS,
  ...BY_REFERENCE,
  ResourceGather: {
    samples: [
      { name: 'rows', inputs: [counting(4, 3), ints([2, 0], [3, 3])], attrs: { dtype: 'float32' } },
      { name: 'out of range', inputs: [counting(2, 4), ints(-1, 2, 1)], attrs: { dtype: 'float32' } },
      {
        name: 'batches',
        inputs: [counting(2, 3, 4), ints([2, 0], [1, 1])],
        attrs: { dtype: 'float32', batch_dims: 1 },
      },
    ],
    shapes: [
      { inputs: '[4,3];[?,2]', outputs: '[?,2,3]', attrs: { dtype: 'float32' } },
      { inputs: '[4,3];?', outputs: '?', attrs: { dtype: 'float32' } },
    ],
    errors: [
      { inputs: '[];[2]', attrs: { dtype: 'float32' }, message: /params must have rank 1 or more/ },
      {
        inputs: '[4,3];[5,2]',
        attrs: { dtype: 'float32', batch_dims: 1 },
        message: /the first 1 dimensions of params \[4,3\] and indices \[5,2\] differ/,
      },
      {
        inputs: '[4,3];[4,2]',
        attrs: { dtype: 'float32', batch_dims: 2 },
        message: /batch_dims 2 exceeds the rank/,
      },
    ],
  },
  ResourceGatherNd: {
    samples: [
      { name: 'elements', inputs: [counting(3, 4), ints([0, 1], [2, 3])], attrs: { dtype: 'float32' } },
      { name: 'rows in vectors', inputs: [counting(3, 4), ints([2], [0], [5])], attrs: { dtype: 'float32' } },
    ],
    shapes: [
      { inputs: '[4,3];[?,1]', outputs: '[?,3]', attrs: { dtype: 'float32' } },
      { inputs: '[4,3];[?,?]', outputs: '?', attrs: { dtype: 'float32' } },
    ],
    errors: [{ inputs: '[4];[2,2]', attrs: { dtype: 'float32' }, message: /index vectors have 2 elements/ }],
  },
} satisfies FamilySamples;
