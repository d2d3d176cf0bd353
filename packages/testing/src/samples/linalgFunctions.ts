/** Samples of functions of matrices and of least squares. */
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

/** Sums of products round in every step; the conditions of these matrices are below 100. */
const TOLERANCE = { rtol: 1e-4, atol: 2e-5 };
const LARGE = 'smaller samples cover the formula';

function floats(shape: readonly number[], seed = 1): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}

/** Random square matrices, `shift` being added to the diagonal, all multiplied by `factor`. */
function square(batch: readonly number[], n: number, shift: number, seed = 1, factor = 1): SampleInput {
  const count = batch.reduce((product, dim) => product * dim, 1);
  const value = Array.from(new Random(seed).array(count * n * n), (x, i) => {
    const place = i % (n * n);
    return factor * (Math.floor(place / n) === place % n ? x + shift : x);
  });
  return { shape: [...batch, n, n], value };
}

function named(name: string, inputs: readonly SampleInput[], more: Partial<Sample> = {}): Sample {
  return { name, inputs, tolerance: TOLERANCE, ...more };
}

const SHAPES = [
  { inputs: '[?,3]', outputs: '[3,3]' },
  { inputs: '[2,?,4,4]', outputs: '[2,?,4,4]' },
  { inputs: '?', outputs: '?' },
];
const ERRORS = [
  { inputs: '[2,3]', message: /must hold square matrices, got shape \[2,3\]/ },
  { inputs: '[3]', message: /input must have rank 2 or more, got shape \[3\]/ },
];
const EMPTY: readonly Sample[] = [
  named('none', [square([0], 3, 1)]),
  named('empty', [{ value: [], shape: [2, 0, 0] }], { skipGradient: 'empty' }),
];
const pair = (...rows: number[][]): SampleInput => ({ value: rows });

/** A lower triangle with a diagonal above 0, as of a factor. */
function lower(batch: readonly number[], n: number): SampleInput {
  const { shape = [], value } = square(batch, n, 4, 3, 0.5);
  const flat = value as number[];
  return { shape, value: flat.map((x, i) => (Math.floor((i % (n * n)) / n) >= i % n ? x : 0)) };
}

const l2 = (x: number): SampleInput => ({ value: x, dtype: 'float64' });
const LS = { gradientInputs: [0, 1] };
const SLOW = { attrs: { fast: false }, skipGradient: 'TensorFlow defines none' };
const MIXED = ['float32', 'float32', 'float64'] as const;
/** The third column is the sum of the others. */
const DEFICIENT = pair([1, 2, 3], [3, -1, 2], [4, 1, 5], [2, -3, -1]);

export const LINALG_FUNCTION_SAMPLES = {
  MatrixExponential: {
    samples: [
      named('one by one', [{ value: [[-0.7]] }]),
      named('three', [square([], 3, 0, 5)]),
      named('batch', [square([2, 2], 2, -1, 2)]),
      named('of norm 30', [square([], 3, -4, 4, 6)], { skipGradient: LARGE }),
      named('nilpotent', [pair([0, 3, -1], [0, 0, 2], [0, 0, 0])]),
      named('a turn', [pair([0, -40], [40, 0])], {
        skipGradient: LARGE,
        tolerance: { rtol: 1e-4, atol: 1e-4 },
      }),
      named('zeros', [pair([0, 0], [0, 0])], { skipGradient: LARGE }),
      named('NaN', [pair([0, NaN], [1, 0])], { skipGradient: 'NaN' }),
      named('large', [square([], 21, -3, 6)], { skipGradient: LARGE }),
      ...EMPTY,
    ],
    shapes: SHAPES,
    errors: ERRORS,
  },
  MatrixSquareRoot: {
    samples: [
      named('one by one', [{ value: [[2.5]] }]),
      named('three', [square([], 3, 3, 5)]),
      named('batch', [square([2, 2], 2, 4, 2)]),
      named('of all sizes', [pair([1e-4, 0], [3, 1e4])], { skipGradient: LARGE }),
      named('large', [square([], 21, 9, 6)], { skipGradient: LARGE }),
      named('turned by almost a half turn', [pair([-0.9, -0.5], [0.5, -0.9])], { skipGradient: LARGE }),
      named('none exists', [pair([-1, 0], [0, 2])], { skipGradient: 'there is no real root' }),
      ...EMPTY,
    ],
    shapes: SHAPES,
    errors: ERRORS,
  },
  CholeskyGrad: {
    samples: [
      named('one by one', [{ value: [[2.5]] }, { value: [[-1]] }]),
      named('three', [lower([], 3), square([], 3, 0, 5)]),
      named('batch', [lower([2, 2], 4), square([2, 2], 4, 0, 6)]),
      named('large', [lower([], 9), square([], 9, 0, 7)], { skipGradient: LARGE }),
      named(
        'empty',
        [
          { value: [], shape: [2, 0, 0] },
          { value: [], shape: [2, 0, 0] },
        ],
        { skipGradient: 'empty' },
      ),
    ],
    shapes: [
      { inputs: '[?,3];[3,?]', outputs: '[3,3]' },
      { inputs: '[2,?,4,4];?', outputs: '[2,?,4,4]' },
      { inputs: '?;?', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,3];[2,2]', message: /l must hold square matrices, got shape \[2,3\]/ },
      { inputs: '[2,2];[3,3]', message: /l \[2,2\] and grad \[3,3\] must have the same shape/ },
    ],
  },
  MatrixSolveLs: {
    samples: [
      named('deep', [floats([2, 5, 3], 5), floats([2, 5, 2], 6), l2(0)], LS),
      named('deep, weighted', [floats([5, 3], 5), floats([5, 1], 6), l2(0.3)], LS),
      named('wide', [floats([3, 5], 5), floats([3, 2], 6), l2(0)], LS),
      named('wide, weighted', [floats([2, 2, 4], 5), floats([2, 2, 1], 6), l2(0.3)], LS),
      named('square', [square([], 3, 3, 5), floats([3, 2], 6), l2(0)], LS),
      named('large', [floats([40, 17], 5), floats([40, 3], 6), l2(0.1)], { skipGradient: LARGE }),
      named('deep, slow', [floats([2, 5, 3], 5), floats([2, 5, 2], 6), l2(0.5)], SLOW),
      named('wide, slow', [floats([3, 5], 5), floats([3, 2], 6), l2(0)], SLOW),
      named('lower rank, slow', [DEFICIENT, floats([4, 2], 6), l2(0)], SLOW),
      named('no columns', [floats([3, 0]), floats([3, 2]), l2(0)], { skipGradient: 'empty' }),
      named('no rows', [floats([0, 3]), floats([0, 2]), l2(0)], { skipGradient: 'empty' }),
      named('none', [floats([0, 3, 2]), floats([0, 3, 1]), l2(0)], { skipGradient: 'empty' }),
    ],
    shapes: [
      { inputs: '[?,5,3];[2,?,4];[]', outputs: '[2,3,4]', dtypes: MIXED },
      { inputs: '?;[3,2];[]', outputs: '?', dtypes: MIXED },
    ],
    errors: [
      { inputs: '[3];[3,1];[]', dtypes: MIXED, message: /matrix must have rank 2 or more, got shape \[3\]/ },
      { inputs: '[3,2];[2,1];[]', dtypes: MIXED, message: /matrix \[3,2\] and rhs \[2,1\] differ in rows/ },
      {
        inputs: '[2,3,2];[1,3,1];[]',
        dtypes: MIXED,
        message: /batch dimensions differ: matrix \[2,3,2\], rhs \[1,3,1\]/,
      },
      { inputs: '[3,2];[3,1];[1]', dtypes: MIXED, message: /l2_regularizer must have rank 0/ },
    ],
  },
} satisfies FamilySamples;
