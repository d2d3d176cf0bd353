/** Samples of matrix products. */
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';
import { EINSUM_SAMPLES } from './einsum.js';
import { FUSED_MATMUL_SAMPLES } from './fused.js';
import { MATRIX_DIAG_SAMPLES } from './matrixDiag.js';

/** Numbers in [-1, 1) that depend on shape and seed only. */
function matrix(shape: readonly number[], seed: number): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}

/** A product of factors of the given shapes. Long sums differ from float64 by their roundings. */
function product(a: readonly number[], b: readonly number[], attrs: Sample['attrs'] = {}): Sample {
  const flags = Object.keys(attrs).join(' ');
  return {
    name: `[${a.join()}] by [${b.join()}]${flags === '' ? '' : ` ${flags}`}`,
    inputs: [matrix(a, 1), matrix(b, 2)],
    attrs,
    tolerance: { rtol: 1e-5, atol: 2e-5 },
  };
}

/** As `product`, of a size at which finite differences take too long. */
function large(a: readonly number[], b: readonly number[], attrs: Sample['attrs'] = {}): Sample {
  return { ...product(a, b, attrs), skipGradient: 'smaller samples cover the formula' };
}

const ints = (shape: readonly number[], value: readonly number[]): SampleInput => ({
  shape,
  value: [...value],
  dtype: 'int32',
});

const BATCH_SAMPLES: readonly Sample[] = [
  product([2, 3, 4], [2, 4, 5]),
  product([2, 4, 3], [2, 4, 5], { adj_x: true }),
  product([2, 3, 4], [2, 5, 4], { adj_y: true }),
  product([2, 4, 3], [2, 5, 4], { adj_x: true, adj_y: true }),
  product([2, 3], [3, 2]),
  product([0, 2, 3], [0, 3, 2]),
  product([2, 2, 0], [2, 0, 3]),
  large([2, 3, 20, 12], [2, 3, 12, 36]),
];

const RANK_ERROR = { inputs: '[3];[3,2]', message: /x must have rank 2 or more, got shape \[3\]/ };

export const MATRIX_SAMPLES = {
  ...EINSUM_SAMPLES,
  ...MATRIX_DIAG_SAMPLES,
  _FusedMatMul: FUSED_MATMUL_SAMPLES,
  MatMul: {
    samples: [
      product([3, 4], [4, 5]),
      product([4, 3], [4, 5], { transpose_a: true }),
      product([3, 4], [5, 4], { transpose_b: true }),
      product([4, 3], [5, 4], { transpose_a: true, transpose_b: true }),
      product([1, 1], [1, 1]),
      product([1, 7], [7, 1]),
      product([0, 3], [3, 2]),
      product([2, 0], [0, 3]),
      product([2, 3], [3, 0]),
      large([37, 53], [53, 29]),
      large([53, 37], [53, 29], { transpose_a: true }),
      large([37, 53], [29, 53], { transpose_b: true }),
      large([53, 37], [29, 53], { transpose_a: true, transpose_b: true }),
      large([20, 64], [64, 36]),
      large([64, 20], [64, 36], { transpose_a: true }),
      large([20, 64], [36, 64], { transpose_b: true }),
      large([64, 20], [36, 64], { transpose_a: true, transpose_b: true }),
      large([1, 640], [640, 40]),
      large([3, 260], [260, 10]),
      large([130, 20], [20, 10]),
      {
        name: 'int32 wraps',
        inputs: [ints([1, 2], [2147483647, 1234567891]), ints([2, 1], [-3, 987654321])],
      },
      { name: 'int32', inputs: [ints([2, 3], [1, -2, 3, 4, 5, -6]), ints([3, 2], [7, 8, 9, -10, 11, 12])] },
      {
        name: 'infinity only where it belongs',
        inputs: [{ value: [[1, 2, 3]] }, { shape: [3, 5], value: [1e38, ...Array<number>(14).fill(3e38)] }],
        skipGradient: 'overflows',
      },
    ],
    shapes: [
      { inputs: '[1,?];[?,2]', outputs: '[1,2]' },
      { inputs: '[?,3];[3,?]', outputs: '[?,?]' },
      { inputs: '?;[4,5]', outputs: '[?,5]' },
      { inputs: '?;?', outputs: '[?,?]' },
      { inputs: '[3,2];[?,3]', outputs: '[2,?]', attrs: { transpose_a: true, transpose_b: true } },
    ],
    errors: [
      { inputs: '[32,784];[785,10]', message: /inner dimensions differ: a \[32,784\], b \[785,10\]/ },
      {
        inputs: '[2,3];[2,3]',
        attrs: { transpose_a: true, transpose_b: true },
        message: /inner dimensions differ: a \[2,3\] transposed, b \[2,3\] transposed/,
      },
      { inputs: '[2,3,4];[4,5]', message: /a must have rank 2, got shape \[2,3,4\]/ },
      { inputs: '[2,3];[3,2]', dtypes: ['float32', 'int32'], message: /T|int32/ },
    ],
  },

  BatchMatMul: {
    samples: BATCH_SAMPLES,
    shapes: [
      { inputs: '[?,3,4];[2,4,?]', outputs: '[2,3,?]' },
      { inputs: '?;[2,4,5]', outputs: '?' },
    ],
    errors: [
      RANK_ERROR,
      {
        inputs: '[2,3,4];[1,4,5]',
        message: /batch dimensions differ: x \[2,3,4\], y \[1,4,5\]/,
      },
    ],
  },

  BatchMatMulV2: {
    samples: [
      ...BATCH_SAMPLES,
      product([2, 2, 3], [3, 4]),
      product([3, 4], [2, 4, 2]),
      product([2, 1, 2, 3], [3, 3, 2]),
      product([1, 2, 3], [4, 3, 2]),
      large([2, 1, 17, 8], [1, 3, 8, 20]),
      { name: 'int32', inputs: [ints([2, 1, 2], [1, 2, 3, 4]), ints([2, 1], [5, -6])] },
    ],
    shapes: [
      { inputs: '[?,3,4];[4,?]', outputs: '[?,3,?]' },
      { inputs: '[?,1,3,4];[5,4,2]', outputs: '[?,5,3,2]' },
      { inputs: '[2,4,3];[1,5,4]', outputs: '[2,3,5]', attrs: { adj_x: true, adj_y: true } },
    ],
    errors: [
      RANK_ERROR,
      { inputs: '[2,3,4];[2,3,5]', message: /inner dimensions differ: a \[2,3,4\], b \[2,3,5\]/ },
      {
        inputs: '[2,3,4];[3,4,5]',
        message: /batch dimensions do not broadcast: x \[2,3,4\], y \[3,4,5\]/,
      },
    ],
  },

  BatchMatMulV3: {
    samples: [
      product([2, 3, 4], [4, 2]),
      product([2, 4, 3], [1, 5, 4], { adj_x: true, adj_y: true }),
      {
        name: 'two dtypes',
        inputs: [ints([1, 2], [1, 2]), ints([2, 1], [5, -6])],
        attrs: { Tout: 'int64' },
        unsupportedOnGpu: 'the product has another dtype than its factors',
      },
    ].map((sample) => ({ ...sample, attrs: { Tout: 'float32', ...sample.attrs } })),
    shapes: [
      { inputs: '[?,1,3,4];[5,4,2]', outputs: '[?,5,3,2]', attrs: { Tout: 'float32' } },
      { inputs: '?;[2,4,5]', outputs: '?', attrs: { Tout: 'float32' } },
    ],
    errors: [{ ...RANK_ERROR, attrs: { Tout: 'float32' } }],
  },
} satisfies FamilySamples;
