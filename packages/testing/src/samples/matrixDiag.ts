/** Samples of diagonals, bands and cross products. */
import { Random } from '../random.js';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';

function floats(shape: readonly number[], seed = 1): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}
const int = (value: number | readonly number[]): SampleInput => ({
  value: typeof value === 'number' ? value : [...value],
  dtype: 'int32',
});
const ints = (shape: readonly number[]): SampleInput => ({
  shape,
  value: Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, (_, i) => i + 1),
  dtype: 'int32',
});

const ALIGNS = ['LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT'];
/** A sample for every alignment. */
function aligned(samples: readonly Sample[]): Sample[] {
  return samples.flatMap((sample) =>
    ALIGNS.map((align) => ({ ...sample, name: `${sample.name} ${align}`, attrs: { align } })),
  );
}

type Band = number | readonly [number, number];

function diag(shape: readonly number[], k: Band, rows = -1, columns = -1, padding = 0): Sample {
  const name = `[${shape.join()}] k=${[k].flat().join('..')} in [${rows},${columns}] padding ${padding}`;
  return { name, inputs: [floats(shape), int(k), int(rows), int(columns), padding], gradientInputs: [0] };
}

const diags: readonly Sample[] = [
  diag([3], 0),
  diag([2, 3], 1),
  diag([2], -2, 4, 5, 7.5),
  diag([3], 2, 3, 5),
  diag([2, 3, 3], [-1, 1]),
  diag([4, 3], [-2, 1], 3, 4, -1),
  diag([3, 2], [1, 3], 2, 5),
  diag([0, 2], 0),
];

function part(shape: readonly number[], k: Band, padding = 0): Sample {
  return {
    name: `[${shape.join()}] k=${[k].flat().join('..')} padding ${padding}`,
    inputs: [floats(shape), int(k), padding],
    gradientInputs: [0],
  };
}

const parts: readonly Sample[] = [
  part([3, 3], 0),
  part([2, 3, 5], 2),
  part([5, 3], -3, 1),
  part([2, 3, 4], [-1, 2], 9),
  part([4, 3], [-3, -1]),
  part([1, 3, 2], [-2, 1]),
  part([0, 3, 2], [-1, 1]),
];

function setDiag(shape: readonly number[], diagonal: readonly number[], k: Band): Sample {
  return {
    name: `[${shape.join()}] k=${[k].flat().join('..')}`,
    inputs: [floats(shape, 1), floats(diagonal, 2), int(k)],
  };
}

const sets: readonly Sample[] = [
  setDiag([3, 3], [3], 0),
  setDiag([2, 3, 5], [2, 3], 2),
  setDiag([2, 3, 4], [2, 4, 3], [-1, 2]),
  setDiag([4, 3], [3, 3], [-3, -1]),
];

const DIAG_DTYPES = ['float32', 'int32', 'int32', 'int32', 'float32'] as const;
const PART_DTYPES = ['float32', 'int32', 'float32'] as const;
const SET_DTYPES = ['float32', 'float32', 'int32'] as const;

function diagSamples(samples: readonly Sample[]): OpSamples {
  const constants = { 1: [-1, 1], 2: -1, 3: -1 };
  return {
    samples,
    shapes: [
      { inputs: '[?,3,4];[2];[];[];[]', outputs: '[?,4,4]', dtypes: DIAG_DTYPES, constants },
      { inputs: '[3];[];[];[];[]', outputs: '[3,5]', dtypes: DIAG_DTYPES, constants: { 1: 2, 2: 3, 3: 5 } },
      { inputs: '[?];[];[];[];[]', outputs: '[?,?]', dtypes: DIAG_DTYPES, constants: { 1: 2, 2: -1, 3: -1 } },
      { inputs: '[3];[];[];[];[]', outputs: '?', dtypes: DIAG_DTYPES },
      { inputs: '?;[];[];[];[]', outputs: '?', dtypes: DIAG_DTYPES, constants: { 1: 0, 2: -1, 3: -1 } },
    ],
    errors: [
      {
        inputs: '[2,4];[2];[];[];[]',
        dtypes: DIAG_DTYPES,
        constants,
        message: /k asks for 3 diagonals, diagonal has 2/,
      },
      {
        inputs: '[3];[];[];[];[]',
        dtypes: DIAG_DTYPES,
        constants: { 1: 0, 2: 4, 3: 5 },
        message: /diagonals that need 3 rows and 3 columns do not fit \[4,5\]/,
      },
      {
        inputs: '[3,3];[2];[];[];[]',
        dtypes: DIAG_DTYPES,
        constants: { 1: [1, -1], 2: -1, 3: -1 },
        message: /the lower diagonal 1 must not be above the upper one, -1/,
      },
    ],
  };
}

function partSamples(samples: readonly Sample[]): OpSamples {
  return {
    samples,
    shapes: [
      { inputs: '[?,3,4];[2];[]', outputs: '[?,3,3]', dtypes: PART_DTYPES, constants: { 1: [-1, 1] } },
      { inputs: '[?,4];[];[]', outputs: '[?]', dtypes: PART_DTYPES, constants: { 1: 1 } },
      { inputs: '[3,4];[];[]', outputs: '?', dtypes: PART_DTYPES },
    ],
    errors: [
      {
        inputs: '[3,4];[];[]',
        dtypes: PART_DTYPES,
        constants: { 1: 4 },
        message: /there is no diagonal 4 in matrices of shape \[3,4\]/,
      },
      {
        inputs: '[3];[];[]',
        dtypes: PART_DTYPES,
        message: /input must have rank 2 or more, got shape \[3\]/,
      },
    ],
  };
}

function setSamples(samples: readonly Sample[]): OpSamples {
  return {
    samples,
    shapes: [
      { inputs: '[?,3,4];[?,3,3];[2]', outputs: '[?,3,4]', dtypes: SET_DTYPES, constants: { 2: [-1, 1] } },
    ],
    errors: [
      {
        inputs: '[3,4];[4];[]',
        dtypes: SET_DTYPES,
        constants: { 2: 0 },
        message: /diagonal must have shape \[3\] for input \[3,4\], got \[4\]/,
      },
    ],
  };
}

const withoutK = ({ name, inputs: [x] }: Sample): Sample => ({ name, inputs: x === undefined ? [] : [x] });

function bandPart(shape: readonly number[], lower: number, upper: number): Sample {
  return {
    name: `[${shape.join()}] ${lower}, ${upper}`,
    inputs: [floats(shape), int(lower), int(upper)],
    attrs: { Tindex: 'int32' },
  };
}

export const MATRIX_DIAG_SAMPLES = {
  MatrixDiag: {
    samples: [
      { name: 'one', inputs: [floats([3])] },
      { name: 'batch', inputs: [floats([2, 1, 4])] },
      { name: 'empty', inputs: [floats([2, 0])] },
      { name: 'bools', inputs: [[true, false, true]] },
      { name: 'ints', inputs: [ints([2, 2])] },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[?,3,3]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [{ inputs: '[]', message: /diagonal must have rank 1 or more, got shape \[\]/ }],
  },
  MatrixDiagV2: diagSamples(diags),
  MatrixDiagV3: diagSamples(aligned(diags)),
  MatrixDiagPart: {
    samples: [
      ...[part([3, 3], 0), part([2, 3, 5], 0), part([5, 3], 0), part([0, 3], 0)].map(withoutK),
      { name: 'ints', inputs: [ints([2, 2])] },
    ],
    shapes: [
      { inputs: '[?,3,4]', outputs: '[?,3]' },
      { inputs: '[?,4]', outputs: '[?]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [{ inputs: '[3]', message: /input must have rank 2 or more, got shape \[3\]/ }],
  },
  MatrixDiagPartV2: partSamples(parts),
  MatrixDiagPartV3: partSamples(aligned(parts)),
  MatrixSetDiag: {
    samples: [
      { name: 'square', inputs: [floats([3, 3], 1), floats([3], 2)] },
      { name: 'wide', inputs: [floats([2, 3, 5], 1), floats([2, 3], 2)] },
      { name: 'tall', inputs: [floats([4, 2], 1), floats([2], 2)] },
      { name: 'ints', inputs: [ints([2, 2]), ints([2])] },
    ],
    shapes: [
      { inputs: '[?,3,4];[?,3]', outputs: '[?,3,4]' },
      { inputs: '?;[3]', outputs: '?' },
    ],
    errors: [{ inputs: '[3,4];[4]', message: /diagonal must have shape \[3\] for input \[3,4\], got \[4\]/ }],
  },
  MatrixSetDiagV2: setSamples(sets),
  MatrixSetDiagV3: setSamples(aligned(sets)),
  MatrixBandPart: {
    samples: [
      bandPart([4, 4], 1, 1),
      bandPart([4, 4], -1, 0),
      bandPart([2, 3, 5], 0, -1),
      bandPart([5, 3], 2, 0),
      bandPart([2, 0], 0, 0),
      { name: 'long', inputs: [ints([3, 3]), { value: 0, dtype: 'int64' }, { value: 1, dtype: 'int64' }] },
    ],
    shapes: [
      { inputs: '[?,3,4];[];[]', outputs: '[?,3,4]', dtypes: ['float32', 'int64', 'int64'] },
      { inputs: '?;[];[]', outputs: '?', dtypes: ['float32', 'int64', 'int64'] },
    ],
    errors: [
      {
        inputs: '[3];[];[]',
        dtypes: ['float32', 'int64', 'int64'],
        message: /input must have rank 2 or more, got shape \[3\]/,
      },
      {
        inputs: '[3,3];[1];[]',
        dtypes: ['float32', 'int64', 'int64'],
        message: /num_lower must be a scalar, got shape \[1\]/,
      },
    ],
  },
  Diag: {
    samples: [
      { name: 'vector', inputs: [floats([3])] },
      { name: 'matrix', inputs: [floats([2, 3])] },
      { name: 'empty', inputs: [floats([0])] },
      { name: 'ints', inputs: [ints([3])] },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[?,3,?,3]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [{ inputs: '[]', message: /diagonal must have rank 1 or more/ }],
  },
  DiagPart: {
    samples: [
      { name: 'matrix', inputs: [floats([3, 3])] },
      { name: 'rank 4', inputs: [floats([2, 3, 2, 3])] },
    ],
    shapes: [
      { inputs: '[?,3,2,?]', outputs: '[2,3]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [
      { inputs: '[3]', message: /input must have an even rank above 0, got shape \[3\]/ },
      { inputs: '[2,3]', message: /the first half of the dimensions must equal the second, got \[2,3\]/ },
    ],
  },
  Cross: {
    samples: [
      { name: 'vector', inputs: [floats([3], 1), floats([3], 2)] },
      { name: 'rows', inputs: [floats([2, 5, 3], 1), floats([2, 5, 3], 2)] },
      { name: 'ints', inputs: [ints([2, 3]), ints([2, 3])] },
    ],
    shapes: [
      { inputs: '[?,3];[2,?]', outputs: '[2,3]' },
      { inputs: '?;[2,3]', outputs: '[2,3]' },
    ],
    errors: [
      { inputs: '[2,3];[3]', message: /a and b must have one shape, got \[2,3\] and \[3\]/ },
      { inputs: '[2];[2]', message: /the last dimension must be 3, got shape \[2\]/ },
    ],
  },
} satisfies FamilySamples;
