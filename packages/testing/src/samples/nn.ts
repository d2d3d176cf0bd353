/** Samples of neural network ops: bias, softmax, cross-entropies. */
import { BLOCK_RNN_SAMPLES } from './blockRnn.js';
import { CTC_SAMPLES } from './ctc.js';
import { EDIT_SAMPLES } from './editDistance.js';
import { QUANTIZE_SAMPLES } from './quantize.js';
import { CTC_DECODE_SAMPLES } from './ctcDecode.js';
import { Random } from '../random.js';
import type { ErrorCase, FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';

const LARGE = 'the same formula as in the small samples';

function numbers(shape: readonly number[], low = -2, high = 2, seed = 21): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size, low, high)], shape };
}

/** Rows that sum to 1. */
function distributions(rows: number, columns: number): SampleInput {
  const random = new Random(5);
  const value = Array.from({ length: rows }, () => {
    const row = [...random.array(columns, 0.1, 1)];
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((x) => x / sum);
  });
  return { value };
}

function classes(rows: number, columns: number): SampleInput {
  const random = new Random(9);
  return {
    value: Array.from({ length: rows }, () => random.integer(0, columns)),
    dtype: 'int32',
    shape: [rows],
  };
}

function softmax(): OpSamples {
  return {
    samples: [
      { name: 'rows of four', inputs: [numbers([3, 4])] },
      { name: 'odd rows', inputs: [numbers([3, 5])] },
      { name: 'a vector', inputs: [numbers([7])] },
      { name: 'images', inputs: [numbers([2, 2, 3])] },
      { name: 'long rows', inputs: [numbers([5, 260])], skipGradient: LARGE },
      { name: 'odd long rows', inputs: [numbers([3, 2111])], skipGradient: LARGE },
      {
        name: 'large logits',
        inputs: [
          [
            [1000, 999, -1000],
            [-1000, -1000, -1000],
            [3e38, -3e38, 0],
          ],
        ],
        tolerance: { atol: 1e-4 },
        skipGradient: 'differences of large numbers are not accurate',
      },
      {
        name: 'NaN stays in its row',
        inputs: [
          [
            [1, NaN, 2],
            [1, 2, 3],
          ],
        ],
        skipGradient: 'NaN',
      },
    ],
    shapes: [
      { inputs: '[2,?]', outputs: '[2,?]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [{ inputs: '[]', message: /logits must have rank 1 or more, got shape \[\]/ }],
  };
}

function denseCase(name: string, rows: number, columns: number, more: Partial<Sample> = {}): Sample {
  // labels of finite differences would not sum to 1, which the formula takes for granted
  return {
    name,
    inputs: [numbers([rows, columns]), distributions(rows, columns)],
    gradientInputs: [0],
    ...more,
  };
}

const BIAS_ERRORS: readonly ErrorCase[] = [
  { inputs: '[2,3];[4]', message: /value of shape \[2,3\] has 3 channels \(NHWC\), bias has 4/ },
  {
    inputs: '[2,3,4,4];[4]',
    attrs: { data_format: 'NCHW' },
    message: /value of shape \[2,3,4,4\] has 3 channels \(NCHW\), bias has 4/,
  },
  { inputs: '[3];[3]', message: /value must have rank 2 or more, got shape \[3\]/ },
  { inputs: '[2,3];[1,3]', message: /bias must have rank 1, got shape \[1,3\]/ },
];

const TOP_K_ROWS = numbers([6, 7]);

function topK(k: SampleInput | number): readonly Sample[] {
  const attrs = typeof k === 'number' ? { k } : {};
  const extra = typeof k === 'number' ? [] : [k];
  return [
    { name: 'some', inputs: [TOP_K_ROWS, classes(6, 7), ...extra], attrs },
    {
      name: 'ties, out of range and not finite',
      inputs: [
        [
          [1, 1, 1],
          [3, 1, 2],
          [1, NaN, 0],
          [1, Infinity, 0],
        ],
        { value: [2, 3, 0, 1], dtype: 'int32' },
        ...extra,
      ],
      attrs,
    },
  ];
}

export const NN_SAMPLES = {
  ...QUANTIZE_SAMPLES,
  ...BLOCK_RNN_SAMPLES,
  ...EDIT_SAMPLES,
  ...CTC_SAMPLES,
  ...CTC_DECODE_SAMPLES,
  BiasAdd: {
    samples: [
      { name: 'matrix', inputs: [numbers([3, 4]), numbers([4])] },
      { name: 'images', inputs: [numbers([2, 3, 2, 3]), numbers([3])] },
      {
        name: 'channels first',
        inputs: [numbers([2, 3, 2, 5]), numbers([3])],
        attrs: { data_format: 'NCHW' },
      },
      {
        name: 'channels first, rank 3',
        inputs: [numbers([2, 3, 4]), numbers([3])],
        attrs: { data_format: 'NCHW' },
      },
      {
        name: 'channels first, volumes',
        inputs: [numbers([2, 3, 2, 4, 5]), numbers([3])],
        attrs: { data_format: 'NCHW' },
      },
      {
        name: 'channels first matrix',
        inputs: [numbers([2, 3]), numbers([3])],
        attrs: { data_format: 'NCHW' },
      },
      {
        name: 'int32',
        inputs: [
          { value: [[1, 2]], dtype: 'int32' },
          { value: [10, 20], dtype: 'int32' },
        ],
      },
    ],
    shapes: [
      { inputs: '[?,3];[3]', outputs: '[?,3]' },
      { inputs: '[2,?,4,4];[3]', outputs: '[2,3,4,4]', attrs: { data_format: 'NCHW' } },
      { inputs: '?;[3]', outputs: '?' },
    ],
    errors: BIAS_ERRORS,
  },
  BiasAddV1: {
    samples: [
      { name: 'matrix', inputs: [numbers([3, 4]), numbers([4])] },
      { name: 'images', inputs: [numbers([2, 3, 2, 3]), numbers([3])] },
      { name: 'no rows', inputs: [numbers([0, 3]), numbers([3])] },
    ],
    shapes: [{ inputs: '[?,3];[3]', outputs: '[?,3]' }],
    errors: [{ inputs: '[2,3];[2]', message: /bias/ }],
  },
  BiasAddGrad: {
    samples: [
      { name: 'matrix', inputs: [numbers([3, 4])] },
      { name: 'images', inputs: [numbers([2, 3, 2, 3])] },
      { name: 'channels first', inputs: [numbers([2, 3, 2, 5])], attrs: { data_format: 'NCHW' } },
      {
        name: 'channels first, volumes',
        inputs: [numbers([2, 3, 2, 4, 5])],
        attrs: { data_format: 'NCHW' },
      },
      {
        name: 'many images',
        inputs: [numbers([9, 7, 7, 8])],
        skipGradient: LARGE,
        tolerance: { atol: 1e-4 },
      },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[3]' },
      { inputs: '[2,3,?,4]', outputs: '[3]', attrs: { data_format: 'NCHW' } },
      { inputs: '?', outputs: '[?]' },
    ],
    errors: [{ inputs: '[3]', message: /the gradient must have rank 2 or more, got shape \[3\]/ }],
  },
  L2Loss: {
    samples: [
      { name: 'matrix', inputs: [numbers([3, 5])] },
      { name: 'a scalar', inputs: [3] },
      { name: 'many', inputs: [numbers([3000])], skipGradient: LARGE },
    ],
    shapes: [{ inputs: '[?,3]', outputs: '[]' }],
    errors: [{ inputs: '[3]', dtypes: ['int32'], message: /attribute "T" must be one of/ }],
  },
  Softmax: softmax(),
  LogSoftmax: softmax(),
  SoftmaxCrossEntropyWithLogits: {
    samples: [
      denseCase('rows of four', 3, 4),
      denseCase('ten classes', 5, 10),
      { name: 'no rows', inputs: [numbers([0, 4]), numbers([0, 4])] },
      denseCase('a thousand classes', 3, 1000, { skipGradient: LARGE }),
      {
        name: 'one row of labels for all',
        inputs: [numbers([3, 4]), distributions(1, 4)],
        gradientInputs: [0],
      },
      {
        name: 'large logits',
        inputs: [
          [
            [1000, 0, -1000],
            [-500, -500, 700],
          ],
          [
            [1, 0, 0],
            [0, 0.5, 0.5],
          ],
        ],
        skipGradient: 'differences of large numbers are not accurate',
      },
    ],
    shapes: [
      { inputs: '[?,10];[?,10]', outputs: '[?];[?,10]' },
      { inputs: '[5,?];?', outputs: '[5];[5,?]' },
    ],
    errors: [
      { inputs: '[5,10];[5,9]', message: /features of shape \[5,10\] and labels of shape \[5,9\] differ/ },
      { inputs: '[5];[5]', message: /features must have rank 2, got shape \[5\]/ },
    ],
  },
  SparseSoftmaxCrossEntropyWithLogits: {
    samples: [
      { name: 'rows of four', inputs: [numbers([3, 4]), classes(3, 4)] },
      { name: 'odd rows', inputs: [numbers([4, 7]), classes(4, 7)] },
      { name: 'no rows', inputs: [numbers([0, 7]), classes(0, 7)] },
      { name: 'a thousand classes', inputs: [numbers([3, 1000]), classes(3, 1000)], skipGradient: LARGE },
      {
        name: 'NaN for a class out of range',
        inputs: [numbers([3, 4]), { value: [1, 4, -1], dtype: 'int32' }],
        skipGradient: 'NaN',
      },
    ],
    shapes: [{ inputs: '[?,10];[?]', outputs: '[?];[?,10]', dtypes: ['float32', 'int64'] }],
    errors: [
      {
        inputs: '[5,10];[4]',
        message: /features of shape \[5,10\] need a label per row, labels have shape \[4\]/,
      },
      { inputs: '[5,10];[5,10]', message: /labels must have rank 1, got shape \[5,10\]/ },
    ],
  },
  InTopK: {
    samples: [...topK(2)],
    shapes: [{ inputs: '[?,10];[4]', outputs: '[4]', attrs: { k: 1 } }],
    errors: [{ inputs: '[5,10];[4]', attrs: { k: 1 }, message: /targets of shape \[4\] differ in batch/ }],
  },
  InTopKV2: {
    samples: [...topK({ value: 3, dtype: 'int32' })],
    shapes: [{ inputs: '[?,10];[4];[]', outputs: '[4]' }],
    errors: [{ inputs: '[5,10];[5];[1]', message: /k must have rank 0, got shape \[1\]/ }],
  },
} satisfies FamilySamples;
