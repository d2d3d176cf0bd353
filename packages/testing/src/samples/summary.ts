/** Cases of the family `summary`. There are no samples, because the ops give messages. */
import type { FamilySamples } from '../sample.js';

const ELSEWHERE = {
  testedElsewhere: 'session/test/summary.gpu.test.ts has the messages',
  tolerance: 'exact',
};

export const SUMMARY_SAMPLES = {
  ScalarSummary: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[]', dtypes: ['string', 'float32'], outputs: '[]' },
      { inputs: '[?];[3]', dtypes: ['string', 'int32'], outputs: '[]' },
      { inputs: '?;?', dtypes: ['string', 'float32'], outputs: '[]' },
    ],
    errors: [
      {
        inputs: '[2];[3]',
        dtypes: ['string', 'float32'],
        message: /tags and values must have one shape, got \[2\] and \[3\]/,
      },
    ],
  },
  HistogramSummary: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[2,?]', dtypes: ['string', 'float32'], outputs: '[]' },
      { inputs: '?;?', dtypes: ['string', 'int64'], outputs: '[]' },
    ],
    errors: [
      {
        inputs: '[2];[3]',
        dtypes: ['string', 'float32'],
        message: /the tag must have rank 0, got shape \[2\]/,
      },
    ],
  },
  ImageSummary: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[?,4,4,3]', dtypes: ['string', 'float32'], outputs: '[]' },
      { inputs: '?;?', dtypes: ['string', 'uint8'], outputs: '[]' },
    ],
    errors: [
      { inputs: '[];[4,4,3]', dtypes: ['string', 'float32'], message: /the images must have rank 4/ },
      {
        inputs: '[];[1,4,4,2]',
        dtypes: ['string', 'float32'],
        message: /images must have 1, 3 or 4 channels, got 2/,
      },
    ],
  },
  AudioSummaryV2: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[?,8];[]', dtypes: ['string', 'float32', 'float32'], outputs: '[]' },
      { inputs: '?;?;?', dtypes: ['string', 'float32', 'float32'], outputs: '[]' },
    ],
    errors: [
      {
        inputs: '[];[8];[]',
        dtypes: ['string', 'float32', 'float32'],
        message: /sounds must have shape \[batch, frames\]/,
      },
    ],
  },
  AudioSummary: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[?,8,2]', dtypes: ['string', 'float32'], attrs: { sample_rate: 8000 }, outputs: '[]' },
      { inputs: '?;?', dtypes: ['string', 'float32'], attrs: { sample_rate: 8000 }, outputs: '[]' },
    ],
    errors: [
      {
        inputs: '[];[1,2,3,4]',
        dtypes: ['string', 'float32'],
        attrs: { sample_rate: 8000 },
        message: /sounds must have shape \[batch, frames\]/,
      },
    ],
  },
  TensorSummaryV2: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[2,?];[]', dtypes: ['string', 'float32', 'string'], outputs: '[]' },
      { inputs: '?;?;?', dtypes: ['string', 'string', 'string'], outputs: '[]' },
    ],
    errors: [
      {
        inputs: '[1];[3];[]',
        dtypes: ['string', 'float32', 'string'],
        message: /the tag must have rank 0/,
      },
    ],
  },
  TensorSummary: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?]', dtypes: ['float32'], outputs: '[]' },
      { inputs: '?', dtypes: ['int32'], outputs: '[]' },
    ],
    errors: [{ inputs: '[];[]', dtypes: ['float32', 'float32'], message: /input/ }],
  },
  MergeSummary: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[];[]', dtypes: ['string', 'string'], outputs: '[]' },
      { inputs: '?', dtypes: ['string'], outputs: '[]' },
    ],
    errors: [{ inputs: '[2];[2]', dtypes: ['float32', 'float32'], message: /must be string/ }],
  },
} satisfies FamilySamples;
