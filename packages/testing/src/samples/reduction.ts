/** Samples of reductions over axes. */
import { Random } from '../random.js';
import type { ErrorCase, FamilySamples, OpSamples, Sample, SampleInput, ShapeCase } from '../sample.js';

const LARGE = 'the same formula as in the small samples';

function ints(...value: number[]): SampleInput {
  return { value, dtype: 'int32', shape: [value.length] };
}

function axis(value: number): SampleInput {
  return { value, dtype: 'int32' };
}

/** Distinct-looking random elements. */
function numbers(shape: readonly number[], low = -2, high = 2, seed = 7): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size, low, high)], shape };
}

function wholeNumbers(shape: readonly number[], low: number, high: number): SampleInput {
  const { value } = numbers(shape, low, high);
  return { value: (value as number[]).map(Math.floor), dtype: 'int32', shape };
}

const SHAPES: readonly ShapeCase[] = [
  { inputs: '[2,?,3];[]', outputs: '[2,3]', constants: { 1: 1 } },
  { inputs: '[2,?,3];[2]', outputs: '[?]', constants: { 1: [0, -1] } },
  { inputs: '[2,?,3];[1]', outputs: '[2,1,3]', constants: { 1: [1] }, attrs: { keep_dims: true } },
  { inputs: '[2,?,3];[0]', outputs: '[2,?,3]', constants: { 1: [] } },
  { inputs: '[2,4,3];[2]', outputs: '[?]' },
  { inputs: '[2,4,3];[?]', outputs: '?' },
  { inputs: '[2,4,3];[?]', outputs: '[?,?,?]', attrs: { keep_dims: true } },
  { inputs: '?;[1]', outputs: '?', constants: { 1: [0] } },
];

const ERRORS: readonly ErrorCase[] = [
  { inputs: '[2,3];[1]', constants: { 1: [2] }, message: /axis 2 is out of range \[-2, 2\)/ },
  { inputs: '[2,3];[2]', constants: { 1: [1, -1] }, message: /axis 1 is reduced twice by axes \[1,-1\]/ },
  { inputs: '[2,3];[1,1]', message: /the axes must be a scalar or a vector, got shape \[1,1\]/ },
];

/** Samples of a reduction of floats over every kind of axes; `low` and `high` bound the elements. */
function reduction(low: number, high: number, ...more: Sample[]): OpSamples {
  const of = (name: string, shape: readonly number[], axes: SampleInput, keep = false): Sample => ({
    name,
    inputs: [numbers(shape, low, high), axes],
    attrs: { keep_dims: keep },
  });
  const large = (name: string, shape: readonly number[], axes: SampleInput): Sample => ({
    ...of(name, shape, axes),
    tolerance: { rtol: 1e-5, atol: 1e-4 },
    skipGradient: LARGE,
  });
  return {
    samples: [
      of('rows', [3, 5], ints(1)),
      of('rows of vectors', [3, 8], ints(-1), true),
      of('columns', [5, 4], ints(0)),
      of('odd columns', [5, 3], ints(0), true),
      of('middle', [2, 3, 4], axis(1)),
      of('outer and inner', [2, 3, 2], ints(0, 2)),
      of('everything', [2, 3, 2], ints(2, 0, 1)),
      of('no axes', [2, 3], ints()),
      of('a scalar', [], ints()),
      large('long rows', [3, 300], ints(1)),
      large('odd long rows', [5, 2111], ints(1)),
      large('a long vector', [8192], ints(0)),
      large('many rows for few columns', [301, 4], ints(0)),
      large('channels of images', [3, 4, 70], ints(0, 2)),
      ...more,
    ],
    shapes: SHAPES,
    errors: ERRORS,
  };
}

function integer(name: string, low: number, high: number, axes: SampleInput): Sample {
  return { name, inputs: [wholeNumbers([3, 7], low, high), axes] };
}

/** The result of reducing nothing, per row. */
const EMPTY: Sample = {
  name: 'rows without elements',
  inputs: [{ value: [], dtype: 'float32', shape: [2, 0] }, ints(1)],
  skipGradient: 'there are no elements',
};

const WRAPPING: Sample = {
  name: 'int32 wraps around',
  inputs: [
    {
      value: [
        [2147483647, 3],
        [65537, 65539],
      ],
      dtype: 'int32',
    },
    ints(1),
  ],
};

function logical(): OpSamples {
  const flags = (shape: readonly number[], share: number): SampleInput => ({
    value: [
      ...new Random(3).array(
        shape.reduce((a, b) => a * b, 1),
        0,
        1,
      ),
    ].map((x) => x < share),
    dtype: 'bool',
    shape,
  });
  return {
    samples: [
      { name: 'rows', inputs: [flags([4, 5], 0.3), ints(1)] },
      { name: 'mostly true', inputs: [flags([4, 5], 0.9), ints(0)] },
      { name: 'long rows', inputs: [flags([6, 260], 0.995), ints(1)] },
      { name: 'rarely true', inputs: [flags([6, 260], 0.005), ints(1)], attrs: { keep_dims: true } },
      { name: 'everything', inputs: [flags([2, 3], 0.5), ints(0, 1)] },
      { name: 'empty', inputs: [{ value: [], dtype: 'bool', shape: [2, 0] }, ints(1)] },
    ],
    shapes: SHAPES.map((shape) => ({ ...shape, dtypes: ['bool'] as const })),
    errors: ERRORS.map((error) => ({ ...error, dtypes: ['bool'] as const })),
  };
}

const AXIS_ERRORS: readonly ErrorCase[] = [
  { inputs: '[2,3];[]', constants: { 1: -3 }, message: /axis -3 is out of range \[-2, 2\)/ },
  { inputs: '[2,3];[1]', message: /the axis must be a scalar, got shape \[1\]/ },
];

/** A vector of `rest` but for the elements given by position. */
function sparse(length: number, elements: Readonly<Record<number, number>>, rest = 0): number[] {
  return Array.from({ length }, (_, i) => elements[i] ?? rest);
}

function arg(): OpSamples {
  return {
    samples: [
      { name: 'rows', inputs: [numbers([3, 5]), axis(1)] },
      { name: 'columns', inputs: [numbers([5, 3]), axis(0)], attrs: { output_type: 'int32' } },
      { name: 'middle', inputs: [numbers([2, 4, 3]), axis(-2)] },
      {
        name: 'first of equals',
        inputs: [
          [
            [1, 3, 3],
            [2, 2, 2],
            [-1, -1, -2],
          ],
          axis(1),
        ],
      },
      { name: 'int32', inputs: [wholeNumbers([4, 6], -9, 9), axis(1)] },
      { name: 'long rows', inputs: [numbers([3, 700]), axis(1)] },
      { name: 'long columns', inputs: [numbers([600, 3]), axis(0)], attrs: { output_type: 'int32' } },
      { name: 'a long vector', inputs: [numbers([9000]), axis(0)] },
      { name: 'many equals in long lines', inputs: [wholeNumbers([2, 900, 2], -3, 3), axis(1)] },
      {
        name: 'equals and NaN in long lines',
        inputs: [{ value: sparse(300, { 70: NaN, 131: 5, 132: 5, 250: 5, 260: -5, 261: -5 }) }, axis(0)],
      },
      { name: 'nothing but NaN in a long line', inputs: [{ value: sparse(200, {}, NaN) }, axis(0)] },
      {
        name: 'NaN is never chosen',
        inputs: [
          [
            [NaN, 1, 2],
            [1, NaN, 0],
            [NaN, NaN, NaN],
          ],
          axis(1),
        ],
      },
    ],
    shapes: [
      { inputs: '[2,?,3];[]', outputs: '[2,3]', constants: { 1: 1 } },
      { inputs: '[2,?,3];[]', outputs: '[?,?]' },
      { inputs: '?;[]', outputs: '?', constants: { 1: 0 } },
    ],
    errors: [
      ...AXIS_ERRORS,
      { inputs: '[];[]', constants: { 1: 0 }, message: /axis 0 is out of range|a scalar has no axis/ },
      { inputs: '[2,0];[]', constants: { 1: 1 }, message: /axis 1 of shape \[2,0\] has no elements/ },
    ],
  };
}

/** Samples of a running combination of elements in `[low, high)`. */
function scan(low: number, high: number, ...more: Sample[]): OpSamples {
  const of = (
    name: string,
    shape: readonly number[],
    along: number,
    attrs: Sample['attrs'] = {},
  ): Sample => ({
    name,
    inputs: [numbers(shape, low, high), axis(along)],
    attrs,
  });
  const large = (name: string, shape: readonly number[], along: number, attrs?: Sample['attrs']): Sample => ({
    ...of(name, shape, along, attrs),
    tolerance: { rtol: 2e-5, atol: 1e-4 },
    skipGradient: LARGE,
  });
  return {
    samples: [
      of('a vector', [6], 0),
      of('columns', [4, 3], 0),
      of('rows from the end', [2, 5], -1, { reverse: true }),
      of('exclusive', [2, 4], 1, { exclusive: true }),
      of('exclusive from the end', [2, 3, 2], 1, { exclusive: true, reverse: true }),
      large('long rows', [3, 301], 1),
      large('long columns from the end', [130, 3], 0, { reverse: true }),
      large('long lines, exclusive', [2, 200, 2], 1, { exclusive: true }),
      large('a long vector, exclusive from the end', [3000], 0, { exclusive: true, reverse: true }),
      {
        name: 'empty',
        inputs: [{ value: [], dtype: 'float32', shape: [0, 2] }, axis(0)],
        skipGradient: 'no elements',
      },
      ...more,
    ],
    shapes: [
      { inputs: '[2,?];[]', outputs: '[2,?]', constants: { 1: 1 } },
      { inputs: '?;[]', outputs: '?' },
    ],
    errors: AXIS_ERRORS,
  };
}

const SCANNED_INTS: Sample = { name: 'int32', inputs: [wholeNumbers([3, 4], -9, 9), axis(1)] };

const LOGARITHMS: Sample = {
  name: 'far apart, infinities and NaN',
  inputs: [
    [
      [-200, 0, 200, 100, 0],
      [-Infinity, -1e30, 3, 3e38, -3e38],
      [1, Infinity, 2, -Infinity, 0],
      [0, 1, NaN, 2, Infinity],
    ],
    axis(1),
  ],
  skipGradient: 'infinities and NaN',
};

export const REDUCTION_SAMPLES = {
  Sum: reduction(-2, 2, EMPTY, WRAPPING, integer('int32', -99, 99, ints(0))),
  Mean: reduction(-2, 2, EMPTY, integer('int32 truncates', -99, 99, ints(1))),
  Prod: reduction(0.9, 1.1, EMPTY, WRAPPING, integer('int32', -5, 5, ints(1)), {
    name: 'zeros',
    inputs: [
      [
        [2, 0, 3],
        [0, 0, 5],
        [1, 2, 4],
      ],
      ints(1),
    ],
  }),
  Max: reduction(-2, 2, EMPTY, integer('int32', -99, 99, ints(1)), {
    name: 'NaN wins',
    inputs: [
      [
        [1, NaN, 2],
        [-Infinity, -Infinity, -Infinity],
      ],
      ints(1),
    ],
    skipGradient: 'NaN',
  }),
  Min: reduction(-2, 2, EMPTY, integer('int32', -99, 99, ints(0))),
  EuclideanNorm: reduction(0.5, 2, EMPTY, integer('int32', -99, 99, ints(1))),
  Any: logical(),
  All: logical(),
  ArgMax: arg(),
  ArgMin: arg(),
  Cumsum: scan(-0.5, 1.5, SCANNED_INTS),
  Cumprod: scan(0.9, 1.1, SCANNED_INTS),
  CumulativeLogsumexp: scan(-3, 3, LOGARITHMS),
} satisfies FamilySamples;
