/** Samples of glimpses without noise; noise is tested with the session. */
import type { FamilySamples, Sample } from '../sample.js';

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const PLACES = [
  [0, 0],
  [0.3, -0.4],
  [-1.2, 0.9],
  [2.6, 3.3],
];

const samples: Sample[] = [true, false].flatMap((centered) =>
  [true, false].map((normalized) => ({
    name: `${centered ? 'from the middle' : 'from the corner'}, ${normalized ? 'parts' : 'pixels'}`,
    inputs: [
      { value: count(4 * 5 * 6 * 2), shape: [4, 5, 6, 2] },
      { value: [3, 2], dtype: 'int32' as const },
      PLACES,
    ],
    attrs: { centered, normalized, uniform_noise: false, noise: 'zero' },
  })),
);
const ZERO = { uniform_noise: false, noise: 'zero' };

export const IMAGE_GLIMPSE_SAMPLES = {
  ExtractGlimpse: {
    samples,
    shapes: [
      { inputs: '[?,5,6,2];[2];[4,2]', constants: { 1: [3, 2] }, outputs: '[4,3,2,2]' },
      { inputs: '?;?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      { inputs: '[5,6,2];[2];[4,2]', message: /input must have rank 4, got shape \[5,6,2\]/ },
      {
        inputs: '[4,5,6,2];[2];[3,2]',
        message: /offsets must be a pair for each image of \[4,5,6,2\], got shape \[3,2\]/,
      },
      { inputs: '[4,5,6,2];[3];[4,2]', message: /size must hold a height and a width/ },
      {
        inputs: '[4,5,6,2];[2];[4,2]',
        attrs: { noise: 'pink' },
        message: /noise must be uniform, gaussian or zero/,
      },
      {
        inputs: '[4,5,6,2];[2];[4,2]',
        attrs: { ...ZERO, uniform_noise: true },
        message: /uniform_noise is not for noise "zero"/,
      },
    ],
  },
} satisfies FamilySamples;
