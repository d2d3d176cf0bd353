/** Samples of simulated quantization: no element lies halfway between two levels, but where halves are asked for. */
import { Random } from '../random.js';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';

const STRAIGHT = 'the gradient passes straight through the rounding';

function floats(shape: readonly number[], seed = 1, size = 3): SampleInput {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(count, -size, size)) };
}

const scalar = (x: number): SampleInput => ({ value: x });

interface Range {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly attrs?: Sample['attrs'];
}

/** 0 within, at an end and outside, few and many bits. */
const RANGES: readonly Range[] = [
  { name: 'around 0', min: -1.3, max: 1.7 },
  { name: 'narrow', min: -1.3, max: 1.7, attrs: { narrow_range: true } },
  { name: 'four bits', min: -0.9, max: 2.2, attrs: { num_bits: 4 } },
  { name: 'two bits, narrow', min: -2, max: 2.5, attrs: { num_bits: 2, narrow_range: true } },
  { name: 'sixteen bits', min: -1, max: 1.1, attrs: { num_bits: 16 } },
  { name: 'from 0', min: 0, max: 2.1 },
  { name: 'above 0', min: 0.5, max: 2.1 },
  { name: 'below 0', min: -2.1, max: -0.5 },
];
const ONLY_0: Range = { name: 'only 0', min: 0, max: 0 };
/** Near the ends of the range float32 may put an element on the other side; a step of many bits is small. */
const TOLERANCE = { rtol: 1e-5, atol: 2e-6 };

const x = floats([2, 3, 5]);
const g = floats([2, 3, 5], 2);
const channels = (value: number): SampleInput => ({ value: [value, 1.5 * value, 0, 0.75 * value, value] });

function sample(name: string, inputs: readonly SampleInput[], more: Partial<Sample> = {}): Sample {
  return { name, inputs, tolerance: TOLERANCE, ...more };
}

const fixed = (range: Range, inputs: readonly SampleInput[], more: Partial<Sample>): Sample =>
  sample(range.name, inputs, { attrs: { ...range.attrs, min: range.min, max: range.max }, ...more });
const learnt = (range: Range, inputs: readonly SampleInput[], more: Partial<Sample>): Sample =>
  sample(range.name, [...inputs, scalar(range.min), scalar(range.max)], {
    ...(range.attrs === undefined ? {} : { attrs: range.attrs }),
    ...more,
  });
const perChannel = (range: Range, inputs: readonly SampleInput[], more: Partial<Sample>): Sample =>
  sample(range.name, [...inputs, channels(range.min), channels(range.max)], {
    ...(range.attrs === undefined ? {} : { attrs: range.attrs }),
    ...more,
  });

const FORWARD = { skipGradient: STRAIGHT };
const BACKWARD = { gradientInputs: [0] };
const BITS_ERRORS = [1, 17].map((bits) => ({
  attrs: { num_bits: bits },
  message: new RegExp(`num_bits must be between 2 and 16, got ${bits}`),
}));

const ARGS: OpSamples = {
  samples: [
    ...RANGES.map((range) => fixed(range, [x], FORWARD)),
    sample('default', [floats([7], 3, 9)], FORWARD),
    sample('NaN and infinities', [{ value: [NaN, Infinity, -Infinity, 1] }], FORWARD),
    sample('empty', [floats([0, 2])], FORWARD),
  ],
  shapes: [
    { inputs: '[?,3]', outputs: '[?,3]' },
    { inputs: '?', outputs: '?' },
  ],
  errors: [
    ...BITS_ERRORS.map((error) => ({ inputs: '[2]', ...error })),
    { inputs: '[2]', attrs: { min: 1, max: 1 }, message: /min must be below max, got 1 and 1/ },
  ],
};

const ARGS_GRADIENT: OpSamples = {
  samples: [
    ...RANGES.map((range) => fixed(range, [g, x], BACKWARD)),
    sample('empty', [floats([0, 2]), floats([0, 2])], BACKWARD),
  ],
  shapes: [
    { inputs: '[?,3];[2,?]', outputs: '[2,3]' },
    { inputs: '?;[2]', outputs: '[2]' },
  ],
  errors: [
    { inputs: '[2];[3]', message: /gradients \[2\] and inputs \[3\] must have the same shape/ },
    { inputs: '[2];[2]', attrs: { min: 1, max: 0 }, message: /min must be below max/ },
  ],
};

const VARS: OpSamples = {
  samples: [
    ...[...RANGES, ONLY_0].map((range) => learnt(range, [x], FORWARD)),
    sample('a scalar', [scalar(0.3), scalar(-1.1), scalar(1)], FORWARD),
  ],
  shapes: [
    { inputs: '[?,3];[];[]', outputs: '[?,3]' },
    { inputs: '?;?;?', outputs: '?' },
  ],
  errors: [
    ...BITS_ERRORS.map((error) => ({ inputs: '[2];[];[]', ...error })),
    { inputs: '[2];[1];[]', message: /min must have rank 0, got shape \[1\]/ },
    { inputs: '[2];[];[2]', message: /max must have rank 0, got shape \[2\]/ },
  ],
};

const VARS_GRADIENT: OpSamples = {
  samples: [
    ...[...RANGES, ONLY_0].map((range) => learnt(range, [g, x], BACKWARD)),
    learnt({ name: 'many', min: -1.3, max: 1.7 }, [floats([70, 60], 5), floats([70, 60], 6)], {
      skipGradient: 'smaller samples cover the formula',
      tolerance: { rtol: 1e-5, atol: 1e-4 },
    }),
    learnt({ name: 'empty', min: -1, max: 1 }, [floats([0, 3]), floats([0, 3])], BACKWARD),
  ],
  shapes: [
    { inputs: '[?,3];[2,?];[];[]', outputs: '[2,3];[];[]' },
    { inputs: '?;?;?;?', outputs: '?;[];[]' },
  ],
  errors: [
    { inputs: '[2];[3];[];[]', message: /gradients \[2\] and inputs \[3\] must have the same shape/ },
    { inputs: '[2];[2];[1];[]', message: /min must have rank 0/ },
  ],
};

const CHANNELS: OpSamples = {
  samples: [
    ...RANGES.map((range) => perChannel(range, [x], FORWARD)),
    sample('a vector', [floats([3]), { value: [-1.1, -2, 0] }, { value: [1, 0.5, 3] }], FORWARD),
    sample('no channels', [floats([2, 0]), floats([0]), floats([0])], FORWARD),
  ],
  shapes: [
    { inputs: '[?,3];[?];[?]', outputs: '[?,3]' },
    { inputs: '[2,?];[3];[?]', outputs: '[2,3]' },
    { inputs: '?;?;?', outputs: '?' },
  ],
  errors: [
    { inputs: '[];[1];[1]', message: /inputs must have rank 1 or more, got shape \[\]/ },
    { inputs: '[2,3];[2];[3]', message: /must have an element for each channel of \[2,3\]/ },
    { inputs: '[2,3];[];[3]', message: /min must have rank 1, got shape \[\]/ },
    ...BITS_ERRORS.map((error) => ({ inputs: '[2];[2];[2]', ...error })),
  ],
};

const CHANNELS_GRADIENT: OpSamples = {
  samples: [
    ...RANGES.map((range) => perChannel(range, [g, x], BACKWARD)),
    sample('no channels', [floats([2, 0]), floats([2, 0]), floats([0]), floats([0])], BACKWARD),
    sample('no rows', [floats([0, 2]), floats([0, 2]), floats([2]), floats([2])], BACKWARD),
  ],
  shapes: [
    { inputs: '[?,3];[2,?];[?];[?]', outputs: '[2,3];[3];[3]' },
    { inputs: '?;?;?;?', outputs: '?;[?];[?]' },
  ],
  errors: [
    { inputs: '[2];[3];[2];[2]', message: /must have the same shape/ },
    { inputs: '[2,3];[2,3];[3];[2]', message: /must have an element for each channel of \[2,3\]/ },
  ],
};

const around = (inputs: readonly SampleInput[], attrs: Sample['attrs'], name: string): Sample =>
  sample(name, inputs, { ...FORWARD, attrs: { ...attrs } });
const ends = [scalar(-1.25), scalar(1.7)];
const bits = (n: number): SampleInput => ({ value: n, dtype: 'int32' });
/** Halves of levels: with five bits from -16 to 15 a level is 1. */
const halves: SampleInput = { value: [-16, -3.5, -2.5, -0.5, 0.5, 1.5, 2.5, 14.5, 15, 40] };

export const QUANTIZE_SAMPLES = {
  FakeQuantWithMinMaxArgs: ARGS,
  FakeQuantWithMinMaxArgsGradient: ARGS_GRADIENT,
  FakeQuantWithMinMaxVars: VARS,
  FakeQuantWithMinMaxVarsGradient: VARS_GRADIENT,
  FakeQuantWithMinMaxVarsPerChannel: CHANNELS,
  FakeQuantWithMinMaxVarsPerChannelGradient: CHANNELS_GRADIENT,
  QuantizeAndDequantizeV2: {
    samples: [
      around([x, ...ends], {}, 'range of the elements'),
      around([x, ...ends], { range_given: true }, 'range given'),
      around([x, ...ends], { signed_input: false }, 'unsigned'),
      around(
        [x, scalar(0), scalar(2.2)],
        { signed_input: false, range_given: true },
        'unsigned, range given',
      ),
      around([x, ...ends], { narrow_range: true, num_bits: 5 }, 'narrow'),
      around([x, ...ends], { num_bits: 16 }, 'sixteen bits'),
      around([halves, scalar(-16), scalar(15)], { num_bits: 5, range_given: true }, 'halves to even'),
      around(
        [halves, scalar(-16), scalar(15)],
        { num_bits: 5, range_given: true, round_mode: 'HALF_UP' },
        'halves up',
      ),
      around([{ value: [0, 0, 0] }, ...ends], {}, 'zeros'),
      around([{ value: [-0.3, -2.1, -0.7] }, ...ends], {}, 'below 0'),
      around([{ value: [-0.5, -2, -1, 0] }, ...ends], { signed_input: false }, 'unsigned, none above 0'),
      around([{ value: [-0.5, -2, -1, -0.25] }, ...ends], { signed_input: false }, 'unsigned, below 0'),
      ...[0, -2, 5].map((high) =>
        around(
          [{ value: [-5, 3, 0, 0.25] }, scalar(Math.min(high, -2)), scalar(high)],
          { signed_input: false, range_given: true },
          `unsigned, range given up to ${high}`,
        ),
      ),
      around([{ value: [-5, 3, 0] }, scalar(2), scalar(4)], { range_given: true }, 'range given above 0'),
      around([{ value: [-5, 3, 0] }, scalar(-4), scalar(-2)], { range_given: true }, 'range given below 0'),
      around([{ value: [-5, 3, 0] }, scalar(0), scalar(0)], { range_given: true }, 'no range given'),
      around([floats([70, 60], 4), ...ends], {}, 'many'),
      around([floats([0, 3]), ...ends], { range_given: true }, 'empty'),
    ],
    shapes: [
      { inputs: '[?,3];[];[]', outputs: '[?,3]' },
      { inputs: '?;?;?', outputs: '?' },
    ],
    errors: [
      { inputs: '[2];[1];[]', message: /input_min must have rank 0, got shape \[1\]/ },
      { inputs: '[2];[];[]', attrs: { num_bits: 1 }, message: /num_bits must be between 2 and 30, got 1/ },
    ],
  },
  QuantizeAndDequantizeV3: {
    samples: [
      around([x, ...ends, bits(8)], {}, 'range given'),
      around([x, ...ends, bits(4)], { range_given: false }, 'range of the elements'),
      around([x, ...ends, bits(5)], { narrow_range: true }, 'narrow'),
      around([x, ...ends, bits(3)], { signed_input: false, range_given: false }, 'unsigned'),
      around([halves, scalar(-16), scalar(15), bits(5)], {}, 'halves to even'),
    ],
    shapes: [
      { inputs: '[?,3];[];[];[]', outputs: '[?,3]', dtypes: ['float32', 'float32', 'float32', 'int32'] },
      { inputs: '?;?;?;?', outputs: '?', dtypes: ['float32', 'float32', 'float32', 'int32'] },
    ],
    errors: [
      {
        inputs: '[2];[];[];[1]',
        dtypes: ['float32', 'float32', 'float32', 'int32'],
        message: /num_bits must have rank 0, got shape \[1\]/,
      },
      {
        inputs: '[2];[];[];[]',
        dtypes: ['float32', 'float32', 'float32', 'int32'],
        constants: { 3: 31 },
        message: /num_bits must be between 2 and 30, got 31/,
      },
    ],
  },
} satisfies FamilySamples;
