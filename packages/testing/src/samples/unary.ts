/** Samples of the elementwise ops of one operand. */
import type { DType } from '@forerun/graph';
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';

const REJECTS_STRINGS = {
  inputs: '[2]',
  dtypes: ['string'],
  message: /must be one of (float32|int32|int8)|must be bool/,
} as const;

/** Samples of a unary op: the shape rules are the same for all of them. */
function unary(...samples: Sample[]): OpSamples {
  return {
    samples,
    shapes: [
      { inputs: '[1,?]', outputs: '[1,?]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [REJECTS_STRINGS],
  };
}

/** As `unary`, for inputs of another dtype. */
function unaryOf(dtype: DType, ...samples: Sample[]): OpSamples {
  return {
    samples,
    shapes: [{ inputs: '[1,?]', outputs: '[1,?]', dtypes: [dtype] }],
    errors: [REJECTS_STRINGS],
  };
}

/** Samples of a gradient helper: two operands of one shape. */
function helper(...samples: Sample[]): OpSamples {
  return {
    samples,
    shapes: [{ inputs: '[1,?];[1,3]', outputs: '[1,3]' }],
    errors: [{ inputs: '[2];[2]', dtypes: ['string', 'string'], message: /must be one of/ }],
  };
}

/** As `helper`, for the ops that say themselves that both shapes must agree. */
function activationHelper(...samples: Sample[]): OpSamples {
  const mismatch = { inputs: '[2];[3]', message: /differ in shape: \[2\] and \[3\]/ };
  return { ...helper(...samples), errors: [mismatch] };
}

const ints = (...value: number[]): SampleInput => ({ value, dtype: 'int32' });
const floats = (name: string, ...values: number[]): Sample => ({ name, inputs: [values] });
/** Elements at kinks, or NaN and infinities: only the kernel is compared. */
const edges = (name: string, skipGradient: string, ...values: number[]): Sample => ({
  name,
  inputs: [values],
  skipGradient,
});
const LIMITS = 'NaN, infinities or the edge of the domain';
const MIXED = [-3.25, -1.5, -0.5, -0.01, 0.02, 0.75, 1.25, 2.5];
const mixed: Sample = { name: 'both signs', inputs: [MIXED] };
const matrix: Sample = {
  name: 'odd matrix',
  inputs: [
    [
      [0.5, -1.25, 2],
      [-0.75, 0.3, 1.1],
      [0.9, -2.2, 0.05],
    ],
  ],
};
const special = edges('not finite', LIMITS, NaN, Infinity, -Infinity);
const gradients = [0.5, -1, 2, 0.25, -3, 1.5];
const activations = [-2, -0.5, 0.25, 1.5, 4, 7];

const reciprocal = unary(floats('away from zero', -4, -0.5, 0.25, 3), edges('zero', LIMITS, 0));
const reciprocalGrad = helper({
  name: 'both',
  inputs: [
    [-2, 0.5, 4],
    [1, -3, 0.5],
  ],
});
const rounding = unary(
  edges('halves', 'piecewise constant', -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.3, -0.7, 8388609, 1e10),
);
const predicate = unary(edges('all kinds', 'bool', NaN, Infinity, -Infinity, 0, 1, 3.4e38, -1e-40));

function castTo(name: string, from: DType, to: DType, value: readonly (number | boolean)[]): Sample {
  return { name, inputs: [{ value, dtype: from }], attrs: { SrcT: from, DstT: to } };
}

export const UNARY_SAMPLES = {
  Neg: unary(mixed, { name: 'ints wrap', inputs: [ints(5, -7, 0, -2147483648)] }),
  Abs: unary(mixed, { name: 'ints', inputs: [ints(5, -7, 0)] }, special),
  Sign: unary(mixed, edges('zero and NaN', LIMITS, 0, NaN, Infinity), {
    name: 'ints',
    inputs: [ints(5, -7, 0)],
  }),
  Reciprocal: reciprocal,
  Inv: reciprocal,
  ReciprocalGrad: reciprocalGrad,
  InvGrad: reciprocalGrad,
  Square: unary(mixed, matrix, { name: 'ints wrap', inputs: [ints(5, -7, 70000)] }),
  Floor: rounding,
  Ceil: rounding,
  Round: { ...rounding, samples: [...rounding.samples, { name: 'ints', inputs: [ints(5, -7, 0)] }] },
  Rint: rounding,
  IsNan: predicate,
  IsInf: predicate,
  IsFinite: predicate,
  LogicalNot: unaryOf('bool', { name: 'both', inputs: [[true, false, true]] }),
  Invert: unaryOf(
    'int32',
    { name: 'ints', inputs: [ints(0, -1, 12345)] },
    { name: 'bytes', inputs: [{ value: [0, 255, 7], dtype: 'uint8' }] },
    { name: 'signed bytes', inputs: [{ value: [0, -128, 7], dtype: 'int8' }] },
  ),
  Cast: {
    samples: [
      castTo('float to int', 'float32', 'int32', [-2.7, -0.5, 0, 0.99, 3.5, 3e9, -3e9, NaN]),
      castTo('float to bool', 'float32', 'bool', [-2.7, 0, 1e-30, NaN]),
      castTo('float to uint8', 'float32', 'uint8', [0, 1.9, 255, 257]),
      castTo('float to uint32', 'float32', 'uint32', [0, 1.9, 3e9, 5e9]),
      castTo('int to float', 'int32', 'float32', [16777217, -5, 0]),
      castTo('int to bool', 'int32', 'bool', [-1, 0, 7]),
      castTo('int to uint8', 'int32', 'uint8', [-1, 300, 7]),
      castTo('int to int8', 'int32', 'int8', [-129, 200, 7]),
      castTo('int to int64', 'int32', 'int64', [-129, 200, 7]),
      castTo('bool to float', 'bool', 'float32', [true, false]),
      castTo('bool to int', 'bool', 'int32', [true, false]),
      castTo('uint8 to float', 'uint8', 'float32', [0, 255]),
      castTo('uint32 to int', 'uint32', 'int32', [4294967295, 7]),
    ],
    shapes: [{ inputs: '[1,?]', outputs: '[1,?]', attrs: { DstT: 'int32' } }],
    errors: [{ inputs: '[2]', message: /attribute "DstT" is missing/ }],
  },
  Exp: unary(mixed, edges('limits', LIMITS, -200, 89, NaN, Infinity, -Infinity, 80)),
  Expm1: unary(mixed, floats('tiny', 1e-6, -1e-5, 0.2, -0.3), edges('limits', LIMITS, -200, 89, NaN)),
  Log: unary(floats('positive', 0.01, 0.5, 1.5, 20, 3e5), edges('limits', LIMITS, 0, -1, NaN, Infinity, 1)),
  Log1p: unary(floats('from -1', -0.9, -0.2, 1e-6, 0.5, 30), edges('limits', LIMITS, -1, -2, NaN, Infinity)),
  Sin: unary(
    mixed,
    matrix,
    edges('large', 'differences are too coarse', 30.25, -100, 12345.678, 1e6, 3e10, 1e30),
    special,
  ),
  Cos: unary(
    mixed,
    matrix,
    edges('large', 'differences are too coarse', 30.25, -100, 12345.678, 1e6, 3e10, 1e30),
    special,
  ),
  Tan: unary(floats('between poles', -1.2, -0.3, 0.4, 1.1, 2.5), edges('large', 'coarse', 30.25, -100, 1e6)),
  Asin: unary(floats('inside', -0.9, -0.4, 0.1, 0.7), edges('limits', LIMITS, -1, 1, 2, NaN, 0)),
  Acos: unary(floats('inside', -0.9, -0.4, 0.1, 0.7), edges('limits', LIMITS, -1, 1, 2, NaN, 0, 0.9999999)),
  Atan: unary(mixed, edges('limits', LIMITS, 1e20, -1e20, NaN, Infinity, 0)),
  Sinh: unary(mixed, edges('limits', LIMITS, 80, -89.2, 100, NaN)),
  Cosh: unary(mixed, edges('limits', LIMITS, 80, -89.2, 100, NaN)),
  Tanh: unary(mixed, floats('tiny', 1e-5, -3e-4, 0.05), edges('limits', LIMITS, 100, -100, NaN, Infinity)),
  TanhGrad: helper({
    name: 'both',
    inputs: [
      [-0.5, 0.25, 0.9],
      [1, -3, 0.5],
    ],
  }),
  Asinh: unary(mixed, edges('limits', LIMITS, 1e10, -1e20, NaN, 1e-7)),
  Acosh: unary(floats('above 1', 1.3, 1.5, 20, 300), edges('limits', LIMITS, 1, 0.5, 1e20, NaN)),
  Atanh: unary(floats('inside', -0.9, -0.2, 0.1, 0.7), edges('limits', LIMITS, 1, -1, 2, NaN, 1e-7)),
  Sqrt: unary(floats('positive', 0.25, 1, 2, 9, 1e6), edges('limits', LIMITS, 0, -1, NaN, Infinity, 1e-30)),
  SqrtGrad: helper({
    name: 'both',
    inputs: [
      [0.5, 2, 4],
      [1, -3, 0.5],
    ],
  }),
  Rsqrt: unary(floats('positive', 0.25, 1, 2, 9, 100), edges('limits', LIMITS, 0, -1, NaN)),
  RsqrtGrad: helper({
    name: 'both',
    inputs: [
      [0.5, 2, 4],
      [1, -3, 0.5],
    ],
  }),
  Sigmoid: unary(mixed, edges('limits', LIMITS, 200, -200, NaN, Infinity)),
  SigmoidGrad: helper({
    name: 'both',
    inputs: [
      [0.5, 0.25, 0.9],
      [1, -3, 0.5],
    ],
  }),
  Erf: unary(mixed, edges('limits', LIMITS, 0, 9, -9, NaN, 1e-6)),
  Erfc: unary(mixed, {
    ...edges('tail', LIMITS, 2.5, 4.5, 8, -8, NaN),
    tolerance: { rtol: 1e-4, atol: 1e-35 },
  }),
  Lgamma: unary(
    floats('positive', 0.01, 0.3, 0.7, 1.3, 1.8, 2.6, 5.5, 30),
    floats('negative', -0.4, -1.3, -3.7),
    edges('limits', LIMITS, 0, 1, 2, -1, -2, NaN, Infinity, -Infinity, 1e-20, 1e10, 7.99, 8, -200.5),
  ),
  Digamma: unary(
    floats('positive', 0.05, 0.3, 0.7, 1.3, 1.8, 2.6, 5.5, 30),
    floats('negative', -0.4, -1.3, -3.7, -0.1),
    edges('limits', LIMITS, -1, -2, NaN, Infinity, 1e-10, 1e10, -200.25, -1e-6),
  ),
  BesselI0e: unary(
    floats('near', -3.6, -1.5, -0.2, 0.3, 1, 2.5, 3.7),
    floats('far', -40, -8, 3.8, 5, 100, 1000),
    edges('limits', LIMITS, 0, -0, NaN, Infinity, -Infinity),
  ),
  BesselI1e: unary(
    floats('near', -3.6, -1.5, -0.2, 0.3, 1, 2.5, 3.7),
    floats('far', -40, -8, 3.8, 5, 100, 1000),
    edges('limits', LIMITS, 0, NaN, Infinity, -Infinity),
  ),
  Erfinv: unary(
    floats('inside', -0.8, -0.6, -0.1, 0.05, 0.5, 0.75),
    edges('limits', LIMITS, 0, 1, -1, 1.5, NaN, 1e-10, 0.97, -0.9, 0.9999, -0.99999, 0.9999999),
  ),
  Ndtri: unary(
    floats('inside', 0.03, 0.2, 0.45, 0.6, 0.8),
    edges('limits', LIMITS, 0, 1, 0.5, -1, 2, NaN, 1e-10, 1e-30, 0.9999, 0.0001, 3e-8),
  ),
  PopulationCount: unaryOf(
    'int32',
    { name: 'ints', inputs: [ints(0, -1, 12345, -2147483648)] },
    { name: 'bytes', inputs: [{ value: [0, 255, 7], dtype: 'uint8' }] },
    { name: 'signed bytes', inputs: [{ value: [-1, -128, 7], dtype: 'int8' }] },
    { name: 'int64', inputs: [{ value: [-1, 5, 2147483647], dtype: 'int64' }] },
  ),
  Relu: unary(mixed, matrix, { name: 'ints', inputs: [ints(5, -7, 0)] }, edges('NaN and 0', LIMITS, NaN, 0)),
  ReluGrad: activationHelper({ name: 'both signs', inputs: [gradients, activations] }),
  Relu6: unary(floats('all parts', -2, -0.5, 0.25, 3, 5.5, 7, 20)),
  Relu6Grad: activationHelper({ name: 'all parts', inputs: [gradients, activations] }),
  LeakyRelu: unary(mixed, { name: 'alpha', inputs: [MIXED], attrs: { alpha: 0.01 } }),
  LeakyReluGrad: activationHelper({ name: 'alpha', inputs: [gradients, activations], attrs: { alpha: 0.3 } }),
  Elu: unary(mixed, matrix, edges('far', LIMITS, -200, 200)),
  EluGrad: activationHelper({ name: 'both signs', inputs: [gradients, [-0.9, -0.5, 0.25, 1.5, 4, 7]] }),
  Selu: unary(mixed, matrix),
  SeluGrad: activationHelper({ name: 'both signs', inputs: [gradients, [-0.9, -0.5, 0.25, 1.5, 4, 7]] }),
  Softplus: unary(mixed, edges('far', LIMITS, -50, 90, 1000, NaN)),
  SoftplusGrad: activationHelper({ name: 'both signs', inputs: [gradients, activations] }),
  Softsign: unary(mixed, matrix),
  SoftsignGrad: activationHelper({ name: 'both signs', inputs: [gradients, activations] }),
} satisfies FamilySamples;
