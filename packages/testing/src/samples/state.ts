/** Samples of resource variables and assignments, saving and restoring. */
import { SLICE_ASSIGNMENTS } from './arraySlice.js';
import { byReference } from './byReference.js';
import { STATE_CASES } from './stateCases.js';
import type { FamilySamples, OpSamples, Sample } from '../sample.js';

const SAMPLES: readonly Sample[] = [
  {
    name: 'matrix',
    inputs: [
      [
        [1, -2, 3],
        [4, 5, 6],
      ],
      [
        [0.5, 2, -3],
        [10, 0, 7],
      ],
    ],
  },
  {
    name: 'vectorized',
    inputs: [
      [1, 2, 3, 4, 5, 6, 7, 8],
      [8, 7, 6, 5, 4, 3, 2, 1],
    ],
  },
  {
    name: 'scalar int64',
    inputs: [
      { value: 41, dtype: 'int64' },
      { value: 1, dtype: 'int64' },
    ],
  },
  {
    name: 'empty',
    inputs: [
      { value: [], shape: [0, 3] },
      { value: [], shape: [0, 3] },
    ],
  },
];

function assignment(...more: Sample[]): OpSamples {
  const samples = [...SAMPLES, ...more].map((sample) => {
    const [first] = sample.inputs;
    const dtype =
      typeof first === 'object' && !Array.isArray(first) && 'dtype' in first ? first.dtype : 'float32';
    return { ...sample, attrs: { dtype } };
  });
  return {
    samples,
    shapes: [
      { inputs: '[2,3];[?,3]', outputs: '', attrs: { dtype: 'float32' } },
      { inputs: '[2,?];?', outputs: '', attrs: { dtype: 'float32' } },
    ],
    errors: [
      {
        inputs: '[2,3];[3,2]',
        attrs: { dtype: 'float32' },
        message: /"node": the value has shape \[3,2\], the variable has \[2,3\]/,
      },
      {
        inputs: '[2];[2]',
        attrs: { dtype: 'int32' },
        dtypes: ['float32', 'int32'],
        message: /the variable is float32, attribute "dtype" says int32/,
      },
    ],
  };
}

const FLOATS = { T: 'float32' };

/** Ops that reference variables have too. */
const UPDATES = {
  ResourceStridedSliceAssign: {
    samples: SLICE_ASSIGNMENTS,
    shapes: [
      { inputs: '[4,3];[1];[1];[1];[?,3]', outputs: '', attrs: FLOATS },
      { inputs: '[4,3];[?];[?];[?];?', outputs: '', attrs: FLOATS },
    ],
    errors: [
      {
        inputs: '[4,3];[1];[1];[1];[3,3]',
        dtypes: ['float32', 'int32', 'int32', 'int32', 'float32'],
        constants: { 1: [0], 2: [2], 3: [1] },
        attrs: FLOATS,
        message: /the value has shape \[3,3\], the part of the variable \[2,3\]/,
      },
      {
        inputs: '[4,3];[1];[2];[1];[3,3]',
        dtypes: ['float32', 'int32', 'int32', 'int32', 'float32'],
        attrs: FLOATS,
        message: /begin, end and strides have 1, 2, 1 elements/,
      },
      {
        inputs: '[4];[1];[1];[1];[1]',
        dtypes: ['float32', 'int32', 'int32', 'int32', 'int32'],
        attrs: { T: 'int32' },
        message: /the variable is float32, attribute "T" says int32/,
      },
    ],
  },
  ResourceCountUpTo: {
    samples: [
      { name: 'below the limit', inputs: [{ value: 3, dtype: 'int32' }], attrs: { limit: 5, T: 'int32' } },
      { name: 'int64', inputs: [{ value: -2, dtype: 'int64' }], attrs: { limit: 0, T: 'int64' } },
    ],
    shapes: [{ inputs: '?', outputs: '[]', dtypes: ['int32'], attrs: { limit: 3, T: 'int32' } }],
    errors: [
      {
        inputs: '[2]',
        dtypes: ['int32'],
        attrs: { limit: 3, T: 'int32' },
        message: /the variable must be a scalar, it has shape \[2\]/,
      },
      {
        inputs: '[]',
        dtypes: ['int64'],
        attrs: { limit: 3, T: 'int32' },
        message: /the variable is int64, attribute "T" says int32/,
      },
    ],
  },
  AssignVariableOp: assignment({
    name: 'bool',
    inputs: [{ value: [true, false, false] }, { value: [false, true, false] }].map((x) => ({
      ...x,
      dtype: 'bool' as const,
    })),
  }),
  AssignAddVariableOp: assignment({
    name: 'uint8',
    inputs: [
      { value: [250, 1], dtype: 'uint8' },
      { value: [5, 2], dtype: 'uint8' },
    ],
  }),
  AssignSubVariableOp: assignment({
    name: 'int32',
    inputs: [
      { value: [3, 1, 5], dtype: 'int32' },
      { value: [5, -2, 5], dtype: 'int32' },
    ],
  }),
} satisfies FamilySamples;

const asResource = <K extends keyof typeof UPDATES>(type: K) => [type, UPDATES[type]] as const;

/** Both shapes are of one tensor: of what is merged the more is known. */
const first = ([variable = '?']: readonly string[]): string => variable;
const merged = (inputs: readonly string[]): string =>
  inputs[0]?.includes('?') === true && inputs[1] === '?' ? first(inputs) : '[2,3]';

export const STATE_SAMPLES = {
  ...UPDATES,
  ...STATE_CASES,
  VariableShape: {
    samples: [
      { name: 'a matrix', inputs: [[[1, 2, 3]]] },
      { name: 'a scalar, as int64', inputs: [1], attrs: { out_type: 'int64' } },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[2]' },
      { inputs: '?', outputs: '[?]' },
    ],
    errors: [{ inputs: '[2]', attrs: { out_type: 'float32' }, message: /must be one of int32, int64/ }],
  },
  StridedSliceAssign: byReference('StridedSliceAssign', asResource('ResourceStridedSliceAssign')),
  CountUpTo: byReference('CountUpTo', asResource('ResourceCountUpTo'), () => '[]'),
  Assign: byReference('Assign', asResource('AssignVariableOp'), merged),
  AssignAdd: byReference('AssignAdd', asResource('AssignAddVariableOp'), merged),
  AssignSub: byReference('AssignSub', asResource('AssignSubVariableOp'), merged),
} satisfies FamilySamples;
