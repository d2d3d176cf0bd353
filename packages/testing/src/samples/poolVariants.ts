/** Samples of max pooling whose windows are inputs, and of max pooling with positions. */
import type { AttrInputs } from '@forerun/graph';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import {
  distinct,
  largestOf,
  numbers,
  poolAttrs,
  POOL_CASES as CASES,
  POOL_ERRORS as ERRORS,
  POOL_TIES as TIES,
  maxGradSamples as maxGrad,
  maxSamples as max,
  type PoolAttrs,
  type PoolCase,
} from './poolCases.js';

/** A sample of a V2 op, whose lists follow its other inputs. */
function withLists(sample: Sample): Sample {
  const { ksize, strides, padding, data_format } = sample.attrs as PoolAttrs;
  const list = (value: readonly number[]): SampleInput => ({ value: [...value], dtype: 'int32' });
  const inputs = [...sample.inputs, list(ksize), list(strides)];
  return { ...sample, inputs, attrs: { padding, data_format }, gradientInputs: [sample.inputs.length - 1] };
}

const V2_ATTRS = { padding: 'VALID' };
const LISTS = { 1: [1, 2, 2, 1], 2: [1, 2, 2, 1] };
const GRAD_LISTS = { 3: [1, 2, 2, 1], 4: [1, 2, 2, 1] };

const V2: OpSamples = {
  samples: max(CASES.slice(0, 6)).map(withLists),
  shapes: [
    { inputs: '[?,6,6,3];[4];[4]', outputs: '[?,3,3,3]', attrs: V2_ATTRS, constants: LISTS },
    { inputs: '[2,6,6,3];[4];?', outputs: '[2,?,?,3]', attrs: V2_ATTRS },
    { inputs: '?;?;?', outputs: '[?,?,?,?]', attrs: V2_ATTRS },
  ],
  errors: [
    {
      inputs: '[2,6,6,3];[2];[4]',
      attrs: V2_ATTRS,
      message: /ksize must be a vector of 4 numbers, got shape \[2\]/,
    },
    {
      inputs: '[2,6,6,3];[4];[4]',
      attrs: V2_ATTRS,
      constants: { ...LISTS, 2: [1, 2, 2, 2] },
      message: /strides must be 4 positive numbers, 1 for batch and channels, got \[1,2,2,2\]/,
    },
    { inputs: '[2,6,6];[4];[4]', attrs: V2_ATTRS, message: /images must have rank 4/ },
  ],
};

function v2Grad(like: 'images' | 'pooled'): OpSamples {
  const [good, bad] = like === 'pooled' ? ['[1,2,2,1]', '[1,4,4,1]'] : ['[1,4,4,1]', '[1,2,2,1]'];
  return {
    samples: maxGrad(CASES.slice(0, 6), like).map(withLists),
    shapes: [
      {
        inputs: '[?,4,4,1];?;?;[4];[4]',
        outputs: like === 'pooled' ? '[?,4,4,1]' : '[?,2,2,1]',
        attrs: V2_ATTRS,
        constants: GRAD_LISTS,
      },
      {
        inputs: '[2,4,4,1];?;?;?;?',
        outputs: like === 'pooled' ? '[2,4,4,1]' : '[2,?,?,1]',
        attrs: V2_ATTRS,
      },
    ],
    errors: [
      {
        inputs: `[1,4,4,1];[1,2,2,1];${bad};[4];[4]`,
        attrs: V2_ATTRS,
        constants: GRAD_LISTS,
        message: new RegExp(`expected ${good.replace(/[[\]]/g, '\\$&')}`),
      },
    ],
  };
}

/** Cases for ops without a data format. */
const LAST = CASES.filter(({ attrs }) => attrs.data_format === 'NHWC');

function withoutFormat({ ksize, strides, padding }: PoolAttrs, batch = false): AttrInputs {
  return { ksize, strides, padding, ...(batch ? { include_batch_in_index: true } : {}) };
}

const TWO_IMAGES: PoolCase = {
  name: 'positions in the batch',
  images: [2, 4, 3, 2],
  pooled: [2, 2, 2, 2],
  attrs: poolAttrs(2, 2, 'SAME'),
};

function argmaxOf(each: PoolCase, batch: boolean): SampleInput {
  const size = each.images.slice(1).reduce((a, b) => a * b, 1);
  const value = largestOf(each, distinct(each.images)).map((i) => (batch ? i : i % size));
  return { value, dtype: 'int64', shape: each.pooled };
}

function argmaxGrad(like: 'images' | 'pooled'): OpSamples {
  const sample = (each: PoolCase, batch = false): Sample => ({
    name: each.name,
    inputs: [distinct(each.images), numbers(each[like], 5), argmaxOf(each, batch)],
    attrs: { ...withoutFormat(each.attrs, batch), Targmax: 'int64' },
  });
  const attrs = { ...withoutFormat(poolAttrs(2, 2, 'VALID')), Targmax: 'int64' };
  const [good, bad] = like === 'pooled' ? ['[1,2,2,1]', '[1,4,4,1]'] : ['[1,4,4,1]', '[1,2,2,1]'];
  return {
    samples: [...LAST.map((each) => sample(each)), sample(TWO_IMAGES, true)],
    shapes: [
      {
        inputs: '[?,4,4,1];?;?',
        outputs: like === 'pooled' ? '[?,4,4,1]' : '[?,2,2,1]',
        dtypes: ['float32', 'float32', 'int64'],
        attrs,
      },
      { inputs: '?;?;?', outputs: '[?,?,?,?]', dtypes: ['float32', 'float32', 'int64'], attrs },
    ],
    errors: [
      {
        inputs: `[1,4,4,1];${bad};[1,2,2,1]`,
        dtypes: ['float32', 'float32', 'int64'],
        attrs,
        message: new RegExp(`expected ${good.replace(/[[\]]/g, '\\$&')}`),
      },
      {
        inputs: `[1,4,4,1];${good};[1,2,3,1]`,
        dtypes: ['float32', 'float32', 'int64'],
        attrs,
        message: /argmax has shape \[1,2,3,1\], pooling input gives \[1,2,2,1\]/,
      },
    ],
  };
}

export const POOL_VARIANT_SAMPLES = {
  MaxPoolV2: V2,
  MaxPoolGradV2: v2Grad('pooled'),
  MaxPoolGradGradV2: v2Grad('images'),
  MaxPoolWithArgmax: {
    samples: [
      ...max(LAST).map((sample) => ({ ...sample, attrs: withoutFormat(sample.attrs as PoolAttrs) })),
      {
        name: TWO_IMAGES.name,
        inputs: [distinct(TWO_IMAGES.images)],
        attrs: { ...withoutFormat(TWO_IMAGES.attrs, true), Targmax: 'int32' },
      },
      { ...TIES, attrs: withoutFormat(poolAttrs(2, 2, 'VALID')) },
    ],
    shapes: [
      {
        inputs: '[?,6,6,3]',
        outputs: '[?,3,3,3];[?,3,3,3]',
        attrs: withoutFormat(poolAttrs(2, 2, 'VALID')),
      },
      { inputs: '?', outputs: '[?,?,?,?];[?,?,?,?]', attrs: withoutFormat(poolAttrs(2, 2, 'VALID')) },
    ],
    errors: ERRORS.map((error) => ({ ...error, attrs: withoutFormat(error.attrs as PoolAttrs) })),
  },
  MaxPoolGradWithArgmax: argmaxGrad('pooled'),
  MaxPoolGradGradWithArgmax: argmaxGrad('images'),
} satisfies FamilySamples;
