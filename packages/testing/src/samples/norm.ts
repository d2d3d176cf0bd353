/** Samples of normalization layers. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { ErrorCase, FamilySamples, OpSamples, Sample, SampleInput, ShapeCase } from '../sample.js';

function numbers(shape: readonly number[], seed: number, low = -2, high = 2): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size, low, high)], shape };
}

const EMPTY: SampleInput = { value: [], dtype: 'float32', shape: [0] };

interface NormCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format?: 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW';
  readonly epsilon?: number;
  readonly factor?: number;
  readonly large?: boolean;
}

const CASES: readonly NormCase[] = [
  { name: 'four channels', shape: [2, 3, 3, 4] },
  { name: 'three channels', shape: [3, 2, 2, 3], epsilon: 0.01 },
  { name: 'channels first', shape: [2, 3, 2, 5], format: 'NCHW' },
  { name: 'channels first, rows of four', shape: [2, 2, 3, 4], format: 'NCHW' },
  { name: 'one pixel per image', shape: [5, 1, 1, 2] },
  { name: 'many pixels', shape: [2, 40, 41, 3], large: true },
  { name: 'many pixels, channels first', shape: [3, 2, 40, 31], format: 'NCHW', large: true },
];
const VOLUMES: readonly NormCase[] = [
  { name: 'volumes', shape: [2, 2, 3, 2, 2], format: 'NDHWC' },
  { name: 'volumes, channels first', shape: [2, 2, 3, 1, 2], format: 'NCDHW' },
];

function channelsOf({ shape, format = 'NHWC' }: NormCase): number {
  return shape[format.startsWith('NC') ? 1 : shape.length - 1] ?? 1;
}

function attrsOf({ format = 'NHWC', epsilon = 0.001, factor }: NormCase, training: boolean): AttrInputs {
  return {
    epsilon,
    data_format: format,
    is_training: training,
    ...(factor === undefined ? {} : { exponential_avg_factor: factor }),
  };
}

const LARGE = 'the same formula as in the small samples';

/** Only x, scale and offset have gradients, and only through y. */
function forwardSample(each: NormCase, training: boolean): Sample {
  const channels = channelsOf(each);
  const replaced = training && (each.factor ?? 1) === 1;
  return {
    name: `${each.name}, ${training ? 'training' : 'inference'}`,
    inputs: [
      numbers(each.shape, 3),
      numbers([channels], 4, 0.5, 1.5),
      numbers([channels], 5),
      ...(replaced ? [EMPTY, EMPTY] : [numbers([channels], 6), numbers([channels], 7, 0.5, 2)]),
    ],
    attrs: attrsOf(each, training),
    gradientInputs: [0, 1, 2],
    gradientOutputs: [0],
    tolerance: { rtol: 2e-5, atol: 1e-5 },
    ...(each.large === true ? { skipGradient: LARGE } : {}),
  };
}

const SHIFTED: Sample = {
  name: 'far from zero',
  inputs: [numbers([2, 4, 4, 2], 9, 999, 1001), numbers([2], 4, 0.5, 1.5), numbers([2], 5), EMPTY, EMPTY],
  attrs: { epsilon: 0.001 },
  // float32 numbers near 1000 are 6e-5 apart
  tolerance: { rtol: 1e-4, atol: 3e-4 },
  skipGradient: LARGE,
};

const NOTHING: Sample = {
  name: 'no images, training',
  inputs: [{ value: [], dtype: 'float32', shape: [0, 2, 2, 3] }, [1, 1, 1], [0, 0, 0], EMPTY, EMPTY],
  skipGradient: 'there are no elements',
};

const SHAPES: readonly ShapeCase[] = [
  { inputs: '[?,4,4,3];[3];[3];[0];[0]', outputs: '[?,4,4,3];[3];[3];[3];[3]' },
  { inputs: '[2,4,4,?];?;[3];?;?', outputs: '[2,4,4,3];[3];[3];[3];[3]' },
  { inputs: '?;[5];?;?;?', outputs: '[?,5,?,?];[5];[5];[5];[5]', attrs: { data_format: 'NCHW' } },
  {
    inputs: '?;?;?;?;[2]',
    outputs: '[?,?,?,2];[2];[2];[2];[2]',
    attrs: { is_training: false },
  },
];

const ERRORS: readonly ErrorCase[] = [
  {
    inputs: '[2,3,4];[4];[4];[0];[0]',
    message: /x must have rank 4 for NHWC, got shape \[2,3,4\]/,
  },
  { inputs: '[2,3,3,4];[4];[3];[0];[0]', message: /offset has 3 elements for 4 channels/ },
  { inputs: '[2,3,3,4];[4,1];[4];[0];[0]', message: /scale must be a vector, got shape \[4,1\]/ },
  { inputs: '[2,3,3,4];[4];[4];[0,0];[0]', message: /mean must be a vector, got shape \[0,0\]/ },
  {
    inputs: '[2,3,3,4];[4];[4];[0];[0]',
    attrs: { is_training: false },
    message: /mean has 0 elements for 4 channels/,
  },
  {
    inputs: '[2,3,3,4];[4];[4];[4];[5]',
    attrs: { exponential_avg_factor: 0.5 },
    message: /variance has 5 elements for 4 channels/,
  },
];

function forward(cases: readonly NormCase[], third: boolean): OpSamples {
  const average: NormCase = { name: 'running averages', shape: [2, 2, 3, 3], factor: 0.3 };
  return {
    samples: [
      ...cases.flatMap((each) => [forwardSample(each, true), forwardSample(each, false)]),
      forwardSample(average, true),
      SHIFTED,
      NOTHING,
    ],
    shapes: SHAPES.map((shape) => ({ ...shape, outputs: `${shape.outputs}${third ? ';[]' : ''}` })),
    errors: ERRORS,
  };
}

/** Mean and variance of each channel. */
function statisticsOf(each: NormCase, { value }: SampleInput): [SampleInput, SampleInput] {
  const { shape, format = 'NHWC' } = each;
  const inner = format.startsWith('NC') ? shape.slice(2).reduce((a, b) => a * b, 1) : 1;
  const count = channelsOf(each);
  const lists = Array.from({ length: count }, (_, k) =>
    (value as number[]).filter((_element, i) => Math.floor(i / inner) % count === k).map(Math.fround),
  );
  const means = lists.map((list) => list.reduce((a, b) => a + b, 0) / list.length);
  const variances = lists.map((list, k) => {
    return list.reduce((sum, x) => sum + (x - (means[k] ?? 0)) ** 2, 0) / list.length;
  });
  return [{ value: means }, { value: variances }];
}

/**
 * The reserved statistics are functions of x for the gradient, constants for finite differences: the
 * gradient for x is compared through the second order of the forward op.
 */
function gradSample(each: NormCase, training: boolean, third: boolean): Sample {
  const x = numbers(each.shape, 3);
  const channels = channelsOf(each);
  const own = training ? statisticsOf(each, x) : [numbers([channels], 6), numbers([channels], 7, 0.5, 2)];
  return {
    name: `${each.name}, ${training ? 'training' : 'inference'}`,
    inputs: [
      numbers(each.shape, 8),
      x,
      numbers([channels], 4, 0.5, 1.5),
      ...own,
      ...(third ? [{ value: 0, shape: [] }] : []),
    ],
    attrs: attrsOf(each, training),
    gradientInputs: training ? [0, 2] : [0, 1, 2],
    gradientOutputs: [0, 1, 2],
    tolerance: { rtol: 2e-5, atol: each.large === true ? 3e-4 : 1e-5 },
    ...(each.large === true ? { skipGradient: LARGE } : {}),
  };
}

function backward(cases: readonly NormCase[], third: boolean): OpSamples {
  const more = third ? ';[]' : '';
  const nothing: SampleInput = { value: [], dtype: 'float32', shape: [0, 2, 2, 3] };
  return {
    samples: [
      ...cases.flatMap((each) => [gradSample(each, true, third), gradSample(each, false, third)]),
      {
        name: 'no images',
        inputs: [
          nothing,
          nothing,
          ...[1, 2, 3].map((seed) => numbers([3], seed, 0.5, 1)),
          ...(third ? [{ value: 0, shape: [] }] : []),
        ],
        skipGradient: 'there are no elements',
      },
    ],
    shapes: [
      { inputs: `[?,4,4,3];?;?;?;?${more}`, outputs: '[?,4,4,3];[3];[3];[0];[0]' },
      {
        inputs: `?;[2,?,4,4];?;?;[3]${more}`,
        outputs: '[2,3,4,4];[3];[3];[0];[0]',
        attrs: { data_format: 'NCHW' },
      },
      { inputs: `?;?;?;?;?${more}`, outputs: '[?,?,?,?];[?];[?];[0];[0]' },
    ],
    errors: [
      {
        inputs: `[2,3,3,4];[2,3,4,4];[4];[4];[4]${more}`,
        message: /y_backprop has shape \[2,3,3,4\], expected that of x, \[2,3,4,4\]/,
      },
      {
        inputs: `[2,3,3,4];[2,3,3,4];[4];[3];[4]${more}`,
        message: /reserve_space_1 has 3 elements for 4 channels/,
      },
    ],
  };
}

interface LrnCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly attrs: AttrInputs;
}

const LRN_CASES: readonly LrnCase[] = [
  { name: 'defaults', shape: [1, 2, 2, 7], attrs: {} },
  {
    name: 'radius 2',
    shape: [2, 1, 3, 8],
    attrs: { depth_radius: 2, bias: 1, alpha: 0.1, beta: 0.75 },
  },
  { name: 'radius 0', shape: [1, 2, 1, 3], attrs: { depth_radius: 0, bias: 2, alpha: 0.5, beta: 1 } },
  { name: 'wider than the channels', shape: [1, 1, 2, 3], attrs: { depth_radius: 9, bias: 0.5, beta: 0.5 } },
  { name: 'empty', shape: [0, 2, 2, 3], attrs: {} },
];

/** pow(norm, -beta) is exp2 of a logarithm, whose error beta multiplies. */
const LRN_TOLERANCE = { rtol: 5e-5, atol: 5e-6 };

const LRN_ERRORS: readonly ErrorCase[] = [
  { inputs: '[2,3,4]', message: /input must have rank 4, got shape \[2,3,4\]/ },
  { inputs: '[2,3,4,1]', attrs: { depth_radius: -1 }, message: /depth_radius must not be negative, got -1/ },
];

export const NORM_SAMPLES = {
  LRN: {
    samples: LRN_CASES.map(({ name, shape, attrs }) => ({
      name,
      inputs: [numbers(shape, 5)],
      attrs,
      tolerance: LRN_TOLERANCE,
    })),
    shapes: [
      { inputs: '[?,3,?,4]', outputs: '[?,3,?,4]' },
      { inputs: '?', outputs: '[?,?,?,?]' },
    ],
    errors: LRN_ERRORS,
  },
  LRNGrad: {
    samples: LRN_CASES.map(({ name, shape, attrs }) => ({
      name,
      inputs: [numbers(shape, 5), numbers(shape, 6), numbers(shape, 7)],
      attrs,
      tolerance: LRN_TOLERANCE,
    })),
    shapes: [
      { inputs: '[?,3,3,4];[2,?,3,4];?', outputs: '[2,3,3,4]' },
      { inputs: '?;?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      {
        inputs: '[1,2,2,3];[1,2,2,4];[1,2,2,3]',
        message: /input_grads, input_image and output_image differ in shape/,
      },
      { inputs: '[1,2,2];?;?', message: /input_grads must have rank 4/ },
    ],
  },
  FusedBatchNorm: forward(CASES, false),
  FusedBatchNormV2: forward(CASES.slice(0, 3), false),
  FusedBatchNormV3: forward([...CASES, ...VOLUMES], true),
  FusedBatchNormGrad: backward(CASES, false),
  FusedBatchNormGradV2: backward(CASES.slice(0, 3), false),
  FusedBatchNormGradV3: backward([...CASES, ...VOLUMES], true),
} satisfies FamilySamples;
