/** Samples of the colour ops: all sectors of the colour wheel, greys, black. */
import type { ErrorCase, FamilySamples, Sample, SampleInput, ShapeCase } from '../sample.js';
import { numbers } from './imageInputs.js';

const COLOURS: SampleInput = numbers([2, 3, 4, 3], 9, 0.05, 0.95);
const TIES: Sample['inputs'] = [
  {
    value: [
      0, 0, 0, 1, 1, 1, 0.5, 0.5, 0.5, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0.2, 0.2, 0.7,
    ],
    shape: [10, 3],
  },
];
const EMPTY: Sample = { name: 'empty', inputs: [{ value: [], shape: [0, 4, 3] }] };
const KINK = 'black, grey, or two equal channels';

const CONVERSION_ERRORS: readonly ErrorCase[] = [
  { inputs: '[2,4]', message: /images must have 3 channels in the last dimension, got shape \[2,4\]/ },
  { inputs: '[]', message: /images must have rank 1 or more, got shape \[\]/ },
  { inputs: '[2,3]', dtypes: ['int32'], message: /must be one of/ },
];
const CONVERSION_SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,4,3]', outputs: '[?,4,3]' },
  { inputs: '[2,?]', outputs: '[2,?]' },
  { inputs: '?', outputs: '?' },
];

const images = (colours: Sample['inputs'], parameter: number): Sample['inputs'] => [
  { ...(colours[0] as SampleInput), shape: [1, 2, 5, 3] },
  parameter,
];

const ADJUSTMENT_SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,4,4,3];[]', outputs: '[?,4,4,3]' },
  { inputs: '?;?', outputs: '?' },
];

function adjustmentErrors(parameter: string): ErrorCase[] {
  return [
    { inputs: '[4,3];[]', message: /images must have rank 3 or more, got shape \[4,3\]/ },
    { inputs: '[4,4,3];[2]', message: new RegExp(`${parameter} must be a scalar, got shape \\[2\\]`) },
  ];
}

const CHANNELS: ErrorCase = {
  inputs: '[4,4,1];[]',
  message: /images must have 3 channels in the last dimension, got shape \[4,4,1\]/,
};

/** An adjustment of colours with each of `parameters`; at those of `kinks` the result has an edge. */
function adjusted(parameters: readonly number[], kinks: readonly number[] = []): Sample[] {
  return [
    ...parameters.map((parameter) => ({
      name: `by ${parameter}`,
      inputs: [COLOURS, parameter],
      ...(kinks.includes(parameter) ? { skipGradient: 'clipped' } : {}),
    })),
    { name: 'ties', inputs: images(TIES, 0.4), skipGradient: KINK },
    { name: 'empty', inputs: [{ value: [], shape: [0, 2, 2, 3] }, 0.3] },
  ];
}

export const IMAGE_COLOR_SAMPLES = {
  RGBToHSV: {
    samples: [
      { name: 'colours', inputs: [COLOURS] },
      { name: 'one pixel', inputs: [[0.3, 0.9, 0.4]] },
      { name: 'ties', inputs: TIES, skipGradient: KINK },
      EMPTY,
    ],
    shapes: CONVERSION_SHAPES,
    errors: CONVERSION_ERRORS,
  },
  HSVToRGB: {
    samples: [
      { name: 'colours', inputs: [COLOURS] },
      { name: 'one pixel', inputs: [[0.92, 0.9, 0.4]] },
      {
        name: 'between sectors',
        inputs: [[[0, 1, 1], [0.5, 0.5, 0.25], [0.25, 0, 0.5], [1, 0.5, 1]]], // prettier-ignore
        skipGradient: 'hues at which a channel stops changing',
      },
      EMPTY,
    ],
    shapes: CONVERSION_SHAPES,
    errors: CONVERSION_ERRORS,
  },
  AdjustHue: {
    samples: [
      ...adjusted([0.13, -0.37, 0.81]),
      {
        name: 'negative channels',
        inputs: [{ value: [-0.5, -0.25, -0.75, -0.5, 0.25, 0.125], shape: [1, 2, 3] }, 0.2],
        skipGradient: 'without a saturation',
      },
    ],
    shapes: ADJUSTMENT_SHAPES,
    errors: [...adjustmentErrors('delta'), CHANNELS],
  },
  AdjustSaturation: {
    samples: adjusted([0.4, 1.1, 7], [1.1, 7]),
    shapes: ADJUSTMENT_SHAPES,
    errors: [...adjustmentErrors('scale'), CHANNELS],
  },
  AdjustContrastv2: {
    samples: [
      { name: 'more', inputs: [numbers([2, 3, 5, 3], 3), 1.7] },
      { name: 'less, two channels', inputs: [numbers([4, 3, 2], 4), 0.3] },
      { name: 'negative, large', inputs: [numbers([1, 40, 41, 1], 4), -2] },
      { name: 'two batch dimensions', inputs: [numbers([2, 2, 2, 3, 4], 6), 0.5] },
      { name: 'empty', inputs: [{ value: [], shape: [0, 2, 2, 3] }, 0.3] },
    ],
    shapes: ADJUSTMENT_SHAPES,
    errors: adjustmentErrors('contrast_factor'),
  },
} satisfies FamilySamples;
