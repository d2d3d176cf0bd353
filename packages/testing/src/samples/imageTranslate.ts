/** Samples of scaling and moving images: every kernel, larger and smaller, with and without antialiasing, out of the image. */
import type { AttrInputs } from '@forerun/graph';
import type { ErrorCase, FamilySamples, Sample, SampleInput } from '../sample.js';
import { bytes, ints as size, numbers } from './imageInputs.js';

type Pair = readonly [number, number];

interface Case {
  readonly name: string;
  readonly images: readonly number[];
  readonly to: Pair;
  readonly scale: Pair;
  readonly translation: Pair;
  readonly attrs?: AttrInputs;
}

const KERNELS = [
  'lanczos1',
  'lanczos3',
  'lanczos5',
  'gaussian',
  'box',
  'triangle',
  'keyscubic',
  'mitchellcubic',
];
const PLAIN = { antialias: false };

const CASES: readonly Case[] = [
  ...KERNELS.flatMap((kernel_type): Case[] => [
    {
      name: `${kernel_type}, larger`,
      images: [2, 4, 3, 1],
      to: [7, 6],
      scale: [1.7, 2.1],
      translation: [0.3, -0.4],
      attrs: { kernel_type },
    },
    {
      name: `${kernel_type}, smaller`,
      images: [1, 9, 7, 4],
      to: [4, 3],
      scale: [0.45, 0.37],
      translation: [-0.2, 0.1],
      attrs: { kernel_type },
    },
    {
      name: `${kernel_type}, smaller, aliased`,
      images: [1, 9, 7, 2],
      to: [4, 3],
      scale: [0.45, 0.37],
      translation: [0, 0.1],
      attrs: { kernel_type, ...PLAIN },
    },
  ]),
  { name: 'unchanged', images: [1, 3, 3, 2], to: [3, 3], scale: [1, 1], translation: [0, 0] },
  { name: 'partly outside', images: [1, 4, 4, 1], to: [6, 5], scale: [1.3, 0.9], translation: [2.6, -1.7] },
  { name: 'wholly outside', images: [1, 2, 2, 1], to: [3, 2], scale: [1, 1], translation: [50, 50] },
  { name: 'from one pixel', images: [2, 1, 1, 3], to: [2, 3], scale: [2, 3], translation: [0, 0] },
  { name: 'no images', images: [0, 2, 2, 1], to: [3, 2], scale: [1, 1], translation: [0, 0] },
];

const pair = (value: Pair): SampleInput => ({ value: [...value] });
const resultShape = ({ images, to }: Case): readonly number[] => [images[0] ?? 1, ...to, images[3] ?? 1];
/** Weights of Lanczos kernels are differences of sines in float32. */
const TOLERANCE = { rtol: 1e-5, atol: 3e-6 };

function samplesOf(inputs: (c: Case) => Sample['inputs']): Sample[] {
  return CASES.map((c) => ({
    name: c.name,
    inputs: [...inputs(c), pair(c.scale), pair(c.translation)],
    attrs: c.attrs ?? {},
    gradientInputs: [0],
    tolerance: TOLERANCE,
  }));
}

/** Errors of the inputs and attributes that both ops have. */
function placementErrors(inputs: string): ErrorCase[] {
  return [
    { inputs: `${inputs};[3];[2]`, message: /scale must be a pair, .* got shape \[3\]/ },
    { inputs: `${inputs};[2];[]`, message: /translation must be a pair, .* got shape \[\]/ },
    {
      inputs: `${inputs};[2];[2]`,
      attrs: { kernel_type: 'hann' },
      message: /kernel_type must be one of lanczos1, .* got "hann"/,
    },
  ];
}

export const IMAGE_TRANSLATE_SAMPLES = {
  ScaleAndTranslate: {
    samples: [
      ...samplesOf((c) => [numbers(c.images), size(...c.to)]),
      {
        name: 'of uint8',
        inputs: [bytes([1, 3, 2, 4], 'uint8'), size(5, 3), pair([1.5, 1.2]), pair([0, 0.5])],
        tolerance: { rtol: 1e-5, atol: 1e-4 },
        skipGradient: 'integers',
      },
    ],
    shapes: [
      { inputs: '[?,4,4,3];[2];[2];[2]', outputs: '[?,8,6,3]', constants: { 1: [8, 6] } },
      { inputs: '?;?;?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      { inputs: '[4,4,3];[2];[2];[2]', message: /images must have rank 4, got shape \[4,4,3\]/ },
      { inputs: '[1,4,4,3];[3];[2];[2]', message: /size must be a pair, .* got shape \[3\]/ },
      {
        inputs: '[1,4,4,3];[2];[2];[2]',
        constants: { 1: [0, 4] },
        message: /must be positive, got size \[0,4\]/,
      },
      { inputs: '[1,0,4,3];[2];[2];[2]', message: /images of shape \[1,0,4,3\] have no pixels to sample/ },
      ...placementErrors('[1,4,4,3];[2]'),
    ],
  },
  ScaleAndTranslateGrad: {
    samples: samplesOf((c) => [numbers(resultShape(c), 6), numbers(c.images)]),
    shapes: [
      { inputs: '[2,8,8,3];[?,4,4,?];[2];[2]', outputs: '[2,4,4,3]' },
      { inputs: '?;?;?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      { inputs: '[2,8,8,3];[2,4,4,1];[2];[2]', message: /differ in batch or channels/ },
      ...placementErrors('[2,8,8,3];[2,4,4,3]'),
    ],
  },
} satisfies FamilySamples;
