/** Samples of pooling and its gradients. */
import { FRACTIONAL_POOL_SAMPLES } from './fractionalPool.js';
import type { ErrorCase, FamilySamples, Sample, ShapeCase } from '../sample.js';
import {
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
import { POOL_VARIANT_SAMPLES } from './poolVariants.js';

const VOLUMES: readonly PoolCase[] = [
  {
    name: '2x2x2 apart',
    images: [1, 4, 5, 4, 4],
    pooled: [1, 2, 2, 2, 4],
    attrs: poolAttrs(2, 2, 'VALID', 'NDHWC'),
  },
  {
    name: '3x3x3 overlapping SAME',
    images: [2, 3, 4, 3, 1],
    pooled: [2, 2, 2, 2, 1],
    attrs: poolAttrs(3, 2, 'SAME', 'NDHWC'),
  },
  {
    name: '2x2x2 SAME channels first',
    images: [1, 2, 3, 3, 2],
    pooled: [1, 2, 3, 3, 2],
    attrs: poolAttrs(2, 1, 'SAME', 'NCDHW'),
  },
  {
    name: 'another window along each dimension',
    images: [1, 5, 3, 6, 2],
    pooled: [1, 2, 3, 3, 2],
    attrs: { ...poolAttrs(1, 1, 'VALID', 'NDHWC'), ksize: [1, 3, 1, 2, 1], strides: [1, 2, 1, 2, 1] },
  },
];

function explicit(attrs: PoolAttrs, ...pads: number[]): PoolAttrs {
  const zeros =
    attrs.data_format === 'NCHW'
      ? [[0, 0, 0, 0], []]
      : [
          [0, 0],
          [0, 0],
        ];
  return {
    ...attrs,
    padding: 'EXPLICIT',
    explicit_paddings: [...(zeros[0] ?? []), ...pads, ...(zeros[1] ?? [])],
  };
}

const PADDED: readonly PoolCase[] = [
  {
    name: 'explicit paddings',
    images: [1, 4, 5, 2],
    pooled: [1, 3, 3, 2],
    attrs: explicit(poolAttrs(3, 2, 'VALID'), 1, 2, 2, 0),
  },
  {
    name: 'explicit paddings, windows apart, NCHW',
    images: [1, 2, 3, 4],
    pooled: [1, 2, 2, 2],
    attrs: explicit(poolAttrs(2, 2, 'VALID', 'NCHW'), 1, 0, 0, 1),
  },
];

const SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,6,6,3]', outputs: '[?,3,3,3]', attrs: poolAttrs(2, 2, 'VALID') },
  { inputs: '[2,?,7,3]', outputs: '[2,?,4,3]', attrs: poolAttrs(2, 2, 'SAME') },
  { inputs: '[2,3,8,?]', outputs: '[2,3,3,?]', attrs: poolAttrs(3, 3, 'SAME', 'NCHW') },
  { inputs: '?', outputs: '[?,?,?,?]', attrs: poolAttrs(2, 2, 'VALID') },
];

const EXPLICIT_ERRORS: readonly ErrorCase[] = [
  {
    inputs: '[2,3,4,1]',
    attrs: { ...poolAttrs(2, 2, 'VALID'), explicit_paddings: [0, 0, 1, 1, 1, 1, 0, 0] },
    message: /explicit_paddings is only for padding EXPLICIT/,
  },
  {
    inputs: '[2,3,4,1]',
    attrs: { ...poolAttrs(2, 2, 'VALID'), padding: 'EXPLICIT', explicit_paddings: [1, 0, 1, 1, 1, 1, 0, 0] },
    message: /explicit_paddings must be 8 numbers >= 0, 0 for batch and channels/,
  },
];

const VOLUME_SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,6,6,?,3]', outputs: '[?,3,3,?,3]', attrs: poolAttrs(2, 2, 'VALID', 'NDHWC') },
  { inputs: '[2,3,8,?,5]', outputs: '[2,3,3,?,2]', attrs: poolAttrs(3, 3, 'SAME', 'NCDHW') },
  { inputs: '?', outputs: '[?,?,?,?,?]', attrs: poolAttrs(2, 2, 'SAME', 'NDHWC') },
];

const VOLUME_ERRORS: readonly ErrorCase[] = [
  {
    inputs: '[2,3,4,4]',
    attrs: poolAttrs(2, 2, 'VALID', 'NDHWC'),
    message: /images must have rank 5, got shape \[2,3,4,4\]/,
  },
  {
    inputs: '[2,3,4,4,1]',
    attrs: poolAttrs(4, 1, 'VALID', 'NDHWC'),
    message: /a window of depth 4 does not fit/,
  },
  {
    inputs: '[2,3,4,4,1]',
    attrs: { ...poolAttrs(2, 2, 'VALID', 'NDHWC'), strides: [2, 2, 2, 2, 1] },
    message: /strides must be 5 positive numbers, 1 for batch and channels/,
  },
];

function gradCase(
  inputs: string,
  dtypes?: ErrorCase['dtypes'],
): Pick<ErrorCase, 'inputs' | 'attrs' | 'dtypes'> {
  return { inputs, attrs: poolAttrs(2, 2, 'VALID'), ...(dtypes === undefined ? {} : { dtypes }) };
}

function avg(cases: readonly PoolCase[]): Sample[] {
  return cases.map((each) => ({ name: each.name, inputs: [numbers(each.images, 3)], attrs: each.attrs }));
}

function avgGrad(cases: readonly PoolCase[]): Sample[] {
  return cases.map((each) => ({
    name: each.name,
    inputs: [{ value: [...each.images], dtype: 'int32' }, numbers(each.pooled, 5)],
    attrs: each.attrs,
  }));
}

const GRAD_TIES: Sample = {
  name: 'equal elements',
  inputs: [
    { value: [1, 1, 1, 1, 1, 1, 1, 1, 2], shape: [1, 3, 3, 1] },
    { value: [1, 1, 1, 2], shape: [1, 2, 2, 1] },
    { value: [1, 2, 4, 8], shape: [1, 2, 2, 1] },
  ],
  attrs: poolAttrs(2, 1, 'VALID'),
  skipGradient: 'equal elements',
};

const ORIG_OUTPUT_ERROR: ErrorCase = {
  ...gradCase('[1,4,4,1];[1,3,2,1];[1,2,2,1]'),
  message: /orig_output has shape \[1,3,2,1\], pooling orig_input gives \[1,2,2,1\]/,
};
const GRADIENT_ERROR: ErrorCase = {
  ...gradCase('[1,4,4,1];[1,2,2,1];[1,4,4,1]'),
  message: /the gradient has shape \[1,4,4,1\], expected \[1,2,2,1\]/,
};
const SECOND_ERROR: ErrorCase = {
  ...gradCase('[1,4,4,1];[1,2,2,1];[1,2,2,1]'),
  message: /the gradient has shape \[1,2,2,1\], expected \[1,4,4,1\]/,
};

const VOLUME_GRAD_ERROR: ErrorCase = {
  inputs: '[1,4,4,4,1];[1,2,2,3,1];?',
  attrs: poolAttrs(2, 2, 'VALID', 'NDHWC'),
  message: /orig_output has shape \[1,2,2,3,1\], pooling orig_input gives \[1,2,2,2,1\]/,
};

export const POOL_SAMPLES = {
  ...POOL_VARIANT_SAMPLES,
  ...FRACTIONAL_POOL_SAMPLES,

  MaxPool: {
    samples: [
      ...max([...CASES, ...PADDED]),
      TIES,
      {
        name: 'int32',
        inputs: [{ value: [-5, -7, -9, -6], dtype: 'int32', shape: [1, 2, 2, 1] }],
        attrs: poolAttrs(2, 2, 'SAME'),
      },
      {
        name: 'no images',
        inputs: [{ value: [], dtype: 'float32', shape: [0, 4, 4, 3] }],
        attrs: poolAttrs(2, 2, 'SAME'),
        skipGradient: 'there are no elements',
      },
    ],
    shapes: SHAPES,
    errors: [...ERRORS, ...EXPLICIT_ERRORS],
  },
  MaxPoolGrad: {
    samples: [...maxGrad([...CASES, ...PADDED], 'pooled'), GRAD_TIES],
    shapes: [{ inputs: '[?,6,6,3];[?,3,3,3];?', outputs: '[?,6,6,3]', attrs: poolAttrs(2, 2, 'VALID') }],
    errors: [ORIG_OUTPUT_ERROR, GRADIENT_ERROR],
  },
  MaxPoolGradGrad: {
    samples: maxGrad(CASES, 'images'),
    shapes: [{ inputs: '[?,6,6,3];[?,3,3,3];?', outputs: '[?,3,3,3]', attrs: poolAttrs(2, 2, 'VALID') }],
    errors: [SECOND_ERROR],
  },
  AvgPool: { samples: avg(CASES), shapes: SHAPES, errors: ERRORS },
  AvgPoolGrad: {
    samples: avgGrad(CASES),
    shapes: [
      {
        inputs: '[4];[?,3,3,3]',
        outputs: '[2,6,6,3]',
        attrs: poolAttrs(2, 2, 'VALID'),
        constants: { 0: [2, 6, 6, 3] },
      },
      { inputs: '[4];?', outputs: '[?,?,?,?]', attrs: poolAttrs(2, 2, 'VALID') },
    ],
    errors: [
      {
        ...gradCase('[4];[1,3,2,1]'),
        constants: { 0: [1, 4, 4, 1] },
        message: /the gradient has shape \[1,3,2,1\], expected \[1,2,2,1\]/,
      },
      { ...gradCase('[3];?'), message: /orig_input_shape must hold 4 sizes, got \[\?,\?,\?\]/ },
    ],
  },
  MaxPool3D: { samples: max(VOLUMES), shapes: VOLUME_SHAPES, errors: VOLUME_ERRORS },
  MaxPool3DGrad: {
    samples: maxGrad(VOLUMES, 'pooled'),
    shapes: [
      {
        inputs: '[?,4,4,4,1];[?,2,2,2,1];?',
        outputs: '[?,4,4,4,1]',
        attrs: poolAttrs(2, 2, 'VALID', 'NDHWC'),
      },
      { inputs: '?;?;?', outputs: '[?,?,?,?,?]', attrs: poolAttrs(2, 2, 'VALID', 'NDHWC') },
    ],
    errors: [VOLUME_GRAD_ERROR],
  },
  MaxPool3DGradGrad: {
    samples: maxGrad(VOLUMES, 'images'),
    shapes: [{ inputs: '[?,4,4,4,1];?;?', outputs: '[?,2,2,2,1]', attrs: poolAttrs(2, 2, 'VALID', 'NDHWC') }],
    errors: [VOLUME_GRAD_ERROR],
  },
  AvgPool3D: { samples: avg(VOLUMES), shapes: VOLUME_SHAPES, errors: VOLUME_ERRORS },
  AvgPool3DGrad: {
    samples: avgGrad(VOLUMES),
    shapes: [
      { inputs: '[5];?', outputs: '[?,?,?,?,?]', attrs: poolAttrs(2, 2, 'VALID', 'NDHWC') },
      { inputs: '?;?', outputs: '[?,?,?,?,?]', attrs: poolAttrs(2, 2, 'VALID', 'NDHWC') },
    ],
    errors: [
      {
        inputs: '[4];?',
        attrs: poolAttrs(2, 2, 'VALID', 'NDHWC'),
        message: /orig_input_shape must hold 5 sizes, got \[\?,\?,\?,\?\]/,
      },
    ],
  },
} satisfies FamilySamples;
