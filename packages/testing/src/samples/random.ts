/** Samples of random numbers: with seeds these are as definite as any others, and compared bit for bit. */
import type { FamilySamples, OpSamples, SampleInput } from '../sample.js';

const shape = (...value: number[]): SampleInput => ({ value, dtype: 'int32' });
const int = (value: number): SampleInput => ({ value, dtype: 'int32' });
const EXACT = { rtol: 0, atol: 0 };
const attrs = { seed: 42, seed2: 7, dtype: 'float32' } as const;

function standard(): OpSamples {
  return {
    samples: [
      { name: 'whole blocks', inputs: [shape(64, 33, 4)], attrs, tolerance: EXACT },
      { name: 'rest', inputs: [shape(7, 3)], attrs: { ...attrs, seed: 2147483646 }, tolerance: EXACT },
      { name: 'scalar', inputs: [{ value: [], shape: [0], dtype: 'int32' }], attrs, tolerance: EXACT },
      { name: 'empty', inputs: [shape(0, 3)], attrs, tolerance: EXACT },
    ],
    shapes: [
      { inputs: '[2]', outputs: '[2,3]', dtypes: ['int32'], constants: { 0: [2, 3] }, attrs },
      { inputs: '[2]', outputs: '[?,?]', dtypes: ['int32'], attrs },
      { inputs: '?', outputs: '?', dtypes: ['int32'], attrs },
    ],
    errors: [
      { inputs: '[2,2]', dtypes: ['int32'], attrs, message: /shape must be a vector, got shape \[2,2\]/ },
    ],
  };
}

const ints = { seed: 42, seed2: 7 };

export const RANDOM_SAMPLES = {
  RandomUniform: standard(),
  RandomStandardNormal: standard(),
  TruncatedNormal: standard(),
  RandomUniformInt: {
    samples: [
      { name: 'dice', inputs: [shape(3, 5), int(1), int(7)], attrs: ints },
      { name: 'all of int32', inputs: [shape(16), int(-2147483648), int(2147483647)], attrs: ints },
    ],
    shapes: [
      { inputs: '?;[];[]', outputs: '?', dtypes: ['int32', 'int32', 'int32'], attrs: ints },
      { inputs: '[2];[];[]', outputs: '[?,?]', dtypes: ['int32', 'int32', 'int32'], attrs: ints },
    ],
    errors: [
      {
        inputs: '[2];[];[]',
        dtypes: ['int32', 'int32', 'int32'],
        constants: { 1: 5, 2: 5 },
        message: /minval must be below maxval, got 5 and 5/,
      },
      {
        inputs: '[2];[3];[]',
        dtypes: ['int32', 'int32', 'int32'],
        message: /minval must be a scalar, got shape \[3\]/,
      },
    ],
  },
} satisfies FamilySamples;
