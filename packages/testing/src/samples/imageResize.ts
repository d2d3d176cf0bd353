/** Samples of resizing and its gradients: up and down, every way of sampling, sizes of 1, many pixels to one. */
import type { AttrInputs } from '@forerun/graph';
import type { ErrorCase, FamilySamples, OpSamples, Sample, ShapeCase } from '../sample.js';
import { bytes, ints as size, numbers } from './imageInputs.js';

type Shape = readonly number[];

const CORNERS: AttrInputs = { align_corners: true };
const CENTRES: AttrInputs = { half_pixel_centers: true };

interface Case {
  readonly name: string;
  readonly images: Shape;
  readonly to: readonly [number, number];
}

const CASES: readonly Case[] = [
  { name: 'twice as large', images: [2, 3, 4, 1], to: [6, 8] },
  { name: 'by odd ratios, four channels', images: [1, 4, 5, 4], to: [7, 3] },
  { name: 'smaller', images: [1, 8, 6, 3], to: [3, 2] },
  { name: 'from one pixel', images: [2, 1, 1, 2], to: [5, 9] },
  { name: 'to one pixel', images: [1, 5, 4, 2], to: [1, 1] },
  { name: 'rows only', images: [1, 2, 6, 1], to: [9, 6] },
  { name: 'empty batch', images: [0, 2, 3, 1], to: [4, 4] },
];

const FORMS: readonly (readonly [name: string, attrs: AttrInputs])[] = [
  ['plain', {}],
  ['corners', CORNERS],
  ['centres', CENTRES],
];

/** Every case in every form; `inputs` makes a case's inputs. */
function samplesOf(
  inputs: (c: Case) => Sample['inputs'],
  forms = FORMS,
  extra: Partial<Sample> = {},
): Sample[] {
  return forms.flatMap(([form, attrs]) =>
    CASES.map((c) => ({ name: `${c.name}, ${form}`, inputs: inputs(c), attrs, ...extra })),
  );
}

const forward = (c: Case): Sample['inputs'] => [numbers(c.images), size(...c.to)];
const resizedShape = ({ images, to }: Case): Shape => [images[0] ?? 1, ...to, images[3] ?? 1];

const SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,4,4,3];[2]', outputs: '[?,8,6,3]', constants: { 1: [8, 6] } },
  { inputs: '[2,?,?,?];[2]', outputs: '[2,?,?,?]' },
  { inputs: '?;?', outputs: '[?,?,?,?]' },
];

const ERRORS: readonly ErrorCase[] = [
  { inputs: '[4,4,3];[2]', message: /images must have rank 4, got shape \[4,4,3\]/ },
  { inputs: '[1,4,4,3];[3]', message: /size must be a vector \[height, width\], got shape \[3\]/ },
  {
    inputs: '[1,4,4,3];[2]',
    constants: { 1: [0, 4] },
    message: /height and width must be positive, got size \[0,4\]/,
  },
  { inputs: '[1,0,4,3];[2]', message: /images of shape \[1,0,4,3\] have no pixels to resize/ },
  { inputs: '[1,4,4,3];[2]', dtypes: ['string'], message: /must be one of/ },
];

const BOTH: ErrorCase = {
  inputs: '[1,4,4,3];[2]',
  attrs: { ...CORNERS, ...CENTRES },
  message: /align_corners and half_pixel_centers cannot both be true/,
};

/** A method on floats and integers. */
function method(extra: readonly Sample[] = []): OpSamples {
  const integers = (['uint8', 'int32'] as const).map((dtype) => ({
    name: `of ${dtype}`,
    inputs: [bytes([1, 3, 2, 4], dtype), size(5, 3)],
    attrs: CENTRES,
  }));
  return {
    samples: [...samplesOf(forward), ...integers, ...extra],
    shapes: SHAPES,
    errors: [...ERRORS, BOTH],
  };
}

function methodGrad(): OpSamples {
  return {
    samples: samplesOf((c) => [numbers(resizedShape(c), 6), numbers(c.images)]),
    shapes: [
      { inputs: '[2,8,8,3];[?,4,4,?]', outputs: '[2,4,4,3]' },
      { inputs: '?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      {
        inputs: '[2,8,8,3];[2,4,4,1]',
        message: /grads \[2,8,8,3\] and original_image \[2,4,4,1\] differ in batch or channels/,
      },
      { inputs: '[8,8,3];[2,4,4,3]', message: /grads must have rank 4, got shape \[8,8,3\]/ },
      { ...BOTH, inputs: '[1,4,4,3];[1,2,2,3]' },
    ],
  };
}

const NONFINITE: Sample = {
  name: 'infinities and NaN',
  inputs: [{ value: [1, Infinity, -Infinity, NaN], shape: [1, 2, 2, 1] }, size(3, 3)],
  skipGradient: 'not finite',
};

export const IMAGE_RESIZE_SAMPLES = {
  ResizeBilinear: method(),
  ResizeBilinearGrad: methodGrad(),
  ResizeBicubic: method(),
  ResizeBicubicGrad: methodGrad(),
  ResizeNearestNeighbor: method([NONFINITE]),
  ResizeNearestNeighborGrad: {
    samples: [
      ...samplesOf((c) => [numbers(resizedShape(c), 6), size(...c.images.slice(1, 3))]),
      { name: 'of uint8, wrapping', inputs: [bytes([1, 6, 6, 1], 'uint8'), size(2, 2)] },
    ],
    shapes: SHAPES,
    errors: [
      { inputs: '[4,4,3];[2]', message: /grads must have rank 4, got shape \[4,4,3\]/ },
      { inputs: '[1,4,4,3];[2,1]', message: /size must be a vector \[height, width\], got shape \[2,1\]/ },
      BOTH,
    ],
  },
  ResizeArea: {
    samples: samplesOf(forward, FORMS.slice(0, 2), {}),
    shapes: SHAPES,
    errors: ERRORS,
  },
} satisfies FamilySamples;
