/** Samples of cropping and its gradients. Boxes lie so that no position is near the middle of a pixel's edge. */
import type { AttrInputs } from '@forerun/graph';
import type { ErrorCase, FamilySamples, Sample, SampleInput } from '../sample.js';
import { bytes, ints, numbers } from './imageInputs.js';

interface Case {
  readonly name: string;
  readonly image: readonly number[];
  readonly boxes: readonly (readonly [number, number, number, number])[];
  readonly boxInd: readonly number[];
  readonly size: readonly [number, number];
}

const CASES: readonly Case[] = [
  {
    name: 'inside',
    image: [2, 6, 7, 3],
    boxes: [
      [0.13, 0.21, 0.87, 0.72],
      [0.44, 0.05, 0.61, 0.93],
    ],
    boxInd: [1, 0],
    size: [4, 3],
  },
  {
    name: 'flipped and partly outside, four channels',
    image: [1, 5, 6, 4],
    boxes: [
      [0.91, 0.13, 0.17, 0.82],
      [-0.31, 0.17, 0.63, 1.37],
      [0.57, 1.23, 0.09, -0.11],
    ],
    boxInd: [0, 0, 0],
    size: [3, 5],
  },
  { name: 'one position', image: [1, 4, 5, 2], boxes: [[0.11, 0.23, 0.63, 0.42]], boxInd: [0], size: [1, 1] },
  {
    name: 'a box without height',
    image: [1, 4, 5, 1],
    boxes: [[0.43, 0.13, 0.43, 0.87]],
    boxInd: [0],
    size: [3, 4],
  },
  {
    name: 'larger than the image',
    image: [1, 2, 2, 1],
    boxes: [[0.03, 0.04, 0.97, 0.95]],
    boxInd: [0],
    size: [7, 6],
  },
];

/** The whole image, a corner, a box of no image. */
const EDGES: Case = {
  name: 'to the edges, and without image',
  image: [1, 7, 5, 1],
  boxes: [
    [0, 0, 1, 1],
    [1, 1, 1, 1],
    [0, 0, 1, 1],
  ],
  boxInd: [0, 0, 3],
  size: [10, 4],
};
const NONE: Case = { name: 'no boxes', image: [1, 4, 4, 2], boxes: [], boxInd: [], size: [2, 2] };

const FLOAT: AttrInputs = { T: 'float32' };
const KINKS = 'positions in the middle of pixels, where the slope jumps';

const boxInputs = ({ boxes, boxInd }: Case): [SampleInput, SampleInput] => [
  { value: boxes.flat(), shape: [boxes.length, 4] },
  ints(...boxInd),
];
const cropShape = ({ image, boxes, size }: Case): number[] => [boxes.length, ...size, image[3] ?? 1];

/** Samples of one op from the cases, bilinear and, where the op knows it, nearest. */
function samplesOf(
  inputs: (each: Case) => Sample['inputs'],
  nearest: { readonly gradientInputs: readonly number[] } | null,
  attrs: AttrInputs = {},
): Sample[] {
  const bilinear = [
    ...CASES.map((each) => ({ name: each.name, inputs: inputs(each), attrs })),
    { name: NONE.name, inputs: inputs(NONE), attrs },
    { name: EDGES.name, inputs: inputs(EDGES), attrs, skipGradient: KINKS },
  ];
  if (nearest === null) return bilinear;
  // the gradient of nearest pixels with respect to boxes stands in for a derivative that is 0
  const others = CASES.map((each) => ({
    name: `${each.name}, nearest`,
    inputs: inputs(each),
    attrs: { ...attrs, method: 'nearest' },
    ...nearest,
  }));
  return [...bilinear, ...others];
}

const cropInputs = (each: Case): Sample['inputs'] => [
  numbers(each.image),
  ...boxInputs(each),
  ints(...each.size),
];

const BOX_ERRORS: readonly (readonly [ErrorCase['inputs'], RegExp])[] = [
  ['[3,5];[3]', /boxes must be rows \[y1, x1, y2, x2\], got shape \[3,5\]/],
  ['[3,4];[2]', /boxes \[3,4\] need one image each, box_ind has shape \[2\]/],
];

export const IMAGE_CROP_SAMPLES = {
  CropAndResize: {
    samples: [
      ...samplesOf(cropInputs, { gradientInputs: [0] }),
      {
        name: 'another value outside',
        inputs: cropInputs(CASES[1] ?? EDGES),
        attrs: { extrapolation_value: -2.5 },
      },
      {
        name: 'of uint8',
        inputs: [bytes([1, 4, 4, 3], 'uint8'), ...boxInputs(CASES[2] ?? EDGES), ints(3, 3)],
      },
    ],
    shapes: [
      { inputs: '[2,8,8,3];[?,4];[5];[2]', outputs: '[5,4,6,3]', constants: { 3: [4, 6] } },
      { inputs: '[2,?,?,?];[?,4];[?];[2]', outputs: '[?,?,?,?]' },
      { inputs: '?;?;?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      ...BOX_ERRORS.map(([inputs, message]) => ({ inputs: `[1,4,4,3];${inputs};[2]`, message })),
      { inputs: '[4,4,3];[3,4];[3];[2]', message: /image must have rank 4, got shape \[4,4,3\]/ },
      { inputs: '[1,4,0,3];[3,4];[3];[2]', message: /image of shape \[1,4,0,3\] has no pixels/ },
      {
        inputs: '[1,4,4,3];[3,4];[3];[3]',
        message: /crop_size must be a vector \[height, width\], got shape \[3\]/,
      },
      {
        inputs: '[1,4,4,3];[3,4];[3];[2]',
        constants: { 3: [2, 0] },
        message: /crop_size must be positive, got \[2,0\]/,
      },
      { inputs: '[1,4,4,3];[3,4];[3];[2]', attrs: { method: 'bicubic' }, message: /method/ },
    ],
  },
  CropAndResizeGradImage: {
    samples: samplesOf(
      (each) => [numbers(cropShape(each), 7), ...boxInputs(each), ints(...each.image)],
      { gradientInputs: [0] },
      FLOAT,
    ),
    shapes: [
      {
        inputs: '[5,2,2,3];[?,4];[5];[4]',
        attrs: FLOAT,
        outputs: '[2,8,8,3]',
        constants: { 3: [2, 8, 8, 3] },
      },
      { inputs: '?;?;?;[4]', attrs: FLOAT, outputs: '[?,?,?,?]' },
    ],
    errors: [
      ...BOX_ERRORS.map(([inputs, message]) => ({
        inputs: `[3,2,2,1];${inputs};[4]`,
        attrs: FLOAT,
        message,
      })),
      {
        inputs: '[3,2,2,1];[3,4];[3];[4]',
        constants: { 3: [1, 4, 4, 2] },
        attrs: FLOAT,
        message: /grads of shape \[3,2,2,1\] do not fit 3 boxes of 2 channels/,
      },
      {
        inputs: '[3,2,2,1];[3,4];[3];[3]',
        attrs: FLOAT,
        message: /image_size must hold 4 sizes, got 3/,
      },
    ],
  },
  CropAndResizeGradBoxes: {
    samples: samplesOf(
      (each) => [numbers(cropShape(each), 7), numbers(each.image), ...boxInputs(each)],
      null,
    ),
    shapes: [
      { inputs: '[5,2,2,3];[2,8,8,3];[?,4];[5]', outputs: '[5,4]' },
      { inputs: '?;?;?;?', outputs: '[?,4]' },
    ],
    errors: [
      ...BOX_ERRORS.map(([inputs, message]) => ({ inputs: `[3,2,2,1];[1,4,4,1];${inputs}`, message })),
      {
        inputs: '[2,2,2,1];[1,4,4,1];[3,4];[3]',
        message: /grads of shape \[2,2,2,1\] do not fit 3 boxes of 1 channels/,
      },
    ],
  },
} satisfies FamilySamples;
