/** Samples of elementwise ops of two or three operands. */
import type { DType } from '@forerun/graph';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { SPECIAL_SAMPLES } from './special.js';

const SHAPES = [
  { inputs: '[1,?];[3,1]', outputs: '[3,?]' },
  { inputs: '[?];[4]', outputs: '[4]' },
  { inputs: '?;[4]', outputs: '?' },
];
const MISMATCH = { inputs: '[2,3];[2]', message: /shapes do not broadcast: \[2,3\] and \[2\]/ };

/** Samples of a broadcasting op. */
function binary(...samples: Sample[]): OpSamples {
  return { samples, shapes: SHAPES, errors: [MISMATCH] };
}

/** As `binary`, for operands of another dtype. */
function binaryOf(dtype: DType, ...samples: Sample[]): OpSamples {
  const dtypes = [dtype, dtype];
  return {
    samples,
    shapes: SHAPES.map((shape) => ({ ...shape, dtypes })),
    errors: [{ ...MISMATCH, dtypes }],
  };
}

const ints = (...value: number[]): SampleInput => ({ value, dtype: 'int32' });
const of = (shape: readonly number[], first: number, step: number): SampleInput => ({
  shape,
  value: Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, (_, i) => first + step * i),
});
const LIMITS = 'NaN, infinities, ties or jumps';

const same: Sample = { name: 'one shape', inputs: [[[0.5, -1.25, 2, -3]], [[1.5, 0.75, -0.5, 2.5]]] };
const positive: Sample = {
  name: 'positive',
  inputs: [
    [0.5, 1.25, 2, 3],
    [1.5, 0.75, 0.4, 2.5],
  ],
};
/** Rows of vec4s, odd rows, a scalar, a column, both sides, a middle dimension. */
const layouts: Sample[] = [
  { name: 'bias of 4', inputs: [of([3, 2, 4], 0.3, 0.17), of([4], 1.1, 0.2)] },
  { name: 'bias of 3', inputs: [of([2, 3], 0.3, 0.17), of([3], 1.1, 0.2)] },
  { name: 'scalar', inputs: [of([2, 4], 0.3, 0.17), 1.5] },
  { name: 'column', inputs: [of([3, 1], 0.3, 0.17), of([3, 8], 1.1, 0.2)] },
  { name: 'both ways', inputs: [of([2, 1, 3], 0.3, 0.17), of([4, 1], 1.1, 0.2)] },
  { name: 'middle', inputs: [of([2, 3, 4], 0.3, 0.17), of([2, 1, 4], 1.1, 0.2)] },
];
const empty: Sample = { name: 'empty', inputs: [{ value: [], shape: [0, 3] }, [1, 2, 3]] };
const intSame: Sample = { name: 'ints', inputs: [ints(7, -7, 5, -5), ints(2, 2, -3, -3)] };
const intLarge: Sample = {
  name: 'large ints',
  inputs: [ints(2000000011, -2147483648, 65537), ints(3, 1, 65539)],
};
const intZero: Sample = { name: 'division by 0', inputs: [ints(7, 0, -3), ints(0, 0, 2)] };
const uints: Sample = {
  name: 'bytes',
  inputs: [
    { value: [250, 3, 100], dtype: 'uint8' },
    { value: [10, 3, 7], dtype: 'uint8' },
  ],
};

/** Quotients that are integers or near: right only when division errors are corrected. */
const multiples: Sample = {
  name: 'exact multiples',
  inputs: [
    [3, 9, -9, 49, 12, 21, -21, 1e6],
    [3, 3, 3, 7, -4, 3, 7, 1],
  ],
  skipGradient: LIMITS,
};
const smooth: Sample = {
  name: 'between jumps',
  inputs: [
    [5.3, -5.3, 7.9, -0.4],
    [2, 2, -3.1, 1.5],
  ],
};

const comparisonInputs = [
  [1, 2, 3, NaN, NaN, Infinity, -1],
  [2, 2, 1, NaN, 1, Infinity, -0.5],
];
const comparison = (name: string): OpSamples =>
  binary(
    { name, inputs: comparisonInputs, skipGradient: 'bool' },
    { name: 'ints', inputs: [ints(1, 2, 3, 16777217), ints(2, 2, 1, 16777216)] },
    { name: 'rows', inputs: [of([3, 4], 0.3, 0.17), of([4], 0.9, 0.01)], skipGradient: 'bool' },
  );
const bools = binaryOf(
  'bool',
  {
    name: 'table',
    inputs: [
      [true, true, false, false],
      [true, false, true, false],
    ],
  },
  { name: 'scalar', inputs: [[true, false], true] },
);
const equalBools: Sample = {
  name: 'bools',
  inputs: [
    [true, true, false],
    [true, false, false],
  ],
};

const add = binary(same, ...layouts, intSame, intLarge, uints, empty);
const divide = binary(
  same,
  ...layouts,
  { name: 'ints', inputs: [ints(7, -7, 5, -5), ints(2, 2, -3, -3)] },
  intZero,
);
const remainder = binary({ ...smooth, skipGradient: 'no gradient' }, multiples, intSame, intZero);

export const BINARY_SAMPLES = {
  ...SPECIAL_SAMPLES,
  Add: add,
  Prelu: binary(
    same,
    ...layouts,
    { name: 'negative', inputs: [of([2, 2, 4], -1.3, 0.17), of([1, 1, 4], 0.1, 0.2)] },
    empty,
    {
      name: 'limits',
      inputs: [
        [NaN, -Infinity, Infinity, 0],
        [0.5, 0.5, -2, 3],
      ],
      skipGradient: LIMITS,
    },
  ),
  AddV2: add,
  Sub: binary(same, ...layouts, intSame, intLarge, uints, empty),
  Mul: binary(same, ...layouts, intSame, intLarge, uints, empty),
  RealDiv: binary(same, ...layouts),
  Div: divide,
  TruncateDiv: binary(multiples, intSame, intZero),
  FloorDiv: binary(multiples, intSame, intZero, uints),
  FloorMod: binary(smooth, multiples, intSame, intZero, uints),
  Mod: remainder,
  TruncateMod: remainder,
  DivNoNan: binary(same, ...layouts, {
    name: 'zeros',
    inputs: [
      [1, 0, -2],
      [0, 0, 4],
    ],
    skipGradient: LIMITS,
  }),
  MulNoNan: binary(same, {
    name: 'zeros',
    inputs: [
      [NaN, Infinity, -2],
      [0, 0, 4],
    ],
    skipGradient: LIMITS,
  }),
  Pow: binary(
    positive,
    ...layouts,
    {
      name: 'negative bases and limits',
      inputs: [
        [-2, -2, -2, 0, 0, 0, 5, NaN, 1, -0.5, NaN, 2, 10],
        [3, 2, 0.5, 2, -1, 0, 0, 0, NaN, -3, 1, 200, 30],
      ],
      skipGradient: LIMITS,
    },
    { name: 'ints', inputs: [ints(3, -2, 0, 7, -1, 2, 5), ints(4, 5, 0, 12, -3, -1, 0)] },
  ),
  Maximum: binary(same, ...layouts, intSame, {
    name: 'NaN',
    inputs: [
      [NaN, 1, -Infinity, 2],
      [1, NaN, 3, 2],
    ],
    skipGradient: LIMITS,
  }),
  Minimum: binary(same, ...layouts, intSame, {
    name: 'NaN',
    inputs: [
      [NaN, 1, Infinity, 2],
      [1, NaN, 3, 2],
    ],
    skipGradient: LIMITS,
  }),
  SquaredDifference: binary(same, ...layouts, intSame),
  Atan2: binary(same, ...layouts, {
    name: 'axes',
    inputs: [
      [0, 0, 1, -1, NaN, Infinity, 1e-20],
      [1, -1, 0, 0, 1, Infinity, -1e20],
    ],
    skipGradient: LIMITS,
  }),
  Xdivy: binary(positive, ...layouts, {
    name: 'zero',
    inputs: [
      [0, 0, 1],
      [0, 2, 4],
    ],
    skipGradient: LIMITS,
  }),
  Xlogy: binary(positive, ...layouts, {
    name: 'zero',
    inputs: [
      [0, 0, 1],
      [0, -2, 4],
    ],
    skipGradient: LIMITS,
  }),
  AccumulateNV2: {
    samples: [
      { name: 'one', inputs: [[1, 2]], attrs: { shape: [2] } },
      {
        name: 'three',
        inputs: [of([2, 4], 1, 0.5), of([2, 4], -3, 0.25), of([2, 4], 0, 1)],
        attrs: { shape: [2, 4] },
      },
      { name: 'ints', inputs: [ints(1, 2147483647), ints(3, 1)], attrs: { shape: [2] } },
    ],
    shapes: [
      { inputs: '[1,?];[?,3]', attrs: { shape: [1, 3] }, outputs: '[1,3]' },
      { inputs: '?;?', attrs: { shape: [2] }, outputs: '[2]' },
    ],
    errors: [
      {
        inputs: '[2];[3]',
        attrs: { shape: [2] },
        message: /all inputs must have one shape, got \[2\] and \[2\] and \[3\]/,
      },
      {
        inputs: '[2]',
        attrs: { shape: [3] },
        message: /all inputs must have one shape, got \[3\] and \[2\]/,
      },
    ],
  },
  AddN: {
    samples: [
      { name: 'one', inputs: [[1, 2]] },
      { name: 'three', inputs: [of([2, 4], 1, 0.5), of([2, 4], -3, 0.25), of([2, 4], 0, 1)] },
      { name: 'ints', inputs: [ints(1, 2147483647), ints(3, 1)] },
      { name: 'more than a dispatch binds', inputs: Array.from({ length: 40 }, (_, i) => of([5], i, 0.5)) },
    ],
    shapes: [{ inputs: '[1,?];[?,3]', outputs: '[1,3]' }],
    errors: [{ inputs: '[2];[3]', message: /all inputs must have one shape, got \[2\] and \[3\]/ }],
  },
  Equal: { ...comparison('kinds'), samples: [...comparison('kinds').samples, equalBools] },
  NotEqual: { ...comparison('kinds'), samples: [...comparison('kinds').samples, equalBools] },
  Less: comparison('kinds'),
  LessEqual: comparison('kinds'),
  Greater: comparison('kinds'),
  GreaterEqual: comparison('kinds'),
  ApproximateEqual: {
    samples: [
      {
        name: 'near',
        inputs: [
          [1, 2, 3],
          [1.000001, 2.1, 3],
        ],
        skipGradient: 'bool',
      },
      {
        name: 'tolerance',
        inputs: [
          [1, 2, 3],
          [1.2, 2.1, 3.6],
        ],
        attrs: { tolerance: 0.5 },
        skipGradient: 'bool',
      },
      { name: 'ints', inputs: [ints(1, 5), ints(1, 6)] },
    ],
    shapes: [{ inputs: '[1,?];[?,3]', outputs: '[1,3]' }],
    errors: [{ inputs: '[2];[3]', message: /x and y must have one shape, got \[2\] and \[3\]/ }],
  },
  LogicalAnd: bools,
  LogicalOr: bools,
  Select: {
    samples: [
      {
        name: 'one shape',
        inputs: [
          [
            [true, false],
            [false, true],
          ],
          of([2, 2], 1, 1),
          of([2, 2], -1, -1),
        ],
      },
      { name: 'rows', inputs: [[true, false, true], of([3, 4], 1, 1), of([3, 4], -1, -1)] },
      { name: 'scalar', inputs: [false, of([3], 1, 1), of([3], -1, -1)] },
      { name: 'ints', inputs: [[true, false], ints(1, 2), ints(3, 4)] },
      {
        name: 'bools',
        inputs: [
          [true, false],
          [true, true],
          [false, false],
        ],
      },
    ],
    shapes: [
      { inputs: '[?];[?,3];[2,3]', outputs: '[2,3]', dtypes: ['bool', 'float32', 'float32'] },
      { inputs: '?;?;?', outputs: '?', dtypes: ['bool', 'float32', 'float32'] },
    ],
    errors: [
      {
        inputs: '[2];[3,2];[3,2]',
        dtypes: ['bool', 'float32', 'float32'],
        message: /must be equal and fit the condition: condition \[2\], t \[3,2\], e \[3,2\]/,
      },
    ],
  },
  SelectV2: {
    samples: [
      {
        name: 'one shape',
        inputs: [
          [
            [true, false],
            [false, true],
          ],
          of([2, 2], 1, 1),
          of([2, 2], -1, -1),
        ],
      },
      { name: 'broadcast', inputs: [[[true], [false]], of([3], 1, 1), of([2, 3], -1, -1)] },
      { name: 'columns', inputs: [[true, false, true, false], of([3, 4], 1, 1), 0.5] },
    ],
    shapes: [{ inputs: '[?,1];[3];[2,3]', outputs: '[2,3]', dtypes: ['bool', 'float32', 'float32'] }],
    errors: [
      {
        inputs: '[2];[3];[3]',
        dtypes: ['bool', 'float32', 'float32'],
        message: /shapes do not broadcast: condition \[2\], t \[3\], e \[3\]/,
      },
    ],
  },
  ClipByValue: {
    samples: [
      { name: 'scalars', inputs: [[-2, -0.5, 0.25, 3], -1, 1] },
      {
        name: 'tensors',
        inputs: [
          [-2, -0.5, 0.25, 3],
          [-1, -1, 0, 0],
          [1, 1, 0.5, 2],
        ],
      },
      { name: 'ints', inputs: [ints(-2, 0, 7), { value: -1, dtype: 'int32' }, { value: 5, dtype: 'int32' }] },
      { name: 'NaN and bounds', inputs: [[NaN, 1, -1], -1, 1], skipGradient: LIMITS },
    ],
    shapes: [{ inputs: '[1,?];[];[]', outputs: '[1,?]' }],
    errors: [
      {
        inputs: '[2];[3];[]',
        message: /clip_value_min must be a scalar or have the shape of t, \[2\], got \[3\]/,
      },
    ],
  },
} satisfies FamilySamples;
