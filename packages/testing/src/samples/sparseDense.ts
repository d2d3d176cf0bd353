/** Samples of SparseToDense. */
import type { FamilySamples, SampleInput } from '../sample.js';

const ints = (value: number | readonly number[] | number[][], shape?: readonly number[]): SampleInput => ({
  value,
  dtype: 'int32',
  ...(shape === undefined ? {} : { shape }),
});
const PAIRS = ints([
  [0, 2],
  [1, 0],
  [2, 3],
]);

export const SPARSE_DENSE_SAMPLES = {
  SparseToDense: {
    samples: [
      { name: 'a matrix', inputs: [PAIRS, ints([3, 4]), [1.5, -2, 3], 0.5] },
      { name: 'one value for all', inputs: [PAIRS, ints([3, 4]), 7, -1] },
      { name: 'positions of a vector', inputs: [ints([4, 1]), ints([6]), [2, 3], 0] },
      { name: 'one position', inputs: [ints(2), ints([3]), 5, 1] },
      {
        name: 'repeated: the last counts',
        inputs: [ints([1, 1, 3, 1]), ints([4]), [1, 2, 3, 4], 0],
        attrs: { validate_indices: false },
        skipGradient: 'differences see that the last counts, the gradient of TensorFlow does not',
      },
      {
        name: 'nothing',
        inputs: [ints([], [0, 2]), ints([2, 3]), { value: [], shape: [0] }, 4],
      },
      {
        name: 'bools',
        inputs: [ints([1]), ints([3]), { value: [true], dtype: 'bool' }, { value: false, dtype: 'bool' }],
      },
      {
        name: 'int64',
        inputs: [{ value: [[1, 1]], dtype: 'int64' }, { value: [2, 2], dtype: 'int64' }, ints([9]), ints(0)],
      },
      { name: 'an empty result', inputs: [ints([], [0, 2]), ints([0, 3]), { value: [], shape: [0] }, 4] },
    ],
    shapes: [
      { inputs: '[?,2];[2];[?];[]', outputs: '[3,4]', dtypes: ['int32', 'int32'], constants: { 1: [3, 4] } },
      { inputs: '[?,2];[2];[];[]', outputs: '[?,?]', dtypes: ['int64', 'int64'] },
      { inputs: '?;?;?;[]', outputs: '?', dtypes: ['int64', 'int64'] },
    ],
    errors: [
      {
        inputs: '[5,3];[2];[5];[]',
        dtypes: ['int32', 'int32'],
        message: /sparse_indices of shape \[5,3\] do not index an output of rank 2/,
      },
      {
        inputs: '[5,2];[2];[4];[]',
        dtypes: ['int32', 'int32'],
        message: /there are 5 sparse_indices and 4 sparse_values/,
      },
      {
        inputs: '[5,2];[2];[5];[1]',
        dtypes: ['int32', 'int32'],
        message: /default_value must be a scalar, got shape \[1\]/,
      },
      {
        inputs: '[5,2];[];[5];[]',
        dtypes: ['int32', 'int32'],
        message: /output_shape must be a vector, got shape \[\]/,
      },
    ],
  },
} satisfies FamilySamples;
