/** Samples of the factorization into triangles and of tridiagonal matrices. */
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

const TOLERANCE = { rtol: 1e-4, atol: 2e-5 };
const LARGE = 'smaller samples cover the formula';

function floats(shape: readonly number[], seed = 1, low = -1, high = 1): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size, low, high)) };
}

function named(name: string, inputs: readonly SampleInput[], more: Partial<Sample> = {}): Sample {
  return { name, inputs, tolerance: TOLERANCE, ...more };
}

/** Compact diagonals [..., 3, m] of which the main one is `shift` larger. */
function bands(batch: readonly number[], m: number, shift: number, seed = 3): SampleInput {
  const { shape = [], value } = floats([...batch, 3, m], seed);
  const flat = value as number[];
  return { shape, value: flat.map((x, i) => (Math.floor(i / m) % 3 === 1 ? x + shift : x)) };
}

const EXCHANGED: SampleInput = {
  value: [
    [2, 1, 3, 9],
    [0, 0.5, 0, 1],
    [9, 1, 2, -1],
  ],
};
const WITHOUT = { attrs: { partial_pivoting: false } };
const DIFFER = /diagonals \[3,4\] and rhs \[5,2\] differ in side or batch/;

export const LINALG_BAND_SAMPLES = {
  Lu: {
    samples: [
      named('one by one', [{ value: [[-2.5]] }]),
      named('three', [floats([3, 3], 5)]),
      named('batch', [floats([2, 2, 4, 4], 2)]),
      named('rows exchanged', [
        {
          value: [
            [0, 2, 1],
            [1, 0.5, 3],
            [2, 1, 0],
          ],
        },
      ]),
      named('int64 rows', [floats([3, 3], 7)], { attrs: { output_idx_type: 'int64' } }),
      named('large', [floats([37, 37], 6)], { skipGradient: LARGE }),
      named('empty', [{ value: [], shape: [2, 0, 0] }], { skipGradient: 'empty' }),
      named(
        'one is singular',
        [
          {
            value: [
              [
                [1, 2],
                [2, 4],
              ],
              [
                [3, 1],
                [0, 2],
              ],
            ],
          },
        ],
        { skipGradient: 'NaN' },
      ),
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[3,3];[3]' },
      { inputs: '[2,?,4,4]', outputs: '[2,?,4,4];[2,?,4]' },
      { inputs: '?', outputs: '?;?' },
    ],
    errors: [
      { inputs: '[2,3]', message: /input must hold square matrices, got shape \[2,3\]/ },
      { inputs: '[3]', message: /input must have rank 2 or more, got shape \[3\]/ },
    ],
  },
  TridiagonalSolve: {
    samples: [
      named('one by one', [bands([], 1, 2), floats([1, 2])]),
      named('four', [bands([], 4, 3), floats([4, 2])]),
      named('batch', [bands([2, 2], 3, 2.5), floats([2, 2, 3, 1])]),
      named('rows exchanged', [EXCHANGED, floats([4, 3])]),
      named('not exchanged', [bands([], 5, 3), floats([5, 2])], WITHOUT),
      named('large', [bands([3], 41, 3), floats([3, 41, 7])], { skipGradient: LARGE }),
      named('no columns', [bands([], 3, 2), floats([3, 0])]),
    ],
    shapes: [
      { inputs: '[?,3,?];[2,4,?]', outputs: '[2,4,?]' },
      { inputs: '?;[4,2]', outputs: '[4,2]' },
      { inputs: '[3,5];?', outputs: '[5,?]' },
    ],
    errors: [
      { inputs: '[3,4];[5,2]', message: DIFFER },
      { inputs: '[2,4];[4,2]', message: /diagonals must be \[\.\.\., 3, m\], got shape \[2,4\]/ },
      { inputs: '[3,4];[4]', message: /rhs must have rank 2 or more, got shape \[4\]/ },
    ],
  },
  TridiagonalMatMul: {
    samples: [
      named('four', [...[1, 2, 3].map((seed) => floats([1, 4], seed)), floats([4, 3])]),
      named('batch', [...[1, 2, 3].map((seed) => floats([2, 1, 3], seed)), floats([2, 3, 2])]),
      named('one by one', [...[1, 2, 3].map((seed) => floats([1, 1], seed)), floats([1, 2])]),
      named(
        'elements that are not read',
        [{ value: [[1, 2, NaN]] }, { value: [[1, 1, 1]] }, { value: [[Infinity, 3, 4]] }, floats([3, 2])],
        { skipGradient: 'NaN' },
      ),
    ],
    shapes: [{ inputs: '[1,?];[1,4];?;[?,2]', outputs: '[4,2]' }],
    errors: [
      {
        inputs: '[1,4];[1,4];[1,3];[4,2]',
        message: /subdiag \[1,3\] and rhs \[4,2\] differ in side or batch/,
      },
      { inputs: '[4];[1,4];[1,4];[4,2]', message: /superdiag must have rank 2 or more, got shape \[4\]/ },
    ],
  },
} satisfies FamilySamples;
