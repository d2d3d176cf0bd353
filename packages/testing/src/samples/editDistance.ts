/** Samples of edit distances: equal, longer and shorter sequences, none on either side, more dimensions. */
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

const longs = (shape: readonly number[], ...value: number[]): SampleInput => ({
  value,
  shape,
  dtype: 'int64',
});

/** A sparse tensor with the given rows, in matrices of `height` rows where that is given. */
function sparse(rows: readonly (readonly number[])[], height = 0): SampleInput[] {
  const longest = Math.max(1, ...rows.map((row) => row.length));
  const rank = height === 0 ? 2 : 3;
  const indices = rows.flatMap((row, r) =>
    row.flatMap((_, i) => (height === 0 ? [r, i] : [Math.floor(r / height), r % height, i])),
  );
  const shape = height === 0 ? [rows.length, longest] : [rows.length / height, height, longest];
  const values = rows.flat();
  return [
    longs([values.length, rank], ...indices),
    { value: values, shape: [values.length], dtype: 'int32' },
    longs([rank], ...shape),
  ];
}

const GUESSES = [[1, 2, 3], [4], [], [1, 2, 3, 4], [7, 7]];
const TRUTHS = [[1, 3, 3], [4], [5, 6], [2, 3, 5, 4, 1], []];
const PLAIN = { normalize: false };

const sample = (name: string, inputs: readonly SampleInput[], attrs = {}): Sample => ({
  name,
  inputs,
  attrs,
  skipGradient: 'it counts',
});

export const EDIT_SAMPLES = {
  EditDistance: {
    samples: [
      sample('error rates', [...sparse(GUESSES), ...sparse(TRUTHS)]),
      sample('numbers of edits', [...sparse(GUESSES), ...sparse(TRUTHS)], PLAIN),
      sample('matrices of sequences', [...sparse(GUESSES.slice(0, 4), 2), ...sparse(TRUTHS.slice(0, 4), 2)]),
      sample('more truths', [...sparse(GUESSES.slice(0, 2)), ...sparse(TRUTHS)], PLAIN),
      sample('nothing', [...sparse([[], []]), ...sparse([[], []])]),
    ],
    shapes: [
      {
        inputs: '[?,2];[?];[2];[4,2];[4];[2]',
        dtypes: ['int64', 'int32', 'int64', 'int64', 'int32', 'int64'],
        constants: { 2: [3, 5], 5: [4, 2] },
        outputs: '[4]',
      },
      {
        inputs: '?;?;[3];?;?;?',
        dtypes: ['int64', 'int32', 'int64', 'int64', 'int32', 'int64'],
        outputs: '[?,?]',
      },
    ],
    errors: [
      {
        inputs: '[4,2];[4];[2];[4,3];[4];[3]',
        dtypes: ['int64', 'int32', 'int64', 'int64', 'int32', 'int64'],
        message: /hypothesis_shape \[2\] and truth_shape \[3\] differ in length/,
      },
      {
        inputs: '[4,1];[4];[1];[4,1];[4];[1]',
        dtypes: ['int64', 'int32', 'int64', 'int64', 'int32', 'int64'],
        message: /need rank 2 or more, got shapes of 1 elements/,
      },
    ],
  },
} satisfies FamilySamples;
