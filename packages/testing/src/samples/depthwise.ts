/** Samples of depthwise convolutions and their gradients: every case in all three ops. */
import type { AttrInputs } from '@forerun/graph';
import type { FamilySamples } from '../sample.js';
import { convSamples, type ConvCase } from './convCases.js';

const attrs = (padding: string, more: AttrInputs = {}): AttrInputs => ({
  strides: [1, 1, 1, 1],
  padding,
  ...more,
});
const strided = (y: number, x = y): AttrInputs => ({ strides: [1, y, x, 1] });
const dilated = (y: number, x = y): AttrInputs => ({ dilations: [1, y, x, 1] });
const explicit = (...paddings: number[]): AttrInputs => ({ explicit_paddings: [0, 0, ...paddings, 0, 0] });
const NCHW: AttrInputs = { data_format: 'NCHW' };

const CASES: readonly ConvCase[] = [
  { name: 'same', input: [1, 5, 4, 2], filter: [3, 3, 2, 1], output: [1, 5, 4, 2], attrs: attrs('SAME') },
  {
    name: 'two filters per channel',
    input: [2, 4, 3, 3],
    filter: [2, 3, 3, 2],
    output: [2, 3, 1, 6],
    attrs: attrs('VALID'),
  },
  {
    name: 'four channels at once',
    input: [1, 3, 5, 4],
    filter: [3, 2, 4, 1],
    output: [1, 3, 5, 4],
    attrs: attrs('SAME'),
  },
  {
    name: 'stride 2, uneven padding',
    input: [1, 6, 5, 2],
    filter: [3, 3, 2, 1],
    output: [1, 3, 3, 2],
    attrs: attrs('SAME', strided(2)),
  },
  {
    name: 'stride above the kernel, several filters',
    input: [1, 7, 5, 2],
    filter: [2, 1, 2, 3],
    output: [1, 2, 3, 6],
    attrs: attrs('VALID', strided(3, 2)),
  },
  {
    name: 'dilation 2',
    input: [1, 6, 6, 1],
    filter: [3, 3, 1, 2],
    output: [1, 6, 6, 2],
    attrs: attrs('SAME', dilated(2)),
  },
  {
    name: 'dilation 2 by 3 with stride 2 by 1',
    input: [1, 8, 9, 1],
    filter: [2, 3, 1, 2],
    output: [1, 3, 3, 2],
    attrs: attrs('VALID', { ...strided(2, 1), ...dilated(2, 3) }),
  },
  {
    name: 'explicit padding, wider than the filter on one side',
    input: [1, 3, 4, 2],
    filter: [2, 2, 2, 1],
    output: [1, 7, 4, 2],
    attrs: attrs('EXPLICIT', explicit(3, 2, 0, 1)),
  },
  {
    name: 'NCHW',
    input: [2, 2, 4, 5],
    filter: [3, 3, 2, 2],
    output: [2, 4, 4, 5],
    attrs: attrs('SAME', NCHW),
  },
  {
    name: 'NCHW with strides, dilations and explicit padding',
    input: [1, 2, 5, 6],
    filter: [3, 2, 2, 1],
    output: [1, 2, 2, 5],
    attrs: attrs('EXPLICIT', {
      ...NCHW,
      strides: [1, 1, 2, 1],
      dilations: [1, 1, 2, 2],
      explicit_paddings: [0, 0, 0, 0, 1, 1, 1, 0],
    }),
  },
  {
    name: 'a wide filter',
    input: [1, 2, 11, 1],
    filter: [1, 10, 1, 2],
    output: [1, 2, 11, 2],
    attrs: attrs('SAME'),
  },
  {
    name: 'no images',
    input: [0, 4, 4, 2],
    filter: [3, 3, 2, 1],
    output: [0, 4, 4, 2],
    attrs: attrs('SAME'),
  },
  {
    name: 'no output pixels',
    input: [1, 2, 4, 2],
    filter: [3, 3, 2, 2],
    output: [1, 0, 2, 4],
    attrs: attrs('VALID'),
  },
  {
    name: 'no channels',
    input: [1, 2, 2, 0],
    filter: [1, 1, 0, 2],
    output: [1, 2, 2, 0],
    attrs: attrs('SAME'),
  },
  {
    name: 'a mobile layer',
    large: true,
    input: [2, 15, 14, 32],
    filter: [3, 3, 32, 1],
    output: [2, 15, 14, 32],
    attrs: attrs('SAME'),
  },
  {
    name: 'a strided mobile layer',
    large: true,
    input: [2, 15, 14, 24],
    filter: [5, 5, 24, 1],
    output: [2, 8, 7, 24],
    attrs: attrs('SAME', strided(2)),
  },
  {
    name: 'NCHW, many channels',
    large: true,
    input: [3, 9, 10, 13],
    filter: [3, 3, 9, 2],
    output: [3, 18, 10, 13],
    attrs: attrs('SAME', NCHW),
  },
];

const SAME = attrs('SAME');
const VALID = attrs('VALID');
const SAMPLES = convSamples(CASES);

export const DEPTHWISE_SAMPLES = {
  DepthwiseConv2dNative: {
    samples: SAMPLES.forward,
    shapes: [
      { inputs: '[?,28,28,3];[5,5,3,4]', outputs: '[?,28,28,12]', attrs: SAME },
      { inputs: '[2,?,28,?];[5,5,3,2]', outputs: '[2,?,24,6]', attrs: VALID },
      { inputs: '[2,28,28,3];?', outputs: '[2,14,14,?]', attrs: attrs('SAME', strided(2)) },
      { inputs: '?;[3,3,2,4]', outputs: '[?,?,?,8]', attrs: SAME },
      { inputs: '[?,3,8,8];[3,3,3,2]', outputs: '[?,6,6,6]', attrs: { ...VALID, ...NCHW } },
    ],
    errors: [
      { inputs: '[1,4,4];[3,3,2,3]', attrs: SAME, message: /input must have rank 4, got shape \[1,4,4\]/ },
      { inputs: '[1,4,4,2];[3,3,2]', attrs: SAME, message: /filter must have rank 4, got shape \[3,3,2\]/ },
      { inputs: '[1,4,4,4];[3,3,2,1]', attrs: SAME, message: /4 channels, the filter is for 2/ },
      {
        inputs: '[1,4,4,2];[3,6,2,3]',
        attrs: VALID,
        message: /a filter of width 6 does not fit an image of width 4 with VALID padding/,
      },
      {
        inputs: '[1,4,4,2];[3,3,2,3]',
        attrs: { ...SAME, strides: [1, 0, 1, 1] },
        message: /strides must be 4 positive numbers.*\[1,0,1,1\]/,
      },
      {
        inputs: '[1,4,4,2];[3,3,2,3]',
        attrs: attrs('EXPLICIT'),
        message: /explicit_paddings must be 8 numbers/,
      },
      { inputs: '[1,4,4,2];[3,3,2,3]', attrs: attrs('HALF'), message: /attribute "padding" must be one of/ },
    ],
  },

  DepthwiseConv2dNativeBackpropInput: {
    samples: SAMPLES.toInput,
    shapes: [
      {
        inputs: '[4];[3,3,3,2];[?,6,6,6]',
        outputs: '[2,6,6,3]',
        attrs: SAME,
        constants: { 0: [2, 6, 6, 3] },
      },
      { inputs: '?;?;[5,?,6,4]', outputs: '[5,?,?,?]', attrs: SAME },
    ],
    errors: [
      {
        inputs: '[4];[3,3,3,2];[2,6,6,4]',
        attrs: SAME,
        constants: { 0: [2, 6, 6, 3] },
        message: /out_backprop has shape \[2,6,6,4\].*give \[2,6,6,6\]/,
      },
      { inputs: '[3];[3,3,3,4];[2,5,6,4]', attrs: SAME, message: /input_sizes must have 4 elements, got 3/ },
    ],
  },

  DepthwiseConv2dNativeBackpropFilter: {
    samples: SAMPLES.toFilter,
    shapes: [
      {
        inputs: '[?,6,6,3];[4];[2,4,4,6]',
        outputs: '[3,3,3,2]',
        attrs: VALID,
        constants: { 1: [3, 3, 3, 2] },
      },
      { inputs: '[2,6,6,3];?;?', outputs: '[?,?,?,?]', attrs: VALID },
    ],
    errors: [
      {
        inputs: '[2,6,6,3];[4];[2,4,5,6]',
        attrs: VALID,
        constants: { 1: [3, 3, 3, 2] },
        message: /out_backprop has shape \[2,4,5,6\].*give \[2,4,4,6\]/,
      },
      {
        inputs: '[2,6,6,3];[5];[2,4,4,6]',
        attrs: VALID,
        message: /filter_sizes must have 4 elements, got 5/,
      },
    ],
  },
} satisfies FamilySamples;
