/** Samples of products followed by the steps that `fused_ops` names. */
import type { AttrInputs } from '@forerun/graph';
import type { ErrorCase, OpSamples, Sample, SampleInput, ShapeCase } from '../sample.js';
import { tensor } from './convCases.js';

type Shape = readonly number[];

/** Positive numbers, for variances. */
function positive(shape: Shape, seed: number): SampleInput {
  const { value } = tensor(shape, seed);
  return { shape, value: (value as number[]).map((x) => 1.5 + x) };
}

/** Steps and the shapes of their operands for `channels` channels and an output of shape `output`. */
interface Steps {
  readonly ops: readonly string[];
  readonly args: readonly SampleInput[];
  readonly attrs?: AttrInputs;
  readonly kink?: boolean;
}

function steps(channels: number, output: Shape): Steps[] {
  const bias = tensor([channels], 5);
  const vectors = [tensor([channels], 6), tensor([channels], 7), tensor([channels], 8)];
  return [
    { ops: [], args: [] },
    { ops: ['BiasAdd'], args: [bias] },
    { ops: ['BiasAdd', 'LeakyRelu', 'Relu6'], args: [bias], attrs: { leakyrelu_alpha: 0.3 }, kink: true },
    { ops: ['biasadd', 'elu', 'Sigmoid', 'GeluExact', 'Swish'], args: [bias] },
    { ops: ['noop', 'Tanh', 'GeluApproximate', 'Softplus'], args: [] },
    { ops: ['BiasAdd', 'Add', 'Relu'], args: [bias, tensor(output, 9)], kink: true },
    { ops: ['BiasAdd', 'Add'], args: [bias, tensor(output.slice(-1), 9)] },
    { ops: ['BiasAdd', 'Add'], args: [bias, tensor([], 9)] },
    { ops: ['BiasAdd', 'Prelu'], args: [bias, tensor([1, ...output.slice(1)], 9)] },
    {
      ops: ['FusedBatchNorm', 'Selu'],
      args: [...vectors, positive([channels], 10)],
      attrs: { epsilon: 0.01 },
    },
  ];
}

/** A product, given as the shapes of its factors and of itself, with every kind of steps or those that `choose` picks. */
function samplesOf(
  shapes: string,
  name: string,
  attrs: AttrInputs = {},
  choose: (all: Steps[]) => Steps[] = (all) => all,
): Sample[] {
  const [a = [], b = [], output = []] = shapes.split(' by ').map((shape) => shape.split('x').map(Number));
  const channels = output.at(attrs.data_format === 'NCHW' ? 1 : -1) ?? 0;
  return choose(steps(channels, output)).map((step) => ({
    name: [name, ...step.ops, ...step.args.map((arg) => `[${arg.shape?.join() ?? ''}]`)].join(' '),
    inputs: [tensor(a, 1), tensor(b, 2), ...step.args],
    attrs: { ...attrs, ...step.attrs, fused_ops: [...step.ops], num_args: step.args.length },
    tolerance: { rtol: 2e-5, atol: 5e-5 },
    ...(step.kink === true ? { skipGradient: 'kinks' } : {}),
  }));
}

/** The few that show where operands are read: per channel, per element, in fours and alone. */
const PLACES = (all: Steps[]): Steps[] => [5, 9].flatMap((i) => all[i] ?? []);
/** Operands that broadcast in other ways, and the longest chain. */
const SHAPED = (all: Steps[]): Steps[] => [6, 7, 8, 9].flatMap((i) => all[i] ?? []);
/** Without gradients: smaller samples cover the formulas. */
function large(
  shapes: string,
  name: string,
  attrs: AttrInputs = {},
  choose: (all: Steps[]) => Steps[] = PLACES,
): Sample[] {
  const skipGradient = 'smaller samples cover the formula';
  return samplesOf(shapes, name, attrs, choose).map((sample) => ({ ...sample, skipGradient }));
}

const SAME: AttrInputs = { strides: [1, 1, 1, 1], padding: 'SAME' };
const NCHW: AttrInputs = { ...SAME, data_format: 'NCHW' };
const PADDED: AttrInputs = {
  strides: [1, 2, 2, 1],
  padding: 'EXPLICIT',
  explicit_paddings: [0, 0, 1, 0, 2, 1, 0, 0],
};

const SHAPES = (filter: string, output: string): ShapeCase[] => [
  {
    inputs: `[?,4,4,2];${filter};[4]`,
    outputs: `[?,4,4,${output}]`,
    attrs: { ...SAME, fused_ops: ['BiasAdd'], num_args: 1 },
  },
  {
    inputs: `[?,?,4,2];${filter};[?];?`,
    outputs: `[?,?,4,${output}]`,
    attrs: { ...SAME, fused_ops: ['BiasAdd', 'Add'], num_args: 2 },
  },
];

const ERRORS = (filter: string): ErrorCase[] => [
  {
    inputs: `[1,4,4,2];${filter};[3]`,
    attrs: { ...SAME, fused_ops: ['BiasAdd'], num_args: 1 },
    message: /args 0 \(BiasAdd\) has 3 elements for 4 channels/,
  },
  {
    inputs: `[1,4,4,2];${filter};[1,4]`,
    attrs: { ...SAME, fused_ops: ['BiasAdd'], num_args: 1 },
    message: /args 0 \(BiasAdd\) must be a vector, got shape \[1,4\]/,
  },
  {
    inputs: `[1,4,4,2];${filter};[4];[3]`,
    attrs: { ...SAME, fused_ops: ['BiasAdd', 'Add'], num_args: 2 },
    message: /args 1 \(Add\) of shape \[3\] does not broadcast to \[1,4,4,4\]/,
  },
  {
    inputs: `[1,4,4,2];${filter}`,
    attrs: { ...SAME, fused_ops: ['BiasAdd', 'Relu'], num_args: 0 },
    message: /fused_ops \[BiasAdd, Relu\] take 1 args, 0 given/,
  },
  {
    inputs: `[1,4,4,2];${filter}`,
    attrs: { ...SAME, fused_ops: ['Hardswish2'], num_args: 0 },
    message: /fused_ops: "Hardswish2" is not known/,
  },
];

const DEPTHWISE: OpSamples = {
  samples: [
    ...samplesOf('1x3x4x2 by 2x2x2x2 by 1x3x4x4', 'NHWC', SAME, SHAPED),
    ...large('1x5x6x8 by 3x3x8x1 by 1x5x6x8', 'by fours', SAME),
    ...large('2x3x4x5 by 2x2x3x2 by 2x6x4x5', 'NCHW', NCHW),
  ],
  shapes: SHAPES('[3,3,2,2]', '4'),
  errors: ERRORS('[3,3,2,2]'),
};

export const FUSED_CONV_SAMPLES = {
  _FusedConv2D: {
    samples: [
      ...samplesOf('1x3x4x2 by 2x2x2x4 by 1x3x4x4', 'NHWC', SAME),
      ...large('2x5x4x4 by 2x2x2x6 by 2x5x4x6', 'groups', SAME),
      ...large('2x3x4x5 by 2x2x3x5 by 2x5x4x5', 'NCHW', NCHW),
      ...large('1x6x5x3 by 3x3x3x5 by 1x3x3x5', 'padded', PADDED),
      ...large('2x9x9x16 by 3x3x16x32 by 2x9x9x32', 'a layer', SAME, (all) => all.slice(5, 6)),
      ...large('1x2x2x0 by 1x1x0x4 by 1x2x2x4', 'no channels', SAME),
      ...large('0x2x2x3 by 1x1x3x4 by 0x2x2x4', 'no images', SAME, (all) => all.slice(1, 2)),
    ],
    shapes: SHAPES('[3,3,2,4]', '4'),
    errors: ERRORS('[3,3,2,4]'),
  },
  FusedDepthwiseConv2dNative: DEPTHWISE,
  _FusedDepthwiseConv2dNative: {
    ...DEPTHWISE,
    samples: samplesOf('1x3x4x2 by 2x2x2x2 by 1x3x4x4', 'NHWC', SAME, (all) => all.slice(1, 2)),
  },
};

export const FUSED_MATMUL_SAMPLES: OpSamples = {
  samples: [
    ...samplesOf('2x3 by 3x4 by 2x4', 'small', {}, SHAPED),
    ...large('3x2 by 5x3 by 2x5', 'both', { transpose_a: true, transpose_b: true }),
    ...large('9x40 by 40x24 by 9x24', 'a layer'),
    ...large('1x4000 by 4000x12 by 1x12', 'deep').map((sample) => ({
      ...sample,
      tolerance: { rtol: 1e-4, atol: 1e-3 },
    })),
    ...large('2x0 by 0x4 by 2x4', 'no depth'),
  ],
  shapes: [
    { inputs: '[?,3];[3,4];[4]', outputs: '[?,4]', attrs: { fused_ops: ['BiasAdd'], num_args: 1 } },
    { inputs: '?;?;?', outputs: '[?,?]', attrs: { fused_ops: ['BiasAdd'], num_args: 1 } },
  ],
  errors: [
    {
      inputs: '[2,3];[3,4];[5]',
      attrs: { fused_ops: ['BiasAdd'], num_args: 1 },
      message: /args 0 \(BiasAdd\) has 5 elements for 4 channels/,
    },
    {
      inputs: '[2,3];[4,4];[4]',
      attrs: { fused_ops: ['BiasAdd'], num_args: 1 },
      message: /inner dimensions differ/,
    },
  ],
};
