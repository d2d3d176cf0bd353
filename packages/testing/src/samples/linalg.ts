/** Samples of dense linear algebra: matrices of small condition, batches, empty and failing ones. */
import { Random } from '../random.js';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { LINALG_BAND_SAMPLES } from './linalgBands.js';
import { LINALG_FUNCTION_SAMPLES } from './linalgFunctions.js';
import { LINALG_SVD_SAMPLES } from './linalgSvd.js';

/** Sums of products and quotients round in every step; the conditions of these matrices are below 100. */
const TOLERANCE = { rtol: 1e-4, atol: 2e-5 };
const LARGE = 'smaller samples cover the formula';

function floats(shape: readonly number[], seed = 1): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}

/** Random square matrices, `shift` being added to the diagonal. */
function square(batch: readonly number[], n: number, shift: number, seed = 1): SampleInput {
  const count = batch.reduce((product, dim) => product * dim, 1);
  const value = Array.from(new Random(seed).array(count * n * n), (x, i) => {
    const place = i % (n * n);
    return Math.floor(place / n) === place % n ? x + shift : x;
  });
  return { shape: [...batch, n, n], value };
}

/** Symmetric positive definite matrices. */
function definite(batch: readonly number[], n: number): SampleInput {
  const count = batch.reduce((product, dim) => product * dim, 1);
  const b = new Random(3).array(count * n * n);
  const value = Array.from(b, (_, i) => {
    const [m, row, column] = [Math.floor(i / (n * n)), Math.floor(i / n) % n, i % n];
    let sum = row === column ? 1 : 0;
    for (let k = 0; k < n; k++) sum += (b[(m * n + row) * n + k] ?? 0) * (b[(m * n + column) * n + k] ?? 0);
    return sum;
  });
  return { shape: [...batch, n, n], value };
}

const SQUARE_ERROR = { inputs: '[2,3]', message: /must hold square matrices, got shape \[2,3\]/ };
const RANK_ERROR = { inputs: '[3]', message: /input must have rank 2 or more, got shape \[3\]/ };

function named(name: string, inputs: readonly SampleInput[], more: Partial<Sample> = {}): Sample {
  return { name, inputs, tolerance: TOLERANCE, ...more };
}

/** An op of one square matrix; `shapes` and errors are the same for all. */
function ofSquare(
  samples: readonly Sample[],
  outputs: readonly [open: string, batch: string, unknown: string],
): OpSamples {
  return {
    samples,
    shapes: [
      { inputs: '[?,3]', outputs: outputs[0] },
      { inputs: '[2,?,4,4]', outputs: outputs[1] },
      { inputs: '?', outputs: outputs[2] },
    ],
    errors: [SQUARE_ERROR, RANK_ERROR],
  };
}

const general: readonly Sample[] = [
  named('one by one', [{ value: [[-2.5]] }]),
  named('three', [square([], 3, 0, 5)]),
  named('batch', [square([2, 2], 4, 2)]),
  named('rows exchanged', [
    {
      value: [
        [0, 2, 1],
        [1, 0.5, 3],
        [2, 1, 0],
      ],
    },
  ]),
  named('large', [square([], 37, 9)], { skipGradient: LARGE }),
  named('none', [square([0], 3, 1)]),
  named('empty', [{ value: [], shape: [2, 0, 0] }]),
];
const adjoint = general
  .slice(0, 4)
  .map((s) => ({ ...s, name: `${s.name} adjoint`, attrs: { adjoint: true } }));
const singular = named(
  'singular',
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
  { skipGradient: 'singular' },
);

const solveRhs = (batch: readonly number[], n: number, columns: number): SampleInput =>
  floats([...batch, n, columns], 7);
const solving: readonly Sample[] = [
  named('three', [square([], 3, 0, 5), solveRhs([], 3, 2)]),
  named('batch', [square([2, 2], 4, 2), solveRhs([2, 2], 4, 1)]),
  named('large', [square([], 37, 9), solveRhs([], 37, 5)], { skipGradient: LARGE }),
  named('no columns', [square([], 3, 1), solveRhs([], 3, 0)]),
  named('empty', [square([0], 3, 1), solveRhs([0], 3, 2)]),
];

const FLAGS = [true, false].flatMap((lower) => [true, false].map((flag) => ({ lower, adjoint: flag })));
const triangular: readonly Sample[] = FLAGS.flatMap((attrs) =>
  [
    named('three', [square([], 3, 2), solveRhs([], 3, 2)]),
    named('broadcast', [square([2, 1], 3, 2), solveRhs([3], 3, 1)]),
    named('large', [square([], 33, 12), solveRhs([], 33, 5)], { skipGradient: LARGE }),
  ].map((s) => ({ ...s, name: `${s.name} ${JSON.stringify(attrs)}`, attrs })),
);

const deep: readonly Sample[] = [
  named('square', [floats([3, 3], 5)]),
  named('deep', [floats([2, 5, 3], 5)]),
  named('wide', [floats([2, 3, 5], 5)]),
  named('one column', [floats([4, 1], 5)]),
  named(
    'triangular already',
    [
      {
        value: [
          [2, 1],
          [0, -3],
        ],
      },
    ],
    { skipGradient: 'the reflections are at a jump' },
  ),
  named('large', [floats([40, 21], 5)], { skipGradient: LARGE }),
  named('no columns', [{ value: [], shape: [2, 3, 0] }]),
];
const FULL = { full_matrices: true };

export const LINALG_SAMPLES = {
  ...LINALG_FUNCTION_SAMPLES,
  ...LINALG_BAND_SAMPLES,
  ...LINALG_SVD_SAMPLES,
  Cholesky: ofSquare(
    [
      named('one by one', [{ value: [[2.5]] }]),
      named('three', [definite([], 3)]),
      named('batch', [definite([2, 2], 4)]),
      named('large', [definite([], 37)], { skipGradient: LARGE }),
      named('empty', [{ value: [], shape: [2, 0, 0] }]),
      named(
        'one is not definite',
        [
          {
            value: [
              [
                [1, 2],
                [2, 1],
              ],
              [
                [4, 2],
                [2, 3],
              ],
            ],
          },
        ],
        { skipGradient: 'NaN' },
      ),
    ],
    ['[3,3]', '[2,?,4,4]', '?'],
  ),
  MatrixTriangularSolve: {
    samples: [...triangular, named('empty', [square([0], 3, 1), solveRhs([0], 3, 2)])],
    shapes: [
      { inputs: '[?,3,?];[?,2]', outputs: '[?,3,2]' },
      { inputs: '[2,1,3,3];[4,3,?]', outputs: '[2,4,3,?]' },
      { inputs: '?;[3,2]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,3];[2,1]', message: /matrix must hold square matrices, got shape \[2,3\]/ },
      { inputs: '[3,3];[2,1]', message: /matrix \[3,3\] and rhs \[2,1\] differ in rows/ },
      {
        inputs: '[2,3,3];[4,3,1]',
        message: /batch dimensions do not broadcast: matrix \[2,3,3\], rhs \[4,3,1\]/,
      },
    ],
  },
  MatrixSolve: {
    samples: [
      ...solving,
      ...solving.slice(0, 2).map((s) => ({ ...s, name: `${s.name} adjoint`, attrs: { adjoint: true } })),
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
          solveRhs([2], 2, 1),
        ],
        {
          skipGradient: 'singular',
        },
      ),
    ],
    shapes: [
      { inputs: '[?,3,?];[2,?,2]', outputs: '[2,3,2]' },
      { inputs: '?;[3,2]', outputs: '[3,2]' },
    ],
    errors: [
      { inputs: '[2,3];[2,1]', message: /matrix must hold square matrices, got shape \[2,3\]/ },
      { inputs: '[2,3,3];[1,3,1]', message: /batch dimensions differ: matrix \[2,3,3\], rhs \[1,3,1\]/ },
    ],
  },
  MatrixInverse: ofSquare([...general, ...adjoint, singular], ['[3,3]', '[2,?,4,4]', '?']),
  MatrixDeterminant: ofSquare([...general, singular], ['[]', '[2,?]', '?']),
  LogMatrixDeterminant: ofSquare(
    [...general, singular].map((sample) => ({ ...sample, gradientOutputs: [1] })),
    ['[];[]', '[2,?];[2,?]', '?;?'],
  ),
  SelfAdjointEigV2: {
    samples: [
      named('one by one', [{ value: [[-2.5]] }]),
      named('three', [definite([], 3)]),
      named('batch, not definite', [square([2, 2], 4, 0)]),
      named('values only', [square([2], 3, 0)], { attrs: { compute_v: false } }),
      named('diagonal', [
        {
          value: [
            [2, 0, 0],
            [0, -1, 0],
            [0, 0, 1],
          ],
        },
      ]),
      named('large', [square([], 21, 0)], { skipGradient: LARGE }),
      named('empty', [{ value: [], shape: [0, 3, 3] }]),
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[3];[3,3]' },
      { inputs: '[2,?,4,4]', outputs: '[2,?,4];[2,?,4,4]' },
      { inputs: '[2,?,?]', outputs: '[2,?];[0]', attrs: { compute_v: false } },
      { inputs: '?', outputs: '?;?' },
    ],
    errors: [SQUARE_ERROR, RANK_ERROR],
  },
  Qr: {
    samples: [
      ...deep,
      ...[deep[0], deep[2]].flatMap((s) =>
        s === undefined ? [] : [{ ...s, name: `${s.name} full`, attrs: FULL }],
      ),
      named('deep full', [floats([2, 5, 3], 5)], { attrs: FULL, skipGradient: 'TensorFlow defines none' }),
      named('no columns full', [{ value: [], shape: [2, 3, 0] }], { attrs: FULL, skipGradient: 'empty' }),
    ],
    shapes: [
      { inputs: '[?,5,3]', outputs: '[?,5,3];[?,3,3]' },
      { inputs: '[?,3]', outputs: '[?,?];[?,3]' },
      { inputs: '[5,3]', outputs: '[5,5];[5,3]', attrs: FULL },
      { inputs: '?', outputs: '?;?' },
    ],
    errors: [RANK_ERROR],
  },
} satisfies FamilySamples;
