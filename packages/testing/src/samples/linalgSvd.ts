/** Samples of singular value decompositions: tall and wide, of full and lower rank, batches, empty and failing ones. */
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

/** Rotations round in every step; vectors move by the error of an element divided by the gap of singular values. */
const TOLERANCE = { rtol: 1e-4, atol: 2e-5 };
const LARGE = 'smaller samples cover the formula';
const FULL = { full_matrices: true };
const VALUES = { compute_uv: false };

function floats(shape: readonly number[], seed = 1): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}

function named(name: string, input: SampleInput, more: Partial<Sample> = {}): Sample {
  return { name, inputs: [input], tolerance: TOLERANCE, ...more };
}

/** Rank 2 of 3, and the same on its side. */
const DEFICIENT = [
  [1, 2, 0.5],
  [3, -1, 2],
  [4, 1, 2.5],
  [2, -3, 1.5],
];

export const LINALG_SVD_SAMPLES = {
  Svd: {
    samples: [
      named('one by one', { value: [[-2.5]] }),
      named('square', floats([3, 3], 5)),
      named('deep', floats([2, 5, 3], 6)),
      named('wide', floats([2, 2, 3, 5], 7)),
      named('one column', floats([4, 1], 5)),
      named('one row', floats([1, 4], 5)),
      named('values only', floats([2, 4, 3], 8), { attrs: VALUES }),
      named('values only, wide', floats([2, 4], 8), { attrs: VALUES }),
      named('full, square', floats([3, 3], 9), { attrs: FULL }),
      named('full, one row more', floats([2, 4, 3], 10), { attrs: FULL }),
      named('full, one column more', floats([2, 3, 4], 11), { attrs: FULL }),
      named('full, deep', floats([2, 6, 3], 12), { attrs: FULL, skipGradient: 'TensorFlow defines none' }),
      named('full, wide', floats([3, 7], 13), { attrs: FULL, skipGradient: 'TensorFlow defines none' }),
      named('lower rank', { value: DEFICIENT }, { skipGradient: 'a singular value is 0' }),
      named('lower rank, full', { value: DEFICIENT }, { attrs: FULL, skipGradient: 'a singular value is 0' }),
      named(
        'zeros',
        {
          value: [
            [0, 0],
            [0, 0],
            [0, 0],
          ],
        },
        { attrs: FULL, skipGradient: 'singular values are 0' },
      ),
      named(
        'huge',
        {
          value: [
            [3e25, 1e25],
            [1e25, -2e25],
            [0.5e25, 4e25],
          ],
        },
        { skipGradient: LARGE },
      ),
      named(
        'small',
        {
          value: [
            [3e-25, 1e-25],
            [1e-25, -2e-25],
            [0.5e-25, 4e-25],
          ],
        },
        {
          tolerance: { rtol: 1e-4, atol: 2e-30 },
          skipGradient: LARGE,
        },
      ),
      named(
        'one has NaN',
        {
          value: [
            [
              [1, 2],
              [NaN, 1],
            ],
            [
              [3, 1],
              [0, 2],
            ],
          ],
        },
        { skipGradient: 'NaN' },
      ),
      named('large', floats([9, 7], 5), { skipGradient: LARGE }),
      named('many columns', floats([6, 9], 14), { attrs: VALUES, skipGradient: LARGE }),
      named('none', floats([0, 3, 2])),
      named('no columns', { value: [], shape: [2, 3, 0] }),
      named('no rows, full', { value: [], shape: [2, 0, 3] }, { attrs: FULL, skipGradient: 'empty' }),
    ],
    shapes: [
      { inputs: '[?,5,3]', outputs: '[?,3];[?,5,3];[?,3,3]' },
      { inputs: '[?,3]', outputs: '[?];[?,?];[3,?]' },
      { inputs: '[2,5,3]', outputs: '[2,3];[2,5,5];[2,3,3]', attrs: FULL },
      { inputs: '[?,4]', outputs: '[?];[?,?];[4,4]', attrs: FULL },
      { inputs: '[?,3,4]', outputs: '[?,3];[0];[0]', attrs: VALUES },
      { inputs: '?', outputs: '?;?;?' },
      { inputs: '?', outputs: '?;[0];[0]', attrs: VALUES },
    ],
    errors: [
      { inputs: '[3]', message: /input must have rank 2 or more, got shape \[3\]/ },
      { inputs: '[3,3]', dtypes: ['int32'], message: /must be one of/ },
    ],
  },
} satisfies FamilySamples;
