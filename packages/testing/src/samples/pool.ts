/** Samples of pooling and its gradients. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { ErrorCase, FamilySamples, Sample, SampleInput, ShapeCase } from '../sample.js';

interface Case {
  readonly name: string;
  /** Images and pooled images. */
  readonly images: readonly number[];
  readonly pooled: readonly number[];
  readonly attrs: AttrInputs;
}

function attrs(
  size: number,
  stride: number,
  padding: 'SAME' | 'VALID',
  format: 'NHWC' | 'NCHW' = 'NHWC',
): AttrInputs {
  const list = (n: number): number[] => (format === 'NHWC' ? [1, n, n, 1] : [1, 1, n, n]);
  return { ksize: list(size), strides: list(stride), padding, data_format: format };
}

const CASES: readonly Case[] = [
  { name: '2x2 over four channels', images: [2, 4, 6, 4], pooled: [2, 2, 3, 4], attrs: attrs(2, 2, 'VALID') },
  { name: '2x2 with a rest', images: [1, 5, 7, 3], pooled: [1, 2, 3, 3], attrs: attrs(2, 2, 'VALID') },
  { name: '2x2 SAME over odd sizes', images: [1, 5, 7, 4], pooled: [1, 3, 4, 4], attrs: attrs(2, 2, 'SAME') },
  { name: '3x3 overlapping SAME', images: [1, 5, 6, 2], pooled: [1, 3, 3, 2], attrs: attrs(3, 2, 'SAME') },
  { name: '3x3 at every pixel', images: [1, 4, 4, 4], pooled: [1, 4, 4, 4], attrs: attrs(3, 1, 'SAME') },
  { name: '3x3 VALID NCHW', images: [2, 2, 7, 5], pooled: [2, 2, 3, 2], attrs: attrs(3, 2, 'VALID', 'NCHW') },
  { name: '3x3 SAME apart', images: [1, 7, 7, 1], pooled: [1, 3, 3, 1], attrs: attrs(3, 3, 'SAME') },
  {
    name: 'steps wider than the window',
    images: [1, 7, 7, 2],
    pooled: [1, 2, 2, 2],
    attrs: attrs(2, 4, 'VALID'),
  },
  { name: '5x5 in a loop', images: [1, 6, 6, 1], pooled: [1, 3, 3, 1], attrs: attrs(5, 2, 'SAME') },
];

/** Elements that differ from each other by more than the steps of finite differences. */
function distinct(shape: readonly number[], seed = 11): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  const random = new Random(seed);
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = random.integer(0, i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return { value: order.map((k) => 0.02 * k - 1), shape };
}

function numbers(shape: readonly number[], seed: number): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size)], shape };
}

/** What MaxPool gives for images, found by the rule alone: only equality with an element matters. */
function pooledOf(
  { images, pooled, attrs: { ksize, strides, padding, data_format: format } }: Case,
  input: SampleInput,
): SampleInput {
  const x = input.value as number[];
  const [h, w, c] = format === 'NCHW' ? [2, 3, 1] : [1, 2, 3];
  const at = (list: unknown, i: number): number => (list as number[])[i] ?? 1;
  const value: number[] = [];
  const index = [0, 0, 0, 0];
  const visit = (axis: number): void => {
    if (axis === 4) return void value.push(largest(index));
    for (let i = 0; i < at(pooled, axis); i++) {
      index[axis] = i;
      visit(axis + 1);
    }
  };
  const range = (axis: number, o: number): [number, number] => {
    const total =
      padding === 'SAME'
        ? (at(pooled, axis) - 1) * at(strides, axis) + at(ksize, axis) - at(images, axis)
        : 0;
    const begin = o * at(strides, axis) - Math.floor(Math.max(total, 0) / 2);
    return [Math.max(0, begin), Math.min(at(images, axis), begin + at(ksize, axis))];
  };
  const largest = (position: readonly number[]): number => {
    let best = -Infinity;
    const [[y0, y1], [x0, x1]] = [range(h, at(position, h)), range(w, at(position, w))];
    for (let py = y0; py < y1; py++) {
      for (let px = x0; px < x1; px++) {
        const pixel = [at(position, 0), 0, 0, 0];
        [pixel[h], pixel[w], pixel[c]] = [py, px, at(position, c)];
        best = Math.max(best, x[pixel.reduce((flat, p, i) => flat * at(images, i) + p, 0)] ?? best);
      }
    }
    return best;
  };
  visit(0);
  return { value, shape: pooled };
}

const SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,6,6,3]', outputs: '[?,3,3,3]', attrs: attrs(2, 2, 'VALID') },
  { inputs: '[2,?,7,3]', outputs: '[2,?,4,3]', attrs: attrs(2, 2, 'SAME') },
  { inputs: '[2,3,8,?]', outputs: '[2,3,3,?]', attrs: attrs(3, 3, 'SAME', 'NCHW') },
  { inputs: '?', outputs: '[?,?,?,?]', attrs: attrs(2, 2, 'VALID') },
];

const ERRORS: readonly ErrorCase[] = [
  { inputs: '[2,3,4]', attrs: attrs(2, 2, 'VALID'), message: /images must have rank 4, got shape \[2,3,4\]/ },
  { inputs: '[2,3,4,1]', attrs: attrs(5, 1, 'VALID'), message: /a window of height 5 does not fit images/ },
  {
    inputs: '[2,3,4,1]',
    attrs: { ...attrs(2, 2, 'VALID'), ksize: [1, 2, 2, 2] },
    message: /ksize must be 4 positive numbers, 1 for batch and channels, got \[1,2,2,2\]/,
  },
  {
    inputs: '[2,3,4,1]',
    attrs: { ...attrs(2, 2, 'VALID'), strides: [1, 0, 2, 1] },
    message: /strides must be 4 positive numbers/,
  },
];

const TIES: Sample = {
  name: 'equal elements and infinities',
  inputs: [
    { value: [1, 1, 2, 2, 1, 1, 2, 2, 0, -1, -Infinity, -3, -1, 0, -4, -Infinity], shape: [1, 4, 4, 1] },
  ],
  attrs: attrs(2, 2, 'VALID'),
  skipGradient: 'equal elements',
};

function gradCase(
  inputs: string,
  dtypes?: ErrorCase['dtypes'],
): Pick<ErrorCase, 'inputs' | 'attrs' | 'dtypes'> {
  return { inputs, attrs: attrs(2, 2, 'VALID'), ...(dtypes === undefined ? {} : { dtypes }) };
}

/** Samples of the two gradients of MaxPool; `like` is the shape of the gradient that goes in. */
function maxGrad(like: 'images' | 'pooled'): Sample[] {
  return CASES.map((each) => ({
    name: each.name,
    inputs: [distinct(each.images), pooledOf(each, distinct(each.images)), numbers(each[like], 5)],
    attrs: each.attrs,
    // the images decide only which element is taken; orig_output follows from them
    gradientInputs: [2],
  }));
}

const GRAD_TIES: Sample = {
  name: 'equal elements',
  inputs: [
    { value: [1, 1, 1, 1, 1, 1, 1, 1, 2], shape: [1, 3, 3, 1] },
    { value: [1, 1, 1, 2], shape: [1, 2, 2, 1] },
    { value: [1, 2, 4, 8], shape: [1, 2, 2, 1] },
  ],
  attrs: attrs(2, 1, 'VALID'),
  skipGradient: 'equal elements',
};

export const POOL_SAMPLES = {
  MaxPool: {
    samples: [
      ...CASES.map((each) => ({ name: each.name, inputs: [distinct(each.images)], attrs: each.attrs })),
      TIES,
      {
        name: 'int32',
        inputs: [{ value: [-5, -7, -9, -6], dtype: 'int32', shape: [1, 2, 2, 1] }],
        attrs: attrs(2, 2, 'SAME'),
      },
    ],
    shapes: SHAPES,
    errors: ERRORS,
  },
  MaxPoolGrad: {
    samples: [...maxGrad('pooled'), GRAD_TIES],
    shapes: [{ inputs: '[?,6,6,3];[?,3,3,3];?', outputs: '[?,6,6,3]', attrs: attrs(2, 2, 'VALID') }],
    errors: [
      {
        ...gradCase('[1,4,4,1];[1,3,2,1];[1,2,2,1]'),
        message: /orig_output has shape \[1,3,2,1\], pooling orig_input gives \[1,2,2,1\]/,
      },
      {
        ...gradCase('[1,4,4,1];[1,2,2,1];[1,4,4,1]'),
        message: /the gradient has shape \[1,4,4,1\], expected \[1,2,2,1\]/,
      },
    ],
  },
  MaxPoolGradGrad: {
    samples: maxGrad('images'),
    shapes: [{ inputs: '[?,6,6,3];[?,3,3,3];?', outputs: '[?,3,3,3]', attrs: attrs(2, 2, 'VALID') }],
    errors: [
      {
        ...gradCase('[1,4,4,1];[1,2,2,1];[1,2,2,1]'),
        message: /the gradient has shape \[1,2,2,1\], expected \[1,4,4,1\]/,
      },
    ],
  },
  AvgPool: {
    samples: CASES.map((each) => ({ name: each.name, inputs: [numbers(each.images, 3)], attrs: each.attrs })),
    shapes: SHAPES,
    errors: ERRORS,
  },
  AvgPoolGrad: {
    samples: CASES.map((each) => ({
      name: each.name,
      inputs: [{ value: [...each.images], dtype: 'int32' }, numbers(each.pooled, 5)],
      attrs: each.attrs,
    })),
    shapes: [
      {
        inputs: '[4];[?,3,3,3]',
        outputs: '[2,6,6,3]',
        attrs: attrs(2, 2, 'VALID'),
        constants: { 0: [2, 6, 6, 3] },
      },
      { inputs: '[4];?', outputs: '[?,?,?,?]', attrs: attrs(2, 2, 'VALID') },
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
} satisfies FamilySamples;
