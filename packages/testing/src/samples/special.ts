/** Samples of special functions of two or three operands, and of ops on bits. */
import type { DType } from '@forerun/graph';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';

const SHAPES = [
  { inputs: '[1,?];[3,1]', outputs: '[3,?]' },
  { inputs: '[?];[4]', outputs: '[4]' },
  { inputs: '?;[4]', outputs: '?' },
];
const MISMATCH = { inputs: '[2,3];[2]', message: /shapes do not broadcast: \[2,3\] and \[2\]/ };
const REJECTS_INTS = {
  inputs: '[2];[2]',
  dtypes: ['int32', 'int32'],
  message: /must be one of float/,
} as const;
const LIMITS = 'NaN, infinities or the edge of the domain';

function special(...samples: Sample[]): OpSamples {
  return { samples, shapes: SHAPES, errors: [MISMATCH, REJECTS_INTS] };
}

/** Two operands of which only the second has a gradient. */
function second(name: string, a: readonly number[], x: readonly number[]): Sample {
  return { name, inputs: [a, x], gradientInputs: [1] };
}

function edges(name: string, a: readonly number[], x: readonly number[]): Sample {
  return { name, inputs: [a, x], skipGradient: LIMITS };
}

const broadcastSecond: Sample = {
  name: 'broadcast',
  inputs: [
    [[1], [2]],
    [0.6, 1.5, 4],
  ],
  gradientInputs: [1],
};
const empty: Sample = { name: 'empty', inputs: [{ value: [], shape: [0, 2] }, [1, 2]], gradientInputs: [1] };

const of =
  (dtype: DType) =>
  (...value: number[]): SampleInput => ({ value, dtype });
const [ints, bytes, signedBytes, longs] = [of('int32'), of('uint8'), of('int8'), of('int64')];

function bits(...samples: Sample[]): OpSamples {
  const dtypes = ['int32', 'int32'] as const;
  return {
    samples: [
      { name: 'ints', inputs: [ints(12, -7, 255, -2147483648, 0), ints(10, 5, -256, -1, 3)] },
      { name: 'bytes', inputs: [bytes(250, 3, 100, 255), bytes(10, 3, 7, 1)] },
      { name: 'signed bytes', inputs: [signedBytes(-128, 3, 100, -1), signedBytes(10, 3, 1, 1)] },
      { name: 'broadcast', inputs: [{ value: [[1], [6]], dtype: 'int32' }, ints(1, 2, 3, 4)] },
      ...samples,
    ],
    shapes: SHAPES.map((shape) => ({ ...shape, dtypes })),
    errors: [
      { ...MISMATCH, dtypes },
      { inputs: '[2];[2]', dtypes: ['float32', 'float32'], message: /must be one of int8/ },
    ],
  };
}

const distances: Sample = { name: 'distances', inputs: [ints(5, -5, 5, -5, 1), ints(31, 31, 40, 40, -3)] };
const unsigned: Sample = {
  name: 'uint32',
  inputs: [of('uint32')(4294967295, 7), of('uint32')(2147483648, 5)],
};

const gammaSamples: readonly Sample[] = [
  second('series and fraction', [0.5, 1, 2.5, 4, 7, 0.3], [0.2, 3, 2, 8, 7.5, 4]),
  {
    ...edges('large', [80, 80, 300, 1500, 5000, 5000, 5000], [70, 100, 310, 1490, 4950, 5000, 5100]),
    tolerance: { rtol: 2e-5, atol: 2e-6 },
  },
  edges('limits', [1, 0, -1, 2, 2, NaN, 2], [0, 1, 1, -1, NaN, 1, Infinity]),
  broadcastSecond,
  empty,
];

export const SPECIAL_SAMPLES = {
  BitwiseAnd: bits(unsigned),
  BitwiseOr: bits(unsigned),
  BitwiseXor: bits(unsigned),
  LeftShift: bits(distances, { name: 'int64', inputs: [longs(5, -5, 3), longs(0, 3, -1)] }),
  RightShift: bits(distances, { name: 'int64', inputs: [longs(5, -5, 3, -3), longs(0, 3, 40, 40)] }),
  Polygamma: special(
    second('orders', [0, 1, 2, 3, 5], [0.7, 1.5, 3.2, 0.4, 12]),
    second('negative', [1, 2, 1, 3], [-0.3, -1.6, -5.5, -2.25]),
    broadcastSecond,
    edges('limits', [1, 1, 1.5, -1, 2, 0, 1], [0, -2, 1, 1, NaN, 4, 1e6]),
  ),
  Zeta: special(
    second('positive', [1.5, 2, 3.5, 9, 1.1], [0.7, 1.5, 3.2, 0.9, 12]),
    second('negative', [2, 3, 4], [-0.3, -1.6, -5.5]),
    {
      name: 'broadcast',
      inputs: [
        [[3], [2]],
        [0.6, 1.5, 4],
      ],
      gradientInputs: [1],
    },
    edges('limits', [1, 0.5, 2, 2.5, NaN, 50, 2], [1, 1, 0, -1.5, 1, 1.5, 1e6]),
  ),
  Igamma: special(...gammaSamples),
  Igammac: special(...gammaSamples),
  IgammaGradA: special(
    edges('series and fraction', [0.5, 1, 2.5, 4, 7, 0.3], [0.2, 3, 2, 8, 7.5, 4]),
    {
      ...edges('large', [80, 80, 300, 1500, 5000, 5000], [70, 100, 310, 1490, 4950, 5050]),
      tolerance: { rtol: 1e-4, atol: 1e-6 },
    },
    edges('limits', [1, 0, -1, 2, 2], [0, 1, 1, -1, NaN]),
    empty,
  ),
  Betainc: {
    samples: [
      {
        name: 'both sides',
        inputs: [
          [0.5, 1, 2.5, 4, 7, 0.3],
          [2, 0.7, 3, 5, 4, 0.4],
          [0.2, 0.9, 0.5, 0.3, 0.8, 0.6],
        ],
        gradientInputs: [2],
      },
      { name: 'scalars', inputs: [2, 3, [0.2, 0.6]], gradientInputs: [2] },
      {
        name: 'large',
        inputs: [
          [200, 50, 1000, 3],
          [100, 300, 1000, 500],
          [0.65, 0.14, 0.49, 0.01],
        ],
        skipGradient: 'smaller samples cover the formula',
      },
      {
        name: 'limits',
        inputs: [
          [1, 1, 0, 1, 1, 1],
          [2, 2, 1, 0, 2, 2],
          [0, 1, 0.5, 0.5, 1.5, NaN],
        ],
        skipGradient: LIMITS,
      },
    ],
    shapes: [
      { inputs: '[1,?];[];[?,3]', outputs: '[1,3]' },
      { inputs: '?;[];[]', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2,3];[3];[]',
        message: /a, b and x must be scalars or of one shape, got \[2,3\] and \[3\] and \[\]/,
      },
    ],
  },
  NextAfter: special(
    {
      name: 'up and down',
      inputs: [
        [1, 1, -1, -1, 2, 0, 1e30, 16777216],
        [2, 0, 0, -2, 2, 1, 2e30, 0],
      ],
      tolerance: { rtol: 3e-8, atol: 0 },
      skipGradient: 'its reference is a step of float32',
    },
    edges('NaN', [NaN, 1], [1, NaN]),
  ),
} satisfies FamilySamples;
