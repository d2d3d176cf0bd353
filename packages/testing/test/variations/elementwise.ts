/** Variations of elementwise functions of one operand, of bitwise ops and of the older gradient ops. */
import type { DType, HostValue, OpName } from '@forerun/graph';
import type { Draw, Generator } from './draw.js';

/** Functions on an interval in which they are smooth, in places with values at its ends and beyond. */
function smooth(low: number, high: number, edges: readonly number[] = []): Generator {
  return (d) => {
    const x = d.floats(d.shape(0, 6), low, high);
    if (edges.length === 0 || d.chance(0.6)) return { inputs: [x], gradient: true };
    const data = x.data.map((value) =>
      d.chance(0.4) ? (edges[d.integer(0, edges.length - 1)] ?? 0) : value,
    );
    return { inputs: [{ ...x, data: Float64Array.from(data, Math.fround) }] };
  };
}

const INFINITE = [NaN, Infinity, -Infinity, 0, -0];
const EDGES = [...INFINITE, 1e30, -1e30, 1e-30, 88, -88, 104, -104];

/** Away from the kink at 0 in either direction. */
const kinked: Generator = (d) => {
  if (d.chance(0.6)) return { inputs: [d.nonzero(d.shape(0, 6), 0.1, 5)], gradient: true };
  return smooth(-8, 8, INFINITE)(d);
};

/** A step function: its gradient is not looked at. */
const flat: Generator = (d) => ({ ...smooth(-9, 9, INFINITE)(d), gradient: false });

/** Also of integers, as large as they get. */
function numeric(float: Generator, dtypes: readonly [DType, ...DType[]]): Generator {
  return (d) => (d.chance(0.5) ? float(d) : { inputs: [any(d, d.pick(dtypes), d.shape(0, 6))] });
}

const SIGNED: readonly [DType, ...DType[]] = ['int32', 'int64', 'int32'];
const ALL: readonly [DType, ...DType[]] = ['int32', 'int8', 'uint8', 'int16', 'uint16', 'int64', 'uint32'];

function bits(shift: boolean): Generator {
  return (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    const dtype = d.pick(ALL);
    const width = Number(/\d+/.exec(dtype)?.[0] ?? 32);
    return {
      inputs: [any(d, dtype, a), shift ? d.integers(b, 0, Math.min(width, 32) - 1, dtype) : any(d, dtype, b)],
    };
  };
}

/** Any integer that the device has: int64 within 32 bits. */
function any(d: Draw, dtype: DType, shape: readonly number[]): HostValue {
  const width = Number(/\d+/.exec(dtype)?.[0] ?? 32);
  const bitsKept = Math.min(width, 32);
  return dtype.startsWith('u')
    ? d.integers(shape, 0, 2 ** bitsKept - 1, dtype)
    : d.integers(shape, -(2 ** (bitsKept - 1)), 2 ** (bitsKept - 1) - 1, dtype);
}

/** Gradient ops take two operands of one shape. */
function pair(x: (d: Draw, shape: readonly number[]) => HostValue): Generator {
  return (d) => {
    const shape = d.shape(0, 5);
    return { inputs: [x(d, shape), d.floats(shape)], gradient: true };
  };
}

const clip: Generator = (d) => {
  const shape = d.shape(0, 4);
  const dtype = d.pick<DType>(['float32', 'float32', 'int32', 'uint8']);
  const x = d.of(dtype, shape);
  const bound = (value: number): HostValue => ({
    dtype,
    shape: d.chance(0.6) ? [] : shape,
    data: new Float64Array(1).fill(value),
  });
  const filled = (value: HostValue): HostValue => ({
    ...value,
    data: new Float64Array(value.shape.reduce((a, b) => a * b, 1)).fill(value.data[0] ?? 0),
  });
  const [low, high] = dtype === 'float32' ? [-0.7, 0.9] : [2, 40];
  return {
    inputs: [x, filled(bound(Math.fround(low))), filled(bound(Math.fround(high)))],
    gradient:
      dtype === 'float32' && x.data.every((v) => Math.abs(v + 0.7) > 0.02 && Math.abs(v - 0.9) > 0.02),
  };
};

const LOOSE = { rtol: 2e-5, atol: 2e-6 };
const loose =
  (generate: Generator): Generator =>
  (d) => ({ ...generate(d), tolerance: LOOSE });

export const ELEMENTWISE_VARIATIONS: Partial<Record<OpName, Generator>> = {
  Abs: numeric(kinked, SIGNED),
  Neg: numeric(smooth(-9, 9, EDGES), SIGNED),
  Sign: numeric((d) => ({ ...kinked(d), gradient: false }), SIGNED),
  Square: numeric(smooth(-9, 9, INFINITE), SIGNED),
  Reciprocal: smooth(0.3, 9, INFINITE),
  Inv: smooth(0.3, 9, INFINITE),
  Sqrt: smooth(0.1, 9, [...INFINITE, 1e30, -1]),
  Rsqrt: smooth(0.1, 9, [...INFINITE, 1e30, -1]),
  Exp: loose(smooth(-9, 9, EDGES)),
  Expm1: loose(smooth(-2, 2, EDGES)),
  Log: loose(smooth(0.1, 9, [...INFINITE, 1e30, 1e-30, -1])),
  Log1p: loose(smooth(-0.9, 9, [...INFINITE, 1e30, 1e-30, -1])),
  Sin: loose(smooth(-9, 9, [NaN, 1e4, -1e4, 0])),
  Cos: loose(smooth(-9, 9, [NaN, 1e4, -1e4, 0])),
  Tan: loose(smooth(-1.4, 1.4)),
  Asin: loose(smooth(-0.9, 0.9, [NaN, 1, -1, 0, 1.5])),
  Acos: loose(smooth(-0.9, 0.9, [NaN, 1, -1, 0, 1.5])),
  Atan: loose(smooth(-9, 9, EDGES)),
  Sinh: loose(smooth(-5, 5, [NaN, Infinity, -Infinity, 0])),
  Cosh: loose(smooth(-5, 5, [NaN, Infinity, -Infinity, 0])),
  Tanh: loose(smooth(-5, 5, EDGES)),
  Asinh: loose(smooth(-9, 9, EDGES)),
  Acosh: loose(smooth(1.1, 9, [NaN, Infinity, 1, 0.5, 1e30])),
  Atanh: loose(smooth(-0.9, 0.9, [NaN, 1, -1, 0, 1.5])),
  Sigmoid: loose(smooth(-9, 9, EDGES)),
  Softplus: loose(smooth(-9, 9, EDGES)),
  Softsign: loose(smooth(-9, 9, [NaN, 1e30, -1e30, 0])),
  Erf: loose(smooth(-3, 3, EDGES)),
  Erfc: loose(smooth(-3, 3, EDGES)),
  Lgamma: loose(smooth(0.5, 9, [NaN, Infinity, 1, 2])),
  Digamma: loose(smooth(0.5, 9, [NaN, Infinity, 1, 2])),
  Relu: numeric(kinked, ALL),
  Relu6: numeric((d) => ({ inputs: [d.nonzero(d.shape(0, 5), 0.1, 5.9)], gradient: true }), ALL),
  Elu: loose(kinked),
  Selu: loose(kinked),
  LeakyRelu: (d) => ({ ...kinked(d), attrs: d.chance(0.5) ? {} : { alpha: d.pick([0, 0.1, 1, 2, -0.5]) } }),
  Floor: flat,
  Ceil: flat,
  Round: numeric(
    (d) => ({
      inputs: [d.integers(d.shape(0, 5), -20, 20, 'float32')].map((x) => ({
        ...x,
        data: x.data.map((v) => v / 4),
      })),
    }),
    SIGNED,
  ),
  Rint: (d) => ({
    inputs: [d.integers(d.shape(0, 5), -20, 20, 'float32')].map((x) => ({
      ...x,
      data: x.data.map((v) => v / 4),
    })),
  }),
  IsNan: smooth(-9, 9, EDGES),
  IsInf: smooth(-9, 9, EDGES),
  IsFinite: smooth(-9, 9, EDGES),
  Invert: (d) => ({ inputs: [any(d, d.pick(ALL), d.shape(0, 5))] }),
  PopulationCount: (d) => ({
    inputs: [any(d, d.pick(['int32', 'int8', 'uint8', 'int16', 'uint16'] as const), d.shape(0, 5))],
  }),
  BitwiseAnd: bits(false),
  BitwiseOr: bits(false),
  BitwiseXor: bits(false),
  LeftShift: bits(true),
  RightShift: bits(true),
  LogicalNot: (d) => ({ inputs: [d.of('bool', d.shape(0, 6))] }),
  OnesLike: (d) => ({ inputs: [d.of(d.anyDType(), d.shape(0, 6))], gradient: true }),
  ZerosLike: (d) => ({ inputs: [d.of(d.anyDType(), d.shape(0, 6))], gradient: true }),
  ReluGrad: pair((d, s) => d.floats(s)),
  Relu6Grad: pair((d, s) => d.floats(s)),
  EluGrad: (d) => {
    const shape = d.shape(0, 5);
    return { inputs: [d.floats(shape), d.nonzero(shape, 0.1, 0.9)], gradient: true };
  },
  SeluGrad: (d) => {
    const shape = d.shape(0, 5);
    return { inputs: [d.floats(shape), d.nonzero(shape, 0.1, 1.5)], gradient: true };
  },
  SoftplusGrad: pair((d, s) => d.floats(s)),
  SoftsignGrad: (d) => {
    const shape = d.shape(0, 5);
    return { inputs: [d.floats(shape), d.nonzero(shape)], gradient: true };
  },
  TanhGrad: pair((d, s) => d.floats(s)),
  SigmoidGrad: pair((d, s) => d.floats(s)),
  SqrtGrad: (d) => {
    const shape = d.shape(0, 5);
    return { inputs: [d.nonzero(shape), d.floats(shape)], gradient: true };
  },
  RsqrtGrad: pair((d, s) => d.floats(s)),
  ReciprocalGrad: pair((d, s) => d.floats(s)),
  ClipByValue: clip,
  DivNoNan: (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    if (d.chance(0.5)) return { inputs: [d.floats(a), d.nonzero(b)], gradient: true };
    return { inputs: [d.floats(a), d.integers(b, -1, 1, 'float32')] };
  },
  MulNoNan: (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    return { inputs: [d.floats(a), d.nonzero(b)], gradient: true };
  },
  TruncateMod: (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    const y = d.integers(b, 1, 9);
    return { inputs: [d.of('int32', a), { ...y, data: y.data.map((v) => (d.chance(0.5) ? v : -v)) }] };
  },
  Cross: (d) => {
    const shape = [...d.shape(0, 3), 3];
    if (d.chance(0.3)) return { inputs: [d.integers(shape, -9, 9), d.integers(shape, -9, 9)] };
    return { inputs: [d.floats(shape), d.floats(shape)], gradient: true };
  },
};
