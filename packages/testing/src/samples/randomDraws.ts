/** Samples of gamma, Poisson, truncated normal and categorical numbers and of shuffles, compared bit for bit. */
import { Random } from '../random.js';
import type { FamilySamples, OpSamples, SampleInput } from '../sample.js';

const shape = (...value: number[]): SampleInput => ({ value, dtype: 'int32', shape: [value.length] });
const int = (value: number): SampleInput => ({ value, dtype: 'int32' });
const EXACT = { rtol: 0, atol: 0 };
const seeds = { seed: 42, seed2: 7 };
const FLOATS = { ...seeds, dtype: 'float32' } as const;

const vectorError = (dtypes: readonly ('int32' | 'float32')[], attrs: Record<string, number | string>) => ({
  inputs: '[2,2];[3]',
  dtypes,
  attrs,
  message: /shape must be a vector, got shape \[2,2\]/,
});

function poisson(version: 1 | 2): OpSamples {
  const attrs = FLOATS;
  const more =
    version === 1
      ? []
      : [
          {
            name: 'int64 counts of int32 rates',
            inputs: [shape(40), { value: [0, 3, 12, 500, -1], dtype: 'int32' } as const],
            attrs: seeds,
          },
          { name: 'int32 counts', inputs: [shape(20), [2.5, NaN, 3e9]], attrs: { ...seeds, dtype: 'int32' } },
        ];
  return {
    samples: [
      { name: 'small rates', inputs: [shape(60), [0.1, 1, 4.5, 9.99]], attrs, tolerance: EXACT },
      { name: 'large rates', inputs: [shape(60), [10, 12.5, 100, 3000, 1e6]], attrs, tolerance: EXACT },
      { name: 'odd rates', inputs: [shape(2), [0, -1, NaN, Infinity, 1e-40]], attrs, tolerance: EXACT },
      { name: 'one rate, many draws', inputs: [shape(3, 50), 7], attrs, tolerance: EXACT },
      { name: 'none', inputs: [shape(0), [3, 4]], attrs, tolerance: EXACT },
      ...more,
    ],
    shapes: [
      { inputs: '[1];[?,3]', outputs: '[5,?,3]', dtypes: ['int32'], constants: { 0: [5] }, attrs },
      { inputs: '?;[3]', outputs: '?', dtypes: ['int32'], attrs },
      { inputs: '[2];?', outputs: '?', dtypes: ['int32'], attrs },
    ],
    errors: [vectorError(['int32', 'float32'], attrs)],
  };
}

function logits(rows: number, classes: number): SampleInput {
  return { value: [...new Random(31).array(rows * classes, -3, 3)], shape: [rows, classes] };
}

/** Samples of categorical numbers; \`extra\` are inputs after the number of samples. */
function categorical(extra: readonly SampleInput[], attrs: Record<string, number>): OpSamples {
  const last = extra.length === 0 ? '' : ';[2]';
  const names =
    extra.length === 0 ? (['float32', 'int32'] as const) : (['float32', 'int32', 'int64'] as const);
  return {
    samples: [
      { name: 'a few classes', inputs: [logits(3, 5), int(40), ...extra], attrs },
      { name: 'one class', inputs: [logits(2, 1), int(3), ...extra], attrs },
      { name: 'many classes', inputs: [logits(2, 3001), int(50), ...extra], attrs },
      {
        name: 'extreme logits',
        inputs: [
          [
            [1e30, 1e30, -1e30],
            [-Infinity, NaN, 2],
            [-Infinity, NaN, Infinity],
            [-1e-40, 1e-40, -88],
            [-5, -5.5, -40],
          ],
          int(12),
          ...extra,
        ],
        attrs,
      },
      { name: 'no samples', inputs: [logits(2, 3), int(0), ...extra], attrs },
      { name: 'no rows', inputs: [logits(0, 3), int(4), ...extra], attrs },
      { name: 'int32', inputs: [logits(2, 4), int(9), ...extra], attrs: { ...attrs, output_dtype: 'int32' } },
    ],
    shapes: [
      { inputs: `[?,5];[]${last}`, outputs: '[?,7]', dtypes: names, constants: { 1: 7 }, attrs },
      { inputs: `?;[]${last}`, outputs: '[?,?]', dtypes: names, attrs },
    ],
    errors: [
      { inputs: `[5];[]${last}`, dtypes: names, attrs, message: /logits must have rank 2, got shape \[5\]/ },
      {
        inputs: `[2,5];[1]${last}`,
        dtypes: names,
        attrs,
        message: /num_samples must have rank 0, got shape \[1\]/,
      },
      {
        inputs: `[2,5];[]${last}`,
        dtypes: names,
        constants: { 1: -1 },
        attrs,
        message: /num_samples must not be negative, got -1/,
      },
      {
        inputs: `[2,0];[]${last}`,
        dtypes: names,
        constants: { 1: 3 },
        attrs,
        message: /there are no classes to draw from: logits have shape \[2,0\]/,
      },
    ],
  };
}

const counted = (...dims: number[]): SampleInput => ({
  value: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i),
  shape: dims,
});

export const RANDOM_DRAW_SAMPLES = {
  RandomGamma: {
    samples: [
      {
        name: 'shapes below 1',
        inputs: [shape(40), [1e-6, 0.01, 0.3, 0.999]],
        attrs: seeds,
        tolerance: EXACT,
      },
      {
        name: 'shapes above 1',
        inputs: [shape(40), [1, 1.5, 4, 30, 1e4, 1e12]],
        attrs: seeds,
        tolerance: EXACT,
      },
      {
        name: 'odd shapes',
        inputs: [shape(2), [0, -1, NaN, Infinity, 1e-40]],
        attrs: seeds,
        tolerance: EXACT,
      },
      { name: 'one shape, many draws', inputs: [shape(3, 50), 2], attrs: seeds, tolerance: EXACT },
      { name: 'none', inputs: [shape(3), { value: [], shape: [0, 2] }], attrs: seeds, tolerance: EXACT },
    ],
    shapes: [
      { inputs: '[1];[?,3]', outputs: '[5,?,3]', dtypes: ['int32'], constants: { 0: [5] }, attrs: seeds },
      { inputs: '[2];[]', outputs: '[?,?]', dtypes: ['int32'], attrs: seeds },
      { inputs: '?;[3]', outputs: '?', dtypes: ['int32'], attrs: seeds },
      { inputs: '[2];?', outputs: '?', dtypes: ['int32'], attrs: seeds },
    ],
    errors: [
      vectorError(['int32', 'float32'], seeds),
      {
        inputs: '[1];[3]',
        dtypes: ['int32', 'int32'],
        attrs: seeds,
        message: /attribute "T" must be one of/,
      },
    ],
  },
  RandomGammaGrad: {
    samples: [
      {
        name: 'usual samples',
        inputs: [
          [0.3, 0.9, 1, 2.5, 7, 40, 150],
          [0.1, 2.5, 1e-3, 2, 12, 44, 120],
        ],
        tolerance: { rtol: 1e-4 }, // sums of a hundred terms, log to a few units in the last place
      },
      {
        name: 'far from the mean',
        inputs: [
          [0.01, 0.01, 0.5, 3, 3, 20, 100],
          [1e-30, 3, 9, 0.01, 25, 6, 170],
        ],
        tolerance: { rtol: 1e-4 },
      },
      {
        name: 'large shapes',
        inputs: [
          [250, 1000, 1e5],
          [230, 1100, 100500],
        ],
        tolerance: { rtol: 1e-4 },
      },
      {
        name: 'broadcast',
        inputs: [
          [[0.7], [4]],
          [0.2, 1, 6],
        ],
        tolerance: { rtol: 1e-4 },
      },
      {
        name: 'odd',
        inputs: [
          [-1, 0, NaN, 1, 1, 2],
          [1, 1, 1, NaN, -1, 0],
        ],
      },
    ],
    shapes: [
      { inputs: '[?,3];[3]', outputs: '[?,3]' },
      { inputs: '?;[3]', outputs: '?' },
    ],
    errors: [{ inputs: '[2];[3]', message: /shapes do not broadcast: \[2\] and \[3\]/ }],
  },
  RandomPoisson: poisson(1),
  RandomPoissonV2: poisson(2),
  Multinomial: categorical([], seeds),
  StatelessMultinomial: categorical([{ value: [11, -3], dtype: 'int64' }], {}),
  RandomShuffle: {
    samples: [
      { name: 'a vector', inputs: [counted(13)], attrs: seeds },
      { name: 'rows', inputs: [counted(7, 3)], attrs: { seed: 1, seed2: 2 } },
      { name: 'int32', inputs: [{ ...counted(300, 2), dtype: 'int32' }], attrs: seeds },
      { name: 'a scalar', inputs: [5], attrs: seeds },
      { name: 'one row', inputs: [counted(1, 4)], attrs: seeds },
      { name: 'nothing', inputs: [counted(0, 4)], attrs: seeds },
      { name: 'empty rows', inputs: [counted(4, 0)], attrs: seeds },
      { name: 'most that are sorted', inputs: [counted(1024)], attrs: seeds },
      { name: 'many', inputs: [counted(1025)], attrs: seeds },
      { name: 'many rows', inputs: [counted(5000, 2)], attrs: seeds },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[?,3]', attrs: seeds },
      { inputs: '?', outputs: '?', attrs: seeds },
    ],
    errors: [{ inputs: '[3]', attrs: { seed: 'x' }, message: /attribute "seed"/ }],
  },
  ParameterizedTruncatedNormal: {
    samples: [
      { name: 'scalars', inputs: [shape(100), 0, 1, -1, 2], attrs: seeds, tolerance: EXACT },
      {
        name: 'by rows',
        inputs: [
          shape(9, 20),
          [0, 1, -3, 0, 0, 0, 0, 0, 5],
          [1, 2, 0.5, 1, 1, 1, 1, 1, 2],
          [-0.5, 3, -9, 0.2, 0.2, 3, 3, 1.5, -Infinity],
          [0.5, 9, -4, 9, 0.9, 9, 3.1, 1.6, Infinity],
        ],
        attrs: seeds,
        tolerance: EXACT,
      },
      {
        name: 'nothing to draw from',
        inputs: [shape(4, 2), [0, 0, NaN, 0], [1, 0, 1, -1], [2, -1, -1, -1], [1, 1, 1, 1]],
        attrs: seeds,
        tolerance: EXACT,
      },
      { name: 'empty', inputs: [shape(0, 2), 0, 1, -1, 1], attrs: seeds, tolerance: EXACT },
    ],
    shapes: [
      {
        inputs: '[2];[];[];[?];[2]',
        outputs: '[2,3]',
        dtypes: ['int32'],
        constants: { 0: [2, 3] },
        attrs: seeds,
      },
      { inputs: '?;[];?;[];[]', outputs: '?', dtypes: ['int32'], attrs: seeds },
    ],
    errors: [
      {
        inputs: '[2];[3];[];[];[]',
        dtypes: ['int32'],
        constants: { 0: [2, 3] },
        attrs: seeds,
        message: /means has 3 elements, the output has 2 rows/,
      },
      {
        inputs: '[2];[];[2,1];[];[]',
        dtypes: ['int32'],
        attrs: seeds,
        message: /stdevs must be a scalar or a vector, got shape \[2,1\]/,
      },
      {
        inputs: '[0];[];[];[];[]',
        dtypes: ['int32'],
        attrs: seeds,
        message: /shape must have an element at least/,
      },
    ],
  },
} satisfies FamilySamples;
