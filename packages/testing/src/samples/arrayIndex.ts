/** Samples of the array ops that find their elements by indices. */
import type { NestedArray } from '@forerun/graph';
import type { FamilySamples, SampleInput } from '../sample.js';

const ints = (...value: NestedArray[]): SampleInput => ({ value, dtype: 'int32' });
const int = (value: number): SampleInput => ({ value, dtype: 'int32' });

/** The numbers 1, 2, 3 … in a shape. */
function counting(...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length }, (_, i) => i + 1), shape };
}

export const ARRAY_INDEX_SAMPLES = {
  GatherV2: {
    samples: [
      { name: 'vector', inputs: [counting(5), ints(4, 0, 4), int(0)] },
      { name: 'rows', inputs: [counting(4, 3), ints(2, 0), int(0)] },
      { name: 'rows in vectors', inputs: [counting(4, 8), ints(3, 3, 1), int(0)] },
      { name: 'columns', inputs: [counting(3, 4), ints([1, 0], [3, 1]), int(-1)] },
      { name: 'middle', inputs: [counting(2, 5, 3), ints(4, 1, 1, 0), int(1)] },
      { name: 'scalar index', inputs: [counting(3, 2), int(1), int(0)] },
      {
        name: 'batches',
        inputs: [counting(2, 3, 4), ints([2, 0, 2], [1, 1, 0]), int(1)],
        attrs: { batch_dims: 1 },
      },
      {
        name: 'batches and an outer axis',
        inputs: [counting(2, 2, 3), ints([2, 0], [1, 1]), int(2)],
        attrs: { batch_dims: 1 },
      },
      { name: 'out of range', inputs: [counting(2, 4), ints(-1, 2, 1), int(0)] },
      { name: 'no indices', inputs: [counting(2, 4), { value: [], dtype: 'int32' }, int(0)] },
      { name: 'bool', inputs: [{ value: [true, false] }, ints(1, 0, 0), int(0)] },
    ],
    shapes: [
      { inputs: '[?,3];[2,?];[]', constants: { 2: 0 }, outputs: '[2,?,3]' },
      { inputs: '[5,3];[2];[]', outputs: '[?,?]' },
      { inputs: '?;[2];[]', outputs: '?' },
    ],
    errors: [
      { inputs: '[5,3];[2];[]', constants: { 2: 2 }, message: /axis 2 is out of range \[-2, 2\)/ },
      { inputs: '[];[2];[]', message: /params must have rank 1 or more, got a scalar/ },
      {
        inputs: '[5,3];[4,2];[]',
        constants: { 2: 1 },
        attrs: { batch_dims: 1 },
        message: /the first 1 dimensions of params \[5,3\] and indices \[4,2\] differ/,
      },
    ],
  },
  OneHot: {
    samples: [
      { name: 'last axis', inputs: [ints(1, 3, 0), int(4), 1, 0] },
      { name: 'middle axis', inputs: [ints([0, 2], [1, 0]), int(3), 1, 0], attrs: { axis: 1 } },
      { name: 'first axis', inputs: [ints(0, 2, -1, 5), int(3), 5, -1], attrs: { axis: 0 } },
      { name: 'integers', inputs: [ints(1, 0), int(2), int(7), int(-7)] },
      { name: 'bool', inputs: [ints(1, 0), int(3), true, false] },
    ].map((sample) => ({ ...sample, skipGradient: 'TensorFlow defines none' })),
    shapes: [
      { inputs: '[?];[];[];[]', constants: { 1: 10 }, outputs: '[?,10]' },
      { inputs: '[?,2];[];[];[]', attrs: { axis: 0 }, outputs: '[?,?,2]' },
    ],
    errors: [
      { inputs: '[2];[];[];[]', constants: { 1: -1 }, message: /depth must not be negative, got -1/ },
      { inputs: '[2];[2];[];[]', message: /depth must be a scalar, got shape \[2\]/ },
    ],
  },
  GatherNd: {
    samples: [
      { name: 'elements', inputs: [counting(3, 4), ints([0, 1], [2, 3])] },
      { name: 'rows in vectors', inputs: [counting(3, 4), ints([2], [0], [2])] },
      { name: 'all', inputs: [counting(2, 2), { value: [], shape: [3, 0], dtype: 'int32' }] },
      { name: 'out of range', inputs: [counting(3), ints([3], [1], [-1])] },
    ],
    shapes: [
      { inputs: '[?,3];[2,1]', outputs: '[2,3]' },
      { inputs: '[4,3];[2,?]', outputs: '?' },
    ],
    errors: [
      { inputs: '[4];[2,2]', message: /index vectors have 2 elements, the indexed tensor has shape \[4\]/ },
    ],
  },
} satisfies FamilySamples;
