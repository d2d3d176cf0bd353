/** Samples of the ops where values enter a graph or pass through it. */
import { TensorValue } from '@forerun/graph';
import type { FamilySamples } from '../sample.js';

const m22 = [
  [1, 2],
  [3, -4],
];
const tooMany = { inputs: '[2];[2]', message: /takes 1 inputs, 2 given/ };

export const SOURCE_SAMPLES = {
  Const: {
    samples: [
      {
        name: 'vector',
        inputs: [],
        attrs: { value: new TensorValue('float32', [2], Float32Array.of(1.5, -2)), dtype: 'float32' },
      },
      {
        name: 'integer',
        inputs: [],
        attrs: { value: new TensorValue('int32', [], Int32Array.of(7)), dtype: 'int32' },
      },
    ],
    shapes: [
      {
        inputs: '',
        attrs: { value: new TensorValue('float32', [1, 2], Float32Array.of(1, 2)), dtype: 'float32' },
        outputs: '[1,2]',
      },
    ],
    errors: [
      {
        inputs: '',
        attrs: { value: new TensorValue('int32', [], Int32Array.of(7)), dtype: 'float32' },
        message: /the value is int32, attribute "dtype" says float32/,
      },
    ],
  },
  HostConst: {
    samples: [
      {
        name: 'integers',
        inputs: [],
        attrs: { value: new TensorValue('int32', [3], Int32Array.of(7, -1, 2)), dtype: 'int32' },
      },
    ],
    shapes: [
      {
        inputs: '',
        attrs: { value: new TensorValue('float32', [1, 2], Float32Array.of(1, 2)), dtype: 'float32' },
        outputs: '[1,2]',
      },
    ],
    errors: [
      {
        inputs: '',
        attrs: { value: new TensorValue('int32', [], Int32Array.of(7)), dtype: 'float32' },
        message: /the value is int32, attribute "dtype" says float32/,
      },
    ],
  },
  Placeholder: {
    testedElsewhere: 'it has no value without a session: session/test/session.gpu.test.ts feeds placeholders',
    tolerance: 'exact',
    shapes: [
      { inputs: '', attrs: { dtype: 'float32', shape: [null, 3] }, outputs: '[?,3]' },
      { inputs: '', attrs: { dtype: 'int32' }, outputs: '?' },
    ],
    errors: [
      { inputs: '', attrs: { shape: [2] }, message: /attribute "dtype" is missing/ },
      {
        inputs: '',
        attrs: { dtype: 'float32', shape: 'wide' },
        message: /attribute "shape" must be of kind shape, got "wide"/,
      },
    ],
  },
  PlaceholderWithDefault: {
    samples: [{ name: 'default', inputs: [m22], attrs: { shape: [null, 2] } }],
    shapes: [
      { inputs: '[?,2]', attrs: { shape: [null, 2] }, outputs: '[?,2]' },
      { inputs: '[3,2]', attrs: { shape: [null, 2] }, outputs: '[?,2]' },
    ],
    errors: [
      {
        inputs: '[2,3]',
        attrs: { shape: [null, 2] },
        message: /the default has shape \[2,3\], attribute "shape" says \[\?,2\]/,
      },
    ],
  },
  Identity: {
    samples: [
      { name: 'matrix', inputs: [m22] },
      { name: 'bool', inputs: [[true, false]] },
    ],
    shapes: [{ inputs: '[1,?]', outputs: '[1,?]' }],
    errors: [tooMany],
  },
  IdentityN: {
    samples: [
      { name: 'floats', inputs: [m22, [1, 2, 3]] },
      { name: 'mixed', inputs: [m22, { value: [1, 2], dtype: 'int32' }] },
    ],
    shapes: [{ inputs: '[1,?];?', outputs: '[1,?];?' }],
    errors: [{ inputs: '', message: /attribute "T" must be at least 1, got 0/ }],
  },
  StopGradient: {
    samples: [{ name: 'matrix', inputs: [m22], skipGradient: 'it stops gradients on purpose' }],
    shapes: [{ inputs: '[1,?]', outputs: '[1,?]' }],
    errors: [tooMany],
  },
  NoOp: {
    samples: [{ name: 'nothing', inputs: [] }],
    shapes: [{ inputs: '', outputs: '' }],
    errors: [{ inputs: '[2]', message: /takes 0 inputs, 1 given/ }],
  },
} satisfies FamilySamples;
