/** Samples of axes and shape vectors in another layout: both ways, volumes, negative axes, pairs. */
import type { ErrorCase, FamilySamples } from '../sample.js';
import { ints, none } from './literals.js';

const BACK = { src_format: 'NCHW', dst_format: 'NHWC' };
const VOLUMES = { src_format: 'NDHWC', dst_format: 'NCDHW' };

const FORMATS: readonly ErrorCase[] = [
  {
    inputs: '[4]',
    dtypes: ['int32'],
    attrs: { src_format: 'NHWC', dst_format: 'NCDHW' },
    message: /must name the same 4 or 5 dimensions, got "NHWC" and "NCDHW"/,
  },
  {
    inputs: '[4]',
    dtypes: ['int32'],
    attrs: { src_format: 'NHWW', dst_format: 'NHWW' },
    message: /must name the same 4 or 5 dimensions, got "NHWW" and "NHWW"/,
  },
  { inputs: '[4]', dtypes: ['float32'], message: /must be one of int32, int64/ },
];

export const DATA_FORMAT_SAMPLES = {
  DataFormatDimMap: {
    samples: [
      { name: 'all axes', inputs: [ints(0, 1, 2, 3, -1, -2, -3, -4)] },
      { name: 'back', inputs: [ints([3, 1], [2, -4], [-1, 0])], attrs: BACK },
      { name: 'volumes', inputs: [ints(0, 1, 2, 3, 4, -1, -5)], attrs: VOLUMES },
      { name: 'int64', inputs: [{ value: [1, -1], dtype: 'int64' as const }] },
      { name: 'none', inputs: [none] },
    ],
    shapes: [{ inputs: '[?,2]', dtypes: ['int32'], outputs: '[?,2]' }],
    errors: [
      ...FORMATS,
      {
        inputs: '[1]',
        dtypes: ['int32'],
        constants: { 0: [4] },
        message: /axis 4 is out of range \[-4, 4\)/,
      },
    ],
  },
  DataFormatVecPermute: {
    samples: [
      { name: 'strides', inputs: [ints(1, 2, 3, 4)] },
      { name: 'back', inputs: [ints(7, 8, 9, 10)], attrs: BACK },
      { name: 'paddings', inputs: [ints([0, 1], [2, 3], [4, 5], [6, 7])] },
      { name: 'volumes', inputs: [{ value: [5, 6, 7, 8, 9], dtype: 'int64' as const }], attrs: VOLUMES },
    ],
    shapes: [
      { inputs: '[?]', dtypes: ['int32'], outputs: '[?]' },
      { inputs: '?', dtypes: ['int32'], outputs: '?' },
    ],
    errors: [
      ...FORMATS,
      { inputs: '[5]', dtypes: ['int32'], message: /x must have shape \[4\] or \[4,2\], got \[5\]/ },
      { inputs: '[4,3]', dtypes: ['int32'], message: /x must have shape \[4\] or \[4,2\], got \[4,3\]/ },
    ],
  },
} satisfies FamilySamples;
