/** Samples of random numbers: with seeds these are as definite as any others, and compared bit for bit. */
import type { FamilySamples, OpSamples, SampleInput } from '../sample.js';
import { CANDIDATE_SAMPLES } from './randomCandidates.js';
import { RANDOM_DRAW_SAMPLES } from './randomDraws.js';

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

const pair = (first: number, second: number): SampleInput => ({ value: [first, second], dtype: 'int32' });

function stateless(): OpSamples {
  return {
    samples: [
      { name: 'whole blocks', inputs: [shape(8, 5, 4), pair(42, 7)], tolerance: EXACT },
      { name: 'rest', inputs: [shape(7, 3), pair(-1, 2147483647)], tolerance: EXACT },
      { name: 'wide seed', inputs: [shape(9), { value: [5, -6], dtype: 'int64' }], tolerance: EXACT },
      { name: 'empty', inputs: [shape(0, 3), pair(1, 2)], tolerance: EXACT },
    ],
    shapes: [
      { inputs: '[2];[2]', outputs: '[2,3]', dtypes: ['int32', 'int64'], constants: { 0: [2, 3] } },
      { inputs: '[2];?', outputs: '[?,?]', dtypes: ['int32', 'int32'] },
      { inputs: '?;[?]', outputs: '?', dtypes: ['int32', 'int32'] },
    ],
    errors: [
      { inputs: '[2];[3]', dtypes: ['int32', 'int32'], message: /seed must have shape \[2\], got \[3\]/ },
      { inputs: '[2];[]', dtypes: ['int32', 'int32'], message: /seed must have shape \[2\], got \[\]/ },
      {
        inputs: '[2,2];[2]',
        dtypes: ['int32', 'int32'],
        message: /shape must be a vector, got shape \[2,2\]/,
      },
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
  StatelessRandomUniform: stateless(),
  StatelessRandomNormal: stateless(),
  StatelessTruncatedNormal: stateless(),
  StatelessRandomUniformInt: {
    samples: [
      { name: 'dice', inputs: [shape(3, 5), pair(4, 2), int(1), int(7)] },
      { name: 'all of int32', inputs: [shape(16), pair(4, 3), int(-2147483648), int(2147483647)] },
    ],
    shapes: [
      { inputs: '?;[2];[];[]', outputs: '?', dtypes: ['int32', 'int32', 'int32', 'int32'] },
      { inputs: '[2];[2];[];[]', outputs: '[?,?]', dtypes: ['int32', 'int32', 'int64', 'int64'] },
    ],
    errors: [
      {
        inputs: '[2];[2];[];[]',
        dtypes: ['int32', 'int32', 'int32', 'int32'],
        constants: { 2: 5, 3: 4 },
        message: /minval must be below maxval, got 5 and 4/,
      },
      {
        inputs: '[2];[2];[];[1]',
        dtypes: ['int32', 'int32', 'int32', 'int32'],
        message: /maxval must be a scalar, got shape \[1\]/,
      },
    ],
  },
  ...RANDOM_DRAW_SAMPLES,
  ...CANDIDATE_SAMPLES,
} satisfies FamilySamples;
