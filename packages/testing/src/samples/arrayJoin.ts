/** Samples of the array ops that join tensors and cut them apart. */
import type { FamilySamples, SampleInput } from '../sample.js';

const ints = (...value: number[]): SampleInput => ({ value, dtype: 'int32' });
const int = (value: number): SampleInput => ({ value, dtype: 'int32' });

/** Numbers from `first` in a shape. */
function from(first: number, ...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length }, (_, i) => first + i), shape };
}

const many = Array.from({ length: 20 }, (_, i) => from(10 * i, 1 + (i % 3), 2));

export const ARRAY_JOIN_SAMPLES = {
  ConcatV2: {
    samples: [
      { name: 'columns', inputs: [from(1, 2, 3), from(10, 2, 2), int(1)] },
      { name: 'rows', inputs: [from(1, 2, 3), from(10, 1, 3), from(20, 3, 3), int(-2)] },
      { name: 'in vectors', inputs: [from(1, 2, 2, 4), from(50, 2, 2, 8), int(-1)] },
      { name: 'with an empty part', inputs: [from(1, 0, 2), from(10, 2, 2), int(0)] },
      { name: 'along an int64 axis', inputs: [from(1, 2, 3), from(10, 2, 2), { value: -1, dtype: 'int64' }] },
      { name: 'twenty parts', inputs: [...many, int(0)] },
      { name: 'integers', inputs: [ints(1, 2), ints(3), int(0)] },
      { name: 'bool', inputs: [{ value: [true] }, { value: [false, true] }, int(0)] },
    ],
    shapes: [
      { inputs: '[?,3];[2,?];[]', constants: { 2: 1 }, outputs: '[2,?]' },
      { inputs: '[2,3];[5,3];[]', constants: { 2: 0 }, outputs: '[7,3]' },
      { inputs: '[2,3];[5,3];[]', outputs: '[?,?]' },
      { inputs: '?;[2,?];[]', constants: { 2: -1 }, outputs: '[2,?]' },
      { inputs: '?;?;[]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,3];[2,4];[]', constants: { 2: 0 }, message: /value 1 has \[2,4\], the others \[\?,3\]/ },
      { inputs: '[2];[2];[]', constants: { 2: 1 }, message: /axis 1 is out of range \[-1, 1\)/ },
      { inputs: '[];[];[]', constants: { 2: 0 }, message: /scalars cannot be concatenated/ },
    ],
  },
  Pack: {
    samples: [
      { name: 'front', inputs: [from(1, 3), from(5, 3)] },
      { name: 'middle', inputs: [from(1, 2, 3), from(11, 2, 3), from(21, 2, 3)], attrs: { axis: 1 } },
      { name: 'back', inputs: [from(1, 2, 3), from(11, 2, 3)], attrs: { axis: -1 } },
      { name: 'scalars', inputs: [int(4), int(5), int(6)] },
      { name: 'in vectors', inputs: [from(1, 2, 4), from(11, 2, 4)], attrs: { axis: 1 } },
    ],
    shapes: [
      { inputs: '[?,3];[2,?]', attrs: { axis: 1 }, outputs: '[2,2,3]' },
      { inputs: '?;?', outputs: '?' },
    ],
    errors: [
      { inputs: '[2];[3]', message: /shapes differ: value 1 has \[3\], the others \[2\]/ },
      { inputs: '[2];[2]', attrs: { axis: 2 }, message: /axis 2 is out of range/ },
    ],
  },
  ParallelConcat: {
    samples: [
      { name: 'rows', inputs: [from(1, 1, 3), from(5, 1, 3), from(9, 1, 3)], attrs: { shape: [3, 3] } },
      { name: 'numbers', inputs: [from(1, 1), from(5, 1)], attrs: { shape: [2] } },
      { name: 'one', inputs: [from(1, 1, 2, 4)], attrs: { shape: [1, 2, 4] } },
      { name: 'ints', inputs: [ints(4), ints(6)], attrs: { shape: [2] } },
    ],
    shapes: [
      { inputs: '[1,?];[?,2]', attrs: { shape: [2, 2] }, outputs: '[2,2]' },
      { inputs: '?;?', attrs: { shape: [2, 2] }, outputs: '[2,2]' },
    ],
    errors: [
      {
        inputs: '[2,2];[2,2]',
        attrs: { shape: [4, 2] },
        message: /every value must have 1 as its first dimension/,
      },
      {
        inputs: '[1,2];[1,2]',
        attrs: { shape: [3, 2] },
        message: /shape says \[3,2\], the values make \[2,2\]/,
      },
    ],
  },
  Unpack: {
    samples: [
      { name: 'rows', inputs: [from(1, 3, 2)], attrs: { num: 3 } },
      { name: 'columns', inputs: [from(1, 2, 3)], attrs: { num: 3, axis: -1 } },
      { name: 'in vectors', inputs: [from(1, 3, 4)], attrs: { num: 3 } },
    ],
    shapes: [
      { inputs: '[2,?]', attrs: { num: 2 }, outputs: '[?];[?]' },
      { inputs: '?', attrs: { num: 2 }, outputs: '?;?' },
    ],
    errors: [
      { inputs: '[3,2]', attrs: { num: 2 }, message: /dimension 0 of \[3,2\] has size 3, not num = 2/ },
      { inputs: '[2]', attrs: { num: 2, axis: 1 }, message: /axis 1 is out of range/ },
    ],
  },
  Split: {
    samples: [
      { name: 'rows', inputs: [int(0), from(1, 4, 3)], attrs: { num_split: 2 } },
      { name: 'columns', inputs: [int(-1), from(1, 2, 6)], attrs: { num_split: 3 } },
      { name: 'in vectors', inputs: [int(1), from(1, 2, 8)], attrs: { num_split: 2 } },
    ],
    shapes: [
      { inputs: '[];[?,6]', attrs: { num_split: 2 }, constants: { 0: 1 }, outputs: '[?,3];[?,3]' },
      { inputs: '[];[?,6]', attrs: { num_split: 2 }, outputs: '[?,?];[?,?]' },
    ],
    errors: [
      {
        inputs: '[];[5]',
        attrs: { num_split: 2 },
        constants: { 0: 0 },
        message: /size 5, which is not divisible by 2/,
      },
    ],
  },
  SplitV: {
    samples: [
      { name: 'rows', inputs: [from(1, 5, 3), ints(2, 3), int(0)], attrs: { num_split: 2 } },
      { name: 'rest', inputs: [from(1, 2, 6), ints(1, -1, 2), int(-1)], attrs: { num_split: 3 } },
      { name: 'empty piece', inputs: [from(1, 4), ints(0, 4), int(0)], attrs: { num_split: 2 } },
    ].map((sample) => ({ ...sample, attrs: { ...sample.attrs, Tlen: 'int32' } })),
    shapes: [
      {
        inputs: '[?,6];[2];[]',
        attrs: { num_split: 2 },
        constants: { 1: [2, -1], 2: 1 },
        outputs: '[?,2];[?,4]',
      },
      { inputs: '[2,6];[2];[]', attrs: { num_split: 2 }, constants: { 2: 1 }, outputs: '[2,?];[2,?]' },
    ],
    errors: [
      {
        inputs: '[5];[2];[]',
        attrs: { num_split: 2 },
        constants: { 1: [2, 2], 2: 0 },
        message: /size_splits \[2,2\] does not add up to the dimension's size 5/,
      },
      {
        inputs: '[5];[2];[]',
        attrs: { num_split: 2 },
        constants: { 1: [-1, -1], 2: 0 },
        message: /may have one -1 only/,
      },
    ],
  },
} satisfies FamilySamples;
