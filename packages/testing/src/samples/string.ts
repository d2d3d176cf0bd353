/** Cases of the family `string`. There are no samples, because the ops take or give texts. */
import type { AttrInputs } from '@forerun/graph';
import type { ErrorCase, FamilySamples, OpCases } from '../sample.js';

const ELSEWHERE = {
  testedElsewhere: 'session/test/strings.gpu.test.ts and graph/test/hash.test.ts have TensorFlow’s values',
  tolerance: 'exact',
};

function bucketed(attrs: AttrInputs, more: readonly ErrorCase[] = []): OpCases {
  return {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?]', dtypes: ['string'], attrs, outputs: '[2,?]' },
      { inputs: '?', dtypes: ['string'], attrs, outputs: '?' },
    ],
    errors: [
      { inputs: '[2]', dtypes: ['int32'], attrs, message: /must be string, .* is int32/ },
      {
        inputs: '[2]',
        dtypes: ['string'],
        attrs: { ...attrs, num_buckets: 0 },
        message: /attribute "num_buckets" must be at least 1, got 0/,
      },
      ...more,
    ],
  };
}

export const STRING_SAMPLES = {
  StringToHashBucket: bucketed({ num_buckets: 7 }),
  StringToHashBucketFast: bucketed({ num_buckets: 7 }),
  StringToHashBucketStrong: bucketed({ num_buckets: 7, key: [1, 2] }, [
    {
      inputs: '[2]',
      dtypes: ['string'],
      attrs: { num_buckets: 7, key: [1] },
      message: /attribute "key" must have two numbers, got 1/,
    },
  ]),
  AsString: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?]', dtypes: ['int32'], outputs: '[2,?]' },
      { inputs: '?', dtypes: ['int64'], outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2]',
        dtypes: ['int32'],
        attrs: { fill: 'x' },
        message: /attribute "fill" must be one of .* got "x"/,
      },
      {
        inputs: '[2]',
        dtypes: ['float32'],
        attrs: { scientific: true, shortest: true },
        message: /"scientific" and "shortest" exclude each other/,
      },
    ],
  },
} satisfies FamilySamples;
