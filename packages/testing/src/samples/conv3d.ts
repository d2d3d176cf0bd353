/** Samples of convolutions of volumes and their gradients: every case in all three ops. */
import type { AttrInputs } from '@forerun/graph';
import type { FamilySamples } from '../sample.js';
import { convSamples, type ConvCase } from './convCases.js';

const attrs = (padding: string, more: AttrInputs = {}): AttrInputs => ({
  strides: [1, 1, 1, 1, 1],
  padding,
  ...more,
});
const NCDHW: AttrInputs = { data_format: 'NCDHW' };

const CASES: readonly ConvCase[] = [
  {
    name: 'same',
    input: [1, 3, 4, 3, 2],
    filter: [2, 3, 2, 2, 3],
    output: [1, 3, 4, 3, 3],
    attrs: attrs('SAME'),
  },
  {
    name: 'valid',
    input: [2, 3, 2, 4, 1],
    filter: [2, 1, 3, 1, 2],
    output: [2, 2, 2, 2, 2],
    attrs: attrs('VALID'),
  },
  {
    name: 'one by one by one',
    input: [1, 2, 2, 3, 4],
    filter: [1, 1, 1, 4, 3],
    output: [1, 2, 2, 3, 3],
    attrs: attrs('SAME'),
  },
  {
    name: 'strides of all kinds',
    input: [1, 5, 3, 4, 2],
    filter: [3, 2, 2, 2, 2],
    output: [1, 2, 3, 2, 2],
    attrs: attrs('SAME', { strides: [1, 3, 1, 2, 1] }),
  },
  {
    name: 'stride above the kernel',
    input: [1, 5, 2, 3, 1],
    filter: [1, 2, 1, 1, 2],
    output: [1, 2, 1, 2, 2],
    attrs: attrs('VALID', { strides: [1, 3, 2, 2, 1] }),
  },
  {
    name: 'dilations',
    input: [1, 4, 3, 5, 1],
    filter: [2, 2, 3, 1, 2],
    output: [1, 2, 2, 1, 2],
    attrs: attrs('VALID', { dilations: [1, 2, 1, 2, 1] }),
  },
  {
    name: 'dilations with strides',
    input: [1, 5, 4, 5, 1],
    filter: [2, 2, 2, 1, 2],
    output: [1, 3, 2, 5, 2],
    attrs: attrs('SAME', { strides: [1, 2, 2, 1, 1], dilations: [1, 2, 1, 3, 1] }),
  },
  {
    name: 'NCDHW',
    input: [2, 2, 3, 2, 4],
    filter: [2, 2, 3, 2, 3],
    output: [2, 3, 3, 2, 4],
    attrs: attrs('SAME', NCDHW),
  },
  {
    name: 'NCDHW with strides and dilations',
    input: [1, 1, 4, 5, 4],
    filter: [2, 2, 2, 1, 2],
    output: [1, 2, 2, 2, 3],
    attrs: attrs('VALID', { ...NCDHW, strides: [1, 1, 2, 2, 1], dilations: [1, 1, 1, 2, 1] }),
  },
  {
    name: 'groups',
    input: [1, 2, 3, 2, 4],
    filter: [2, 2, 1, 2, 4],
    output: [1, 2, 3, 2, 4],
    attrs: attrs('SAME'),
  },
  {
    name: 'no volumes',
    input: [0, 2, 2, 2, 1],
    filter: [2, 2, 2, 1, 2],
    output: [0, 2, 2, 2, 2],
    attrs: attrs('SAME'),
  },
  {
    name: 'no output',
    input: [1, 1, 2, 2, 1],
    filter: [2, 2, 2, 1, 2],
    output: [1, 0, 1, 1, 2],
    attrs: attrs('VALID'),
  },
  {
    name: 'a layer',
    large: true,
    input: [1, 5, 6, 7, 8],
    filter: [3, 3, 3, 8, 20],
    output: [1, 5, 6, 7, 20],
    attrs: attrs('SAME'),
  },
  {
    name: 'a strided first layer',
    large: true,
    input: [1, 7, 9, 8, 3],
    filter: [3, 5, 3, 3, 16],
    output: [1, 4, 5, 4, 16],
    attrs: attrs('SAME', { strides: [1, 2, 2, 2, 1] }),
  },
];

const SAME = attrs('SAME');
const VALID = attrs('VALID');
const SAMPLES = convSamples(CASES);

export const CONV_3D_SAMPLES = {
  Conv3D: {
    samples: SAMPLES.forward,
    shapes: [
      { inputs: '[?,8,9,10,3];[3,3,3,3,4]', outputs: '[?,8,9,10,4]', attrs: SAME },
      { inputs: '[2,?,9,10,3];[3,3,3,3,?]', outputs: '[2,?,7,8,?]', attrs: VALID },
      { inputs: '[2,8,9,10,3];?', outputs: '[2,?,?,?,?]', attrs: VALID },
      { inputs: '?;[3,3,3,2,4]', outputs: '[?,?,?,?,4]', attrs: SAME },
      { inputs: '[?,3,8,9,10];[3,3,3,3,4]', outputs: '[?,4,6,7,8]', attrs: { ...VALID, ...NCDHW } },
    ],
    errors: [
      {
        inputs: '[1,4,4,2];[3,3,3,2,3]',
        attrs: SAME,
        message: /input must have rank 5, got shape \[1,4,4,2\]/,
      },
      {
        inputs: '[1,4,4,4,3];[3,3,3,2,4]',
        attrs: SAME,
        message: /3 channels, which is not a multiple of the filter's 2/,
      },
      {
        inputs: '[1,3,4,4,2];[5,3,3,2,3]',
        attrs: VALID,
        message: /a filter of depth 5 does not fit an image of depth 3 with VALID padding/,
      },
      {
        inputs: '[1,4,4,4,2];[3,3,3,2,3]',
        attrs: { ...SAME, strides: [1, 1, 1, 1] },
        message: /attribute "strides" must/,
      },
      {
        inputs: '[1,4,4,4,2];[3,3,3,2,3]',
        attrs: { ...SAME, strides: [1, 1, 1, 1, 2] },
        message: /strides must be 5 positive numbers.*\[1,1,1,1,2\]/,
      },
      {
        inputs: '[1,4,4,4,2];[3,3,3,2,3]',
        attrs: { ...SAME, dilations: [1, 0, 1, 1, 1] },
        message: /dilations must be 5 positive numbers/,
      },
      {
        inputs: '[1,4,4,4,2];[3,3,3,2,3]',
        attrs: attrs('EXPLICIT'),
        message: /attribute "padding" must be one of/,
      },
    ],
  },

  Conv3DBackpropInputV2: {
    samples: [
      ...SAMPLES.toInput,
      {
        name: 'sizes in int64',
        inputs: [
          { value: [1, 2, 1, 2, 1], dtype: 'int64' },
          { value: [1, 2], shape: [1, 1, 2, 1, 1] },
          { value: [3, 4], shape: [1, 2, 1, 1, 1] },
        ],
        attrs: { ...VALID, Tshape: 'int64' },
      },
    ],
    shapes: [
      {
        inputs: '[5];[3,3,3,3,2];[?,6,6,6,2]',
        outputs: '[2,6,6,6,3]',
        attrs: SAME,
        constants: { 0: [2, 6, 6, 6, 3] },
      },
      { inputs: '?;?;[5,?,6,4,2]', outputs: '[5,?,?,?,?]', attrs: SAME },
    ],
    errors: [
      {
        inputs: '[5];[3,3,3,3,2];[2,6,5,6,2]',
        attrs: SAME,
        constants: { 0: [2, 6, 6, 6, 3] },
        message: /out_backprop has shape \[2,6,5,6,2\].*give \[2,6,6,6,2\]/,
      },
      {
        inputs: '[4];[3,3,3,3,2];[2,6,6,6,2]',
        attrs: SAME,
        message: /input_sizes must have 5 elements, got 4/,
      },
    ],
  },

  Conv3DBackpropFilterV2: {
    samples: SAMPLES.toFilter,
    shapes: [
      {
        inputs: '[?,6,6,6,3];[5];[2,4,4,4,2]',
        outputs: '[3,3,3,3,2]',
        attrs: VALID,
        constants: { 1: [3, 3, 3, 3, 2] },
      },
      { inputs: '[2,6,6,6,3];?;?', outputs: '[?,?,?,?,?]', attrs: VALID },
    ],
    errors: [
      {
        inputs: '[2,6,6,6,3];[5];[2,4,4,5,2]',
        attrs: VALID,
        constants: { 1: [3, 3, 3, 3, 2] },
        message: /out_backprop has shape \[2,4,4,5,2\].*give \[2,4,4,4,2\]/,
      },
      {
        inputs: '[2,6,6,6,3];[4];[2,4,4,4,2]',
        attrs: VALID,
        message: /filter_sizes must have 5 elements, got 4/,
      },
    ],
  },
} satisfies FamilySamples;
