/** Samples of convolutions and their gradients: every case in all three ops. */
import type { AttrInputs, NestedArray } from '@forerun/graph';
import type { ErrorCase, FamilySamples, ShapeCase } from '../sample.js';
import { CONV_3D_SAMPLES } from './conv3d.js';
import { convSamples, type ConvCase } from './convCases.js';
import { DEPTHWISE_SAMPLES } from './depthwise.js';
import { DILATION_SAMPLES } from './dilation.js';
import { FUSED_CONV_SAMPLES } from './fused.js';

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
  { name: 'same', input: [1, 4, 4, 2], filter: [3, 3, 2, 3], output: [1, 4, 4, 3], attrs: attrs('SAME') },
  { name: 'valid', input: [2, 5, 4, 1], filter: [3, 2, 1, 2], output: [2, 3, 3, 2], attrs: attrs('VALID') },
  {
    name: 'three channels',
    input: [1, 5, 5, 3],
    filter: [3, 3, 3, 2],
    output: [1, 5, 5, 2],
    attrs: attrs('SAME'),
  },
  {
    name: 'one by one',
    input: [2, 3, 3, 4],
    filter: [1, 1, 4, 3],
    output: [2, 3, 3, 3],
    attrs: attrs('VALID'),
  },
  {
    name: 'stride 2, uneven padding',
    input: [1, 6, 5, 2],
    filter: [3, 3, 2, 2],
    output: [1, 3, 3, 2],
    attrs: attrs('SAME', strided(2)),
  },
  {
    name: 'stride 3 by 2',
    input: [1, 7, 6, 1],
    filter: [3, 2, 1, 2],
    output: [1, 2, 3, 2],
    attrs: attrs('VALID', strided(3, 2)),
  },
  {
    name: 'stride above the kernel',
    input: [1, 7, 5, 2],
    filter: [2, 1, 2, 2],
    output: [1, 2, 3, 2],
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
    name: 'dilation 2 by 3 with stride 2',
    input: [1, 8, 9, 1],
    filter: [2, 3, 1, 2],
    output: [1, 3, 2, 2],
    attrs: attrs('VALID', { ...strided(2), ...dilated(2, 3) }),
  },
  {
    name: 'explicit padding',
    input: [1, 4, 5, 2],
    filter: [3, 3, 2, 2],
    output: [1, 5, 4, 2],
    attrs: attrs('EXPLICIT', explicit(1, 2, 0, 1)),
  },
  {
    name: 'explicit padding wider than the filter',
    input: [1, 3, 2, 1],
    filter: [2, 2, 1, 2],
    output: [1, 4, 4, 2],
    attrs: attrs('EXPLICIT', { ...explicit(3, 2, 3, 4), ...strided(2) }),
  },
  {
    name: 'NCHW',
    input: [2, 2, 4, 5],
    filter: [3, 3, 2, 3],
    output: [2, 3, 4, 5],
    attrs: attrs('SAME', NCHW),
  },
  {
    name: 'NCHW of one pixel',
    input: [2, 8, 1, 1],
    filter: [1, 1, 8, 8],
    output: [2, 8, 1, 1],
    attrs: attrs('SAME', NCHW),
  },
  {
    name: 'NCHW with strides and explicit padding',
    input: [1, 2, 5, 6],
    filter: [3, 2, 2, 2],
    output: [1, 2, 3, 6],
    attrs: attrs('EXPLICIT', {
      ...NCHW,
      strides: [1, 1, 2, 1],
      explicit_paddings: [0, 0, 0, 0, 1, 1, 1, 0],
    }),
  },
  {
    name: 'NCHW with dilation 2 by 1 and stride 1 by 2',
    input: [1, 1, 6, 5],
    filter: [2, 3, 1, 2],
    output: [1, 2, 6, 3],
    attrs: attrs('SAME', { ...NCHW, strides: [1, 1, 1, 2], dilations: [1, 1, 2, 1] }),
  },
  {
    name: 'groups with dilation and explicit padding',
    input: [2, 4, 3, 6],
    filter: [2, 2, 2, 3],
    output: [2, 5, 3, 3],
    attrs: attrs('EXPLICIT', { ...dilated(2), ...explicit(2, 1, 0, 2) }),
  },
  { name: 'groups', input: [1, 4, 4, 4], filter: [3, 3, 2, 4], output: [1, 4, 4, 4], attrs: attrs('SAME') },
  {
    name: 'NCHW groups with stride 2',
    input: [1, 4, 5, 4],
    filter: [3, 3, 1, 8],
    output: [1, 8, 3, 2],
    attrs: attrs('SAME', { ...NCHW, strides: [1, 1, 2, 2] }),
  },
  {
    name: 'no images',
    input: [0, 4, 4, 2],
    filter: [3, 3, 2, 3],
    output: [0, 4, 4, 3],
    attrs: attrs('SAME'),
  },
  {
    name: 'no output pixels',
    input: [1, 2, 4, 2],
    filter: [3, 3, 2, 3],
    output: [1, 0, 2, 3],
    attrs: attrs('VALID'),
  },
  {
    name: 'many channels',
    large: true,
    input: [2, 7, 9, 8],
    filter: [3, 3, 8, 36],
    output: [2, 7, 9, 36],
    attrs: attrs('SAME'),
  },
  {
    name: 'a first layer',
    large: true,
    input: [2, 28, 28, 1],
    filter: [5, 5, 1, 32],
    output: [2, 28, 28, 32],
    attrs: attrs('SAME'),
  },
  {
    name: 'a first layer in colour',
    large: true,
    input: [1, 23, 23, 3],
    filter: [7, 7, 3, 20],
    output: [1, 12, 12, 20],
    attrs: attrs('SAME', strided(2)),
  },
  {
    name: 'a second layer',
    large: true,
    input: [2, 14, 14, 32],
    filter: [5, 5, 32, 64],
    output: [2, 14, 14, 64],
    attrs: attrs('SAME'),
  },
  {
    name: 'a strided layer',
    large: true,
    input: [2, 9, 9, 16],
    filter: [3, 3, 16, 24],
    output: [2, 5, 5, 24],
    attrs: attrs('SAME', strided(2)),
  },
  {
    name: 'a dilated layer',
    large: true,
    input: [1, 9, 9, 8],
    filter: [3, 3, 8, 12],
    output: [1, 5, 5, 12],
    attrs: attrs('VALID', dilated(2)),
  },
  {
    name: 'a pointwise layer',
    large: true,
    input: [2, 7, 7, 16],
    filter: [1, 1, 16, 40],
    output: [2, 7, 7, 40],
    attrs: attrs('SAME'),
  },
  {
    name: 'NCHW, many channels',
    large: true,
    input: [2, 8, 6, 6],
    filter: [3, 3, 8, 20],
    output: [2, 20, 6, 6],
    attrs: attrs('SAME', NCHW),
  },
];

const SAME = attrs('SAME');
const VALID = attrs('VALID');

const FORWARD_SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,28,28,1];[5,5,1,32]', outputs: '[?,28,28,32]', attrs: SAME },
  { inputs: '[?,?,28,1];[5,5,1,32]', outputs: '[?,?,14,32]', attrs: attrs('SAME', strided(2)) },
  { inputs: '[2,?,28,1];[5,5,1,?]', outputs: '[2,?,24,?]', attrs: VALID },
  { inputs: '[2,28,28,1];?', outputs: '[2,?,?,?]', attrs: VALID },
  { inputs: '?;[3,3,2,4]', outputs: '[?,?,?,4]', attrs: SAME },
  { inputs: '[?,3,8,8];[3,3,3,4]', outputs: '[?,4,6,6]', attrs: { ...VALID, ...NCHW } },
];

const FORWARD_ERRORS: readonly ErrorCase[] = [
  { inputs: '[1,4,4];[3,3,2,3]', attrs: SAME, message: /input must have rank 4, got shape \[1,4,4\]/ },
  {
    inputs: '[1,4,4,3];[3,3,2,4]',
    attrs: SAME,
    message: /3 channels, which is not a multiple of the filter's 2/,
  },
  { inputs: '[1,4,4,0];[3,3,2,4]', attrs: SAME, message: /0 channels, which is not a multiple/ },
  { inputs: '[1,4,4,4];[3,3,2,3]', attrs: SAME, message: /3 filters cannot be divided among 2 groups/ },
  {
    inputs: '[1,4,4,2];[3,6,2,3]',
    attrs: VALID,
    message: /a filter of width 6 does not fit an image of width 4 with VALID padding/,
  },
  {
    inputs: '[1,4,4,2];[3,3,2,3]',
    attrs: { ...VALID, dilations: [1, 3, 3, 1] },
    message: /height 3 dilated by 3 does not fit an image of height 4/,
  },
  {
    inputs: '[1,4,4,2];[3,3,2,3]',
    attrs: { ...SAME, strides: [1, 2] },
    message: /strides must be 4 positive numbers.*\[1,2\]/,
  },
  {
    inputs: '[1,4,4,2];[3,3,2,3]',
    attrs: { ...SAME, strides: [2, 1, 1, 1] },
    message: /strides must be.*\[2,1,1,1\]/,
  },
  {
    inputs: '[1,4,4,2];[3,3,2,3]',
    attrs: { ...SAME, explicit_paddings: [0, 0, 1, 1, 1, 1, 0, 0] },
    message: /explicit_paddings is only for padding EXPLICIT/,
  },
  { inputs: '[1,4,4,2];[3,3,2,3]', attrs: attrs('EXPLICIT'), message: /explicit_paddings must be 8 numbers/ },
  { inputs: '[1,4,4,2];[3,3,2,3]', attrs: attrs('HALF'), message: /attribute "padding" must be one of/ },
];

const INPUT_SIZES: NestedArray = [2, 6, 6, 3];
const FILTER_SIZES: NestedArray = [3, 3, 3, 4];

const SAMPLES = convSamples(CASES);

export const CONV_SAMPLES = {
  ...DEPTHWISE_SAMPLES,
  ...CONV_3D_SAMPLES,
  ...DILATION_SAMPLES,
  ...FUSED_CONV_SAMPLES,

  Conv2D: {
    samples: SAMPLES.forward,
    shapes: FORWARD_SHAPES,
    errors: FORWARD_ERRORS,
  },

  Conv2DBackpropInput: {
    samples: SAMPLES.toInput,
    shapes: [
      { inputs: '[4];[3,3,3,4];[2,6,6,4]', outputs: '[2,6,6,3]', attrs: SAME, constants: { 0: INPUT_SIZES } },
      { inputs: '[4];[3,3,3,4];[?,?,6,4]', outputs: '[?,?,?,?]', attrs: SAME },
      { inputs: '?;?;[5,?,6,4]', outputs: '[5,?,?,?]', attrs: SAME },
    ],
    errors: [
      {
        inputs: '[4];[3,3,3,4];[2,5,6,4]',
        attrs: SAME,
        constants: { 0: INPUT_SIZES },
        message:
          /out_backprop has shape \[2,5,6,4\], but input \[2,6,6,3\] and filter \[3,3,3,4\] give \[2,6,6,4\]/,
      },
      { inputs: '[3];[3,3,3,4];[2,5,6,4]', attrs: SAME, message: /input_sizes must have 4 elements, got 3/ },
      { inputs: '[4,1];[3,3,3,4];[2,5,6,4]', attrs: SAME, message: /input_sizes must be a vector/ },
    ],
  },

  Conv2DBackpropFilter: {
    samples: SAMPLES.toFilter,
    shapes: [
      {
        inputs: '[2,6,6,3];[4];[2,4,4,4]',
        outputs: '[3,3,3,4]',
        attrs: VALID,
        constants: { 1: FILTER_SIZES },
      },
      { inputs: '[2,6,6,3];[4];?', outputs: '[?,?,?,?]', attrs: VALID },
      {
        inputs: '[?,6,6,3];[4];[?,4,4,4]',
        outputs: '[3,3,3,4]',
        attrs: VALID,
        constants: { 1: FILTER_SIZES },
      },
    ],
    errors: [
      {
        inputs: '[2,6,6,3];[4];[2,4,5,4]',
        attrs: VALID,
        constants: { 1: FILTER_SIZES },
        message:
          /out_backprop has shape \[2,4,5,4\], but input \[2,6,6,3\] and filter \[3,3,3,4\] give \[2,4,4,4\]/,
      },
      {
        inputs: '[2,6,6,3];[5];[2,4,4,4]',
        attrs: VALID,
        message: /filter_sizes must have 4 elements, got 5/,
      },
    ],
  },
} satisfies FamilySamples;
