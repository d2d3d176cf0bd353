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

const SPLIT: Omit<OpCases, keyof typeof ELSEWHERE> = {
  shapes: [
    { inputs: '[?];[]', dtypes: ['string', 'string'], outputs: '[?,2];[?];[2]' },
    { inputs: '?;?', dtypes: ['string', 'string'], outputs: '[?,2];[?];[2]' },
  ],
  errors: [
    {
      inputs: '[2,2];[]',
      dtypes: ['string', 'string'],
      message: /input must have rank 1, got shape \[2,2\]/,
    },
    {
      inputs: '[2];[1]',
      dtypes: ['string', 'string'],
      message: /separator must be a scalar, got shape \[1\]/,
    },
  ],
};

/** An op that makes something of each text. */
function form(attrs: AttrInputs = {}, more: readonly ErrorCase[] = []): OpCases {
  return {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?]', dtypes: ['string'], attrs, outputs: '[2,?]' },
      { inputs: '?', dtypes: ['string'], attrs, outputs: '?' },
    ],
    errors: [{ inputs: '[2]', dtypes: ['int32'], attrs, message: /must be string, .* is int32/ }, ...more],
  };
}

function withPattern(count: 1 | 2): OpCases {
  const dtypes = new Array<'string'>(count + 1).fill('string');
  const scalars = ';[]'.repeat(count);
  return {
    ...ELSEWHERE,
    shapes: [
      { inputs: `[2,?]${scalars}`, dtypes, outputs: '[2,?]' },
      { inputs: `?${';?'.repeat(count)}`, dtypes, outputs: '?' },
    ],
    errors: [
      { inputs: `[2];[1]${';[]'.repeat(count - 1)}`, dtypes, message: /must be scalars, got shape \[1\]/ },
    ],
  };
}

const NGRAMS = {
  separator: ' ',
  ngram_widths: [2],
  left_pad: '',
  right_pad: '',
  pad_width: 0,
  preserve_short_sequences: false,
};
const RAGGED = ['string', 'int64'] as const;

export const STRING_SAMPLES = {
  StringLower: form(),
  StringUpper: form(),
  StringStrip: form(),
  StringLength: form({}, [
    {
      inputs: '[2]',
      dtypes: ['string'],
      attrs: { unit: 'WORD' },
      message: /attribute "unit" must be one of .* got "?WORD/,
    },
  ]),
  StringToNumber: form({}, [
    {
      inputs: '[2]',
      dtypes: ['string'],
      attrs: { out_type: 'bool' },
      message: /attribute "out_type" must be one of .* got bool/,
    },
  ]),
  Substr: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?];[];[]', dtypes: ['string', 'int32', 'int32'], outputs: '[2,?]' },
      { inputs: '[3,1];[4];[4]', dtypes: ['string', 'int32', 'int32'], outputs: '[3,4]' },
      { inputs: '?;[];[]', dtypes: ['string', 'int32', 'int32'], outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2];[2];[]',
        dtypes: ['string', 'int32', 'int32'],
        message: /pos and len must have the same shape, got \[2\] and \[\]/,
      },
      { inputs: '[2];[3];[3]', dtypes: ['string', 'int32', 'int32'], message: /shapes do not broadcast/ },
    ],
  },
  RegexReplace: withPattern(2),
  StaticRegexReplace: form({ pattern: 'a', rewrite: 'b' }),
  RegexFullMatch: withPattern(1),
  StaticRegexFullMatch: form({ pattern: 'a' }),
  StringSplit: { ...ELSEWHERE, ...SPLIT },
  StringSplitV2: { ...ELSEWHERE, ...SPLIT },
  StringJoin: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[?,2];[];[3,?]', dtypes: ['string', 'string', 'string'], attrs: { N: 3 }, outputs: '[3,2]' },
      { inputs: '?;[]', dtypes: ['string', 'string'], attrs: { N: 2 }, outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2];[3]',
        dtypes: ['string', 'string'],
        attrs: { N: 2 },
        message: /shapes differ: \[2\] and \[3\]/,
      },
    ],
  },
  ReduceJoin: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?,4];[1]', dtypes: ['string', 'int32'], constants: { 1: [0] }, outputs: '[?,4]' },
      { inputs: '?;[1]', dtypes: ['string', 'int32'], outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2];[1]',
        dtypes: ['string', 'int32'],
        constants: { 1: [1] },
        message: /axis 1 is out of range/,
      },
    ],
  },
  StringNGrams: {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[?];[5]', dtypes: RAGGED, attrs: NGRAMS, outputs: '[?];[5]' },
      { inputs: '?;?', dtypes: RAGGED, attrs: NGRAMS, outputs: '[?];[?]' },
    ],
    errors: [
      {
        inputs: '[2];[2]',
        dtypes: RAGGED,
        attrs: { ...NGRAMS, ngram_widths: [0] },
        message: /"ngram_widths" must have numbers from 1, got \[0\]/,
      },
      { inputs: '[2,2];[2]', dtypes: RAGGED, attrs: NGRAMS, message: /data must have rank 1/ },
    ],
  },
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
