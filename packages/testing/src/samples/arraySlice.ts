/** Samples of the array ops that cut boxes out of tensors or put borders around them. */
import type { AttrInputs, NestedArray } from '@forerun/graph';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

const ints = (...value: NestedArray[]): SampleInput => ({ value, dtype: 'int32' });

/** The numbers 1, 2, 3 … in a shape. */
function counting(...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length }, (_, i) => i + 1), shape };
}

interface SliceCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
  readonly masks?: AttrInputs;
  /** Shape of the result. */
  readonly result: readonly number[];
}

const SLICES: readonly SliceCase[] = [
  { name: 'steps', shape: [6], begin: [1], end: [5], strides: [2], result: [2] },
  { name: 'box', shape: [3, 4], begin: [0, 1], end: [2, 4], strides: [1, 1], result: [2, 3] },
  { name: 'rows of vectors', shape: [5, 8], begin: [1, 4], end: [4, 8], strides: [1, 1], result: [3, 4] },
  { name: 'backwards', shape: [5], begin: [4], end: [0], strides: [-1], result: [4] },
  {
    name: 'backwards to the end',
    shape: [5],
    begin: [0],
    end: [0],
    strides: [-2],
    masks: { begin_mask: 1, end_mask: 1 },
    result: [3],
  },
  {
    name: 'single index',
    shape: [3, 4],
    begin: [-2, 0],
    end: [0, 4],
    strides: [1, 1],
    masks: { shrink_axis_mask: 1 },
    result: [4],
  },
  {
    name: 'ellipsis',
    shape: [2, 3, 4],
    begin: [0, 0, 1],
    end: [0, 0, 3],
    strides: [1, 1, 1],
    masks: { ellipsis_mask: 1, shrink_axis_mask: 2 },
    result: [2, 2],
  },
  {
    name: 'new axis',
    shape: [3, 4],
    begin: [0, 0, 1],
    end: [0, 3, 3],
    strides: [1, 1, 1],
    masks: { new_axis_mask: 1 },
    result: [1, 3, 2],
  },
  { name: 'out of range', shape: [4], begin: [-9], end: [9], strides: [3], result: [2] },
  { name: 'nothing', shape: [4, 2], begin: [3], end: [1], strides: [1], result: [0, 2] },
  { name: 'fewer entries', shape: [2, 3, 4], begin: [1], end: [2], strides: [1], result: [1, 3, 4] },
];

function sliceSample({ name, shape, begin, end, strides, masks = {} }: SliceCase): Sample {
  return { name, inputs: [counting(...shape), ints(...begin), ints(...end), ints(...strides)], attrs: masks };
}

/** The same slices set in a variable. */
export const SLICE_ASSIGNMENTS: readonly Sample[] = SLICES.map(
  ({ name, shape, begin, end, strides, masks = {}, result }) => {
    const length = result.reduce((a, b) => a * b, 1);
    const value = { value: Array.from({ length }, (_, i) => -1 - i), shape: result };
    return {
      name,
      inputs: [counting(...shape), ints(...begin), ints(...end), ints(...strides), value],
      attrs: { ...masks, T: 'float32' },
    };
  },
);

function gradSample({ name, shape, begin, end, strides, masks = {}, result }: SliceCase): Sample {
  const inputs = [ints(...shape), ints(...begin), ints(...end), ints(...strides), counting(...result)];
  return { name, inputs, attrs: masks };
}

const PAD_ERRORS = [
  { inputs: '[2,3];[1,2]', message: /paddings must have shape \[2,2\], got \[1,2\]/ },
  {
    inputs: '[2];[1,2]',
    constants: { 1: [[-1, 0]] },
    message: /paddings must not be negative, got -1/,
  },
];

const mode = (name: string): AttrInputs => ({ mode: name });

export const ARRAY_SLICE_SAMPLES = {
  Slice: {
    samples: [
      { name: 'vector', inputs: [counting(5), ints(1), ints(3)] },
      { name: 'to the end', inputs: [counting(3, 4), ints(0, 1), ints(2, -1)] },
      { name: 'box', inputs: [counting(2, 3, 4), ints(1, 0, 2), ints(1, 3, 2)] },
      { name: 'rows of vectors', inputs: [counting(4, 8), ints(1, 4), ints(2, 4)] },
      { name: 'bool', inputs: [{ value: [true, false, true] }, ints(1), ints(2)] },
      { name: 'nothing', inputs: [counting(3, 2), ints(3, 0), ints(0, 2)] },
    ],
    shapes: [
      { inputs: '[?,4];[2];[2]', constants: { 1: [0, 1], 2: [2, -1] }, outputs: '[2,3]' },
      { inputs: '[?,4];[2];[2]', constants: { 1: [1, 1], 2: [-1, 2] }, outputs: '[?,2]' },
      { inputs: '?;[3];?', outputs: '[?,?,?]' },
      { inputs: '?;?;?', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[4];[1];[1]',
        constants: { 1: [2], 2: [3] },
        message: /begin\[0\] \+ size\[0\] = 5 exceeds the dimension's size 4/,
      },
      {
        inputs: '[4];[1];[1]',
        constants: { 1: [5], 2: [-1] },
        message: /begin\[0\] = 5 is out of range \[0, 4\]/,
      },
      { inputs: '[4];[2];[2]', message: /begin and size need 1 elements each, got 2 and 2/ },
    ],
  },
  StridedSlice: {
    samples: [
      ...SLICES.map(sliceSample),
      { name: 'bool', inputs: [{ value: [true, false, true] }, ints(2), ints(-9), ints(-1)] },
    ],
    shapes: [
      { inputs: '[?,4];[1];[1];[1]', constants: { 1: [0], 2: [2], 3: [1] }, outputs: '[?,4]' },
      {
        inputs: '[?,4];[1];[1];[1]',
        constants: { 1: [0], 2: [1], 3: [1] },
        attrs: { shrink_axis_mask: 1 },
        outputs: '[4]',
      },
      { inputs: '[5,4];[2];[2];[2]', outputs: '[?,?]' },
      { inputs: '[5,4];[2];[2];[2]', attrs: { new_axis_mask: 1, shrink_axis_mask: 2 }, outputs: '[1,4]' },
      { inputs: '?;[2];[2];[2]', outputs: '?' },
    ],
    errors: [
      { inputs: '[4];[1];[1];[1]', constants: { 3: [0] }, message: /strides\[0\] must not be 0/ },
      { inputs: '[4];[2];[2];[2]', message: /2 indices are given for an input of rank 1/ },
      {
        inputs: '[4];[1];[1];[1]',
        constants: { 1: [4], 2: [0], 3: [1] },
        attrs: { shrink_axis_mask: 1 },
        message: /index 4 is out of range for dimension 0 of size 4/,
      },
      {
        inputs: '[4];[1];[1];[1]',
        constants: { 1: [3], 2: [0], 3: [-1] },
        attrs: { shrink_axis_mask: 1 },
        message: /strides\[0\] is -1: a single index needs a positive stride/,
      },
      { inputs: '[4];[2];[2];[2]', attrs: { ellipsis_mask: 3 }, message: /only one ellipsis is allowed/ },
      { inputs: '[4];[1];[2];[1]', message: /begin, end and strides have 1, 2, 1 elements/ },
    ],
  },
  StridedSliceGrad: {
    samples: SLICES.map(gradSample),
    shapes: [
      { inputs: '[2];[1];[1];[1];?', outputs: '[?,?]' },
      {
        inputs: '[2];[1];[1];[1];?',
        constants: { 0: [5, 4], 1: [0], 2: [2], 3: [1] },
        outputs: '[5,4]',
      },
    ],
    errors: [
      {
        inputs: '[1];[1];[1];[1];[3]',
        constants: { 0: [5], 1: [0], 2: [2], 3: [1] },
        message: /dy has shape \[3\], the slice has \[2\]/,
      },
    ],
  },
  Pad: {
    samples: [
      { name: 'vector', inputs: [counting(3), ints([1, 2])] },
      { name: 'matrix', inputs: [counting(2, 3), ints([0, 1], [2, 0])] },
      { name: 'image', inputs: [counting(1, 2, 2, 4), ints([0, 0], [1, 1], [1, 2], [0, 0])] },
      { name: 'nothing', inputs: [counting(2, 3), ints([0, 0], [0, 0])] },
      { name: 'integers', inputs: [{ value: [1, 2], dtype: 'int32' }, ints([1, 1])] },
      { name: 'bool', inputs: [{ value: [true, true] }, ints([1, 0])] },
      { name: 'around nothing', inputs: [counting(0, 2), ints([1, 1], [0, 0])] },
    ],
    shapes: [
      {
        inputs: '[?,3];[2,2]',
        constants: {
          1: [
            [1, 1],
            [0, 2],
          ],
        },
        outputs: '[?,5]',
      },
      { inputs: '[?,3];[?,2]', outputs: '[?,?]' },
      { inputs: '?;?', outputs: '?' },
    ],
    errors: PAD_ERRORS,
  },
  PadV2: {
    samples: [
      { name: 'matrix', inputs: [counting(2, 3), ints([0, 1], [2, 0]), -1.5], gradientInputs: [0] },
      {
        name: 'image',
        inputs: [counting(1, 2, 2, 4), ints([0, 0], [1, 0], [0, 2], [0, 0]), 9],
        gradientInputs: [0],
      },
      { name: 'bool', inputs: [{ value: [false] }, ints([1, 1]), true] },
    ],
    shapes: [
      {
        inputs: '[?,3];[2,2];[]',
        constants: {
          1: [
            [1, 1],
            [0, 2],
          ],
        },
        outputs: '[?,5]',
      },
    ],
    errors: [
      ...PAD_ERRORS.map((error) => ({ ...error, inputs: `${error.inputs};[]` })),
      { inputs: '[2];[1,2];[2]', message: /constant_values must be a scalar, got shape \[2\]/ },
    ],
  },
  MirrorPad: {
    samples: [
      { name: 'reflect', inputs: [counting(4), ints([3, 2])], attrs: mode('REFLECT') },
      { name: 'symmetric', inputs: [counting(4), ints([4, 2])], attrs: mode('SYMMETRIC') },
      { name: 'matrix', inputs: [counting(2, 3), ints([1, 1], [2, 2])], attrs: mode('REFLECT') },
      {
        name: 'image',
        inputs: [counting(1, 3, 3, 4), ints([0, 0], [1, 2], [2, 1], [0, 0])],
        attrs: mode('REFLECT'),
      },
    ],
    shapes: [
      {
        inputs: '[?,3];[2,2]',
        constants: {
          1: [
            [1, 1],
            [0, 2],
          ],
        },
        attrs: mode('REFLECT'),
        outputs: '[?,5]',
      },
    ],
    errors: [
      {
        inputs: '[3];[1,2]',
        constants: { 1: [[3, 0]] },
        attrs: mode('REFLECT'),
        message: /paddings \[3,0\] of axis 0 exceed 2, the most that size 3 can mirror/,
      },
      {
        inputs: '[3];[1,2]',
        attrs: mode('WRAP'),
        message: /attribute "mode" must be one of REFLECT, SYMMETRIC, got WRAP/,
      },
    ],
  },
  MirrorPadGrad: {
    samples: [
      { name: 'reflect', inputs: [counting(9), ints([3, 2])], attrs: mode('REFLECT') },
      { name: 'symmetric', inputs: [counting(4, 7), ints([1, 1], [2, 2])], attrs: mode('SYMMETRIC') },
      {
        name: 'image',
        inputs: [counting(1, 6, 6, 2), ints([0, 0], [1, 2], [2, 1], [0, 0])],
        attrs: mode('REFLECT'),
      },
      { name: 'nothing', inputs: [counting(2, 3), ints([0, 0], [0, 0])], attrs: mode('REFLECT') },
      { name: 'scalar', inputs: [3, { value: [], shape: [0, 2], dtype: 'int32' }], attrs: mode('REFLECT') },
    ],
    shapes: [
      {
        inputs: '[?,5];[2,2]',
        constants: {
          1: [
            [1, 1],
            [0, 2],
          ],
        },
        attrs: mode('REFLECT'),
        outputs: '[?,3]',
      },
    ],
    errors: [
      {
        inputs: '[3];[1,2]',
        constants: { 1: [[2, 2]] },
        attrs: mode('REFLECT'),
        message: /paddings \[2,2\] exceed the size 3 of axis 0/,
      },
    ],
  },
} satisfies FamilySamples;
