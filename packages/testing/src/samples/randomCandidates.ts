/** Samples of candidate samplers: classes are compared exactly, expected counts as floats. */
import type { AttrInputs } from '@forerun/graph';
import type { ErrorCase, FamilySamples, OpSamples, Sample, SampleInput, ShapeCase } from '../sample.js';

const ids = (value: number[][], shape?: readonly number[]): SampleInput => ({
  value,
  dtype: 'int64',
  ...(shape === undefined ? {} : { shape }),
});
const TRUE = ids([
  [0, 3],
  [7, 1],
  [11, 4],
]);
const NONE = ids([], [0, 2]);
const seeds = { seed: 42, seed2: 7 };
const common = { num_true: 2, num_sampled: 6, unique: true, ...seeds };
/** The float formula 1 - (1 - p)^n takes log1p and expm1, each to a few units in the last place. */
const tolerance = { rtol: 2e-5 };

function errors(attrs: AttrInputs): ErrorCase[] {
  return [
    { inputs: '[3]', attrs, message: /true_classes must have rank 2, got shape \[3\]/ },
    { inputs: '[3,1]', attrs, message: /true_classes must have num_true = 2 columns, got shape \[3,1\]/ },
  ];
}

function shapes(attrs: AttrInputs): ShapeCase[] {
  return [
    { inputs: '[?,2]', outputs: '[6];[?,2];[6]', attrs },
    { inputs: '[4,?]', outputs: '[6];[4,2];[6]', attrs },
    { inputs: '?', outputs: '[6];[?,2];[6]', attrs },
  ];
}

function sampler(): OpSamples {
  const attrs = { ...common, range_max: 12 };
  const of = (name: string, more: AttrInputs, inputs: Sample['inputs'] = [TRUE]): Sample => ({
    name,
    inputs,
    attrs: { ...attrs, ...more },
    tolerance,
  });
  return {
    samples: [
      of('unique', {}),
      of('not unique', { unique: false, num_sampled: 700 }),
      of('all of the range', { num_sampled: 12 }),
      of('one class', { num_sampled: 1, range_max: 1 }, [ids([[0, 0]])]),
      of('many', { num_sampled: 600, range_max: 3000 }),
      of('a large range', { num_sampled: 64, range_max: 1_000_000 }),
      of('no true classes', {}, [NONE]),
    ],
    shapes: shapes(attrs),
    errors: [
      ...errors(attrs),
      {
        inputs: '[3,2]',
        attrs: { ...attrs, num_sampled: 13 },
        message: /13 different classes cannot be drawn from a range of 12/,
      },
    ],
  };
}

const UNIGRAMS = [5, 1, 0, 2.5, 8, 1, 1, 0.25, 3, 9];
const fixed = { ...common, range_max: 12, num_reserved_ids: 2, unigrams: UNIGRAMS };

export const CANDIDATE_SAMPLES = {
  UniformCandidateSampler: sampler(),
  LogUniformCandidateSampler: sampler(),
  LearnedUnigramCandidateSampler: sampler(),
  FixedUnigramCandidateSampler: {
    samples: [
      { name: 'unique', inputs: [TRUE], attrs: fixed, tolerance },
      { name: 'not unique', inputs: [TRUE], attrs: { ...fixed, unique: false, num_sampled: 90 }, tolerance },
      { name: 'distorted', inputs: [TRUE], attrs: { ...fixed, distortion: 0.75, num_sampled: 9 }, tolerance },
      {
        name: 'a shard',
        inputs: [ids([[0, 3]])],
        attrs: { ...fixed, num_shards: 3, shard: 1, range_max: 4, num_sampled: 2 },
        tolerance,
      },
      {
        name: 'too few classes with a weight',
        inputs: [TRUE],
        attrs: { ...fixed, unigrams: [1, 0, 0], range_max: 5, num_sampled: 1 },
        tolerance,
      },
      {
        name: 'no true classes',
        inputs: [NONE],
        attrs: fixed,
        tolerance,
      },
    ],
    shapes: shapes(fixed),
    errors: [
      ...errors(fixed),
      {
        inputs: '[3,2]',
        attrs: { ...fixed, range_max: 11 },
        message: /range_max is 11, but there are 12 classes/,
      },
      { inputs: '[3,2]', attrs: { ...fixed, unigrams: [] }, message: /give either vocab_file or unigrams/ },
      {
        inputs: '[3,2]',
        attrs: { ...fixed, shard: 1 },
        message: /shard must be below num_shards, got 1 of 1/,
      },
      {
        inputs: '[3,2]',
        attrs: { ...fixed, range_max: 4, unigrams: [1, -2] },
        message: /unigrams must not be negative, got -2/,
      },
    ],
  },
  AllCandidateSampler: {
    samples: [
      { name: 'six', inputs: [TRUE], attrs: common },
      { name: 'no true classes', inputs: [NONE], attrs: common },
    ],
    shapes: shapes(common),
    errors: errors(common),
  },
  ComputeAccidentalHits: {
    samples: [
      {
        name: 'some',
        inputs: [TRUE, { value: [4, 9, 0, 7, 5], dtype: 'int64' }],
        attrs: { num_true: 2, ...seeds },
      },
      { name: 'none', inputs: [TRUE, { value: [9, 5], dtype: 'int64' }], attrs: { num_true: 2, ...seeds } },
      {
        name: 'repeated',
        inputs: [TRUE, { value: [3, 3, 1], dtype: 'int64' }],
        attrs: { num_true: 2, ...seeds },
      },
    ],
    shapes: [
      { inputs: '[?,2];[?]', outputs: '[?];[?];[?]', attrs: { num_true: 2 } },
      { inputs: '?;?', outputs: '[?];[?];[?]', attrs: { num_true: 2 } },
    ],
    errors: [
      {
        inputs: '[3,2];[5,1]',
        attrs: { num_true: 2 },
        message: /sampled_candidates must have rank 1, got shape \[5,1\]/,
      },
      { inputs: '[3,3];[5]', attrs: { num_true: 2 }, message: /true_classes must have num_true = 2 columns/ },
    ],
  },
} satisfies FamilySamples;
