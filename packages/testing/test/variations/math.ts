/** Variations of elementwise ops, reductions and matrix products. */
import type { DType, OpName } from '@forerun/graph';
import { scalar, vector, type Draw, type Generator } from './draw.js';

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -2.5, 3e38, -1e-30];

/** Two operands that broadcast; floats from `float`, which gives elements away from kinks. */
function two(
  float: ((d: Draw, shape: readonly number[]) => ReturnType<Draw['floats']>) | null,
  int: readonly [number, number] | null,
  gradient = float !== null,
): Generator {
  return (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    if (float !== null && (int === null || d.chance(0.6)))
      return { inputs: [float(d, a), float(d, b)], gradient };
    const [low, high] = int ?? [0, 0];
    const huge = d.chance(0.4) && low !== 0;
    const integers = (shape: readonly number[]) =>
      huge ? d.integers(shape, -(2 ** 31), 2 ** 31 - 1) : d.integers(shape, low, high);
    return { inputs: [integers(a), integers(b)] };
  };
}

const any = two((d, s) => d.floats(s), [-9, 9]);

/** Operands that are nowhere equal, or integers with ties. */
const extremum: Generator = (d) => {
  const [a = [], b = []] = d.broadcastShapes(2);
  if (d.chance(0.4)) return { inputs: [d.integers(a, -9, 9), d.integers(b, -9, 9)] };
  const y = d.distinct(b);
  return { inputs: [d.distinct(a), { ...y, data: y.data.map((v) => v + 1 / 16) }], gradient: true };
};

/** Division: divisors that are not zero. */
function division(float: boolean, gradient: boolean): Generator {
  return (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    if (float && d.chance(0.5)) return { inputs: [d.nonzero(a), d.nonzero(b, 0.5, 3)], gradient };
    const { data, ...rest } = d.integers(b, -7, 7);
    const x = d.chance(0.3) ? d.of('int32', a) : d.integers(a, -20, 20);
    return { inputs: [x, { ...rest, data: data.map((y) => (y === 0 ? -3 : y)) }] };
  };
}

/** Comparisons, of special values too. */
const comparison =
  (bools: boolean): Generator =>
  (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    const dtype = d.pick<DType>(['float32', 'int32', 'uint8', bools ? 'bool' : 'int64']);
    if (dtype !== 'float32') return { inputs: [d.of(dtype, a), d.of(dtype, b)] };
    const special = (shape: readonly number[]) => {
      const { data, ...rest } = d.integers(shape, 0, SPECIAL.length - 1, 'float32');
      return { ...rest, data: data.map((i) => Math.fround(SPECIAL[i] ?? 0)) };
    };
    return { inputs: [special(a), special(b)] };
  };

const logical: Generator = (d) => ({ inputs: d.broadcastShapes(2).map((shape) => d.of('bool', shape)) });

/** A reduction over any subset of the axes. */
function reduction(
  dtypes: readonly [DType, ...DType[]],
  options: { readonly distinct?: boolean } = {},
): Generator {
  return (d) => {
    const shape = d.shape(0, 6, 5);
    const dtype = d.pick(dtypes);
    const distinct = options.distinct === true && dtype === 'float32';
    const x = distinct ? d.distinct(shape) : d.of(dtype, shape);
    const axes = d.axes(shape.length);
    const list =
      axes.length === 1 && d.chance(0.5) ? scalar(axes[0] ?? 0, d.index()) : vector(axes, d.index());
    return {
      inputs: [x, list],
      attrs: { keep_dims: d.chance(0.5) },
      gradient: x.data.length > 0,
      tolerance: { rtol: 2e-5, atol: 2e-5 },
    };
  };
}

const arg: Generator = (d) => {
  const shape = d.shape(1, 5, 7).map((dim) => Math.max(dim, 1));
  const dtype = d.pick<DType>(['float32', 'int32', 'uint8']);
  const { data, ...rest } = d.chance(0.5) ? d.of(dtype, shape) : d.integers(shape, 0, 2, dtype);
  const nan = dtype === 'float32' && d.chance(0.5);
  const x = { ...rest, data: data.map((v) => (nan && d.chance(0.3) ? NaN : v)) };
  const attrs = d.chance(0.5) ? {} : { output_type: d.pick(['int32', 'int64'] as const) };
  return { inputs: [x, scalar(d.axis(shape.length), d.index())], attrs };
};

const scan: Generator = (d) => {
  const x = d.of(d.pick<DType>(['float32', 'int32']), d.shape(1, 4));
  return {
    inputs: [x, scalar(d.axis(x.shape.length), d.index())],
    attrs: { exclusive: d.chance(0.5), reverse: d.chance(0.5) },
    gradient: true,
  };
};

function swapIf(swap: boolean, rows: number, columns: number): number[] {
  return swap ? [columns, rows] : [rows, columns];
}

/** Matrix products of odd sizes, with batches that broadcast where the op has them. */
function product(batched: boolean, [a, b]: readonly [string, string], broadcasting = batched): Generator {
  return (d) => {
    const [m, k, n] = [0, 0, 0].map(() => d.pick([d.dim(9), d.dim(9), 17, 33])) as [number, number, number];
    const [ta, tb] = [d.chance(0.5), d.chance(0.5)];
    const own = d.shape(0, 3, 4);
    const shapes = broadcasting ? d.broadcastShapes(2, 3) : [own, own];
    const [left = [], right = []] = batched ? shapes : [[], []];
    const dtype = d.pick<DType>(['float32', 'float32', 'int32']);
    return {
      inputs: [d.of(dtype, [...left, ...swapIf(ta, m, k)]), d.of(dtype, [...right, ...swapIf(tb, k, n)])],
      attrs: { [a]: ta, [b]: tb },
      gradient: m * n * k < 3000,
      tolerance: { rtol: 1e-5, atol: 1e-5 },
    };
  };
}

const CASTS: readonly [DType, ...DType[]] = ['float32', 'int32', 'bool', 'uint8', 'int8', 'int64', 'uint32'];

/** Within the range of 32 bits, which the device keeps int64 in too. */
const cast: Generator = (d) => {
  const [from, to, shape] = [d.pick(CASTS), d.pick(CASTS), d.shape(0, 4)];
  const x =
    from === 'uint32'
      ? d.integers(shape, 0, to === 'int64' ? 2 ** 31 - 1 : 2 ** 32 - 1, from)
      : d.of(from, shape);
  const scale = from === 'float32' && d.chance(0.5) ? 60 : 1;
  const inRange = to === 'uint8' || to === 'uint32' ? Math.abs : (v: number): number => v;
  const data = from === 'float32' ? x.data.map((v) => Math.fround(inRange(v * scale))) : x.data;
  return { inputs: [{ ...x, data }], attrs: { DstT: to }, gradient: true };
};

const select: Generator = (d) => {
  const shape = d.shape(0, 5);
  const dtype = d.anyDType();
  const conditions: [number[], ...number[][]] = [[], shape, shape.slice(0, 1)];
  const condition = d.of('bool', d.pick(conditions));
  return { inputs: [condition, d.of(dtype, shape), d.of(dtype, shape)], gradient: true };
};

const selectV2: Generator = (d) => {
  const [c = [], t = [], e = []] = d.broadcastShapes(3);
  const dtype = d.anyDType();
  return { inputs: [d.of('bool', c), d.of(dtype, t), d.of(dtype, e)], gradient: true };
};

const pow: Generator = (d) => {
  const [a = [], b = []] = d.broadcastShapes(2);
  if (d.chance(0.5)) return { inputs: [d.floats(a, 0.3, 2), d.floats(b, -2, 2)], gradient: true };
  if (d.chance(0.5)) return { inputs: [d.integers(a, -12, 12), d.integers(b, 0, 11)] };
  const whole = d.integers(b, -3, 4, 'float32');
  return { inputs: [d.nonzero(a), whole] };
};

const NUMBERS: readonly [DType, ...DType[]] = ['float32', 'float32', 'int32'];

export const MATH_VARIATIONS: Partial<Record<OpName, Generator>> = {
  Add: any,
  AddV2: any,
  Sub: any,
  Mul: any,
  SquaredDifference: any,
  RealDiv: (d) => {
    const [a = [], b = []] = d.broadcastShapes(2);
    return { inputs: [d.floats(a), d.nonzero(b)], gradient: true };
  },
  Div: division(true, true),
  FloorDiv: division(true, false),
  FloorMod: division(true, false),
  Mod: division(true, false),
  TruncateDiv: division(false, false),
  Maximum: extremum,
  Minimum: extremum,
  Atan2: two((d, s) => d.nonzero(s), null),
  Xdivy: two((d, s) => d.nonzero(s), null),
  Xlogy: two((d, s) => d.floats(s, 0.3, 3), null),
  Pow: pow,
  AddN: (d) => {
    const [shape, dtype] = [d.shape(0, 4), d.pick(NUMBERS)];
    return {
      inputs: Array.from({ length: d.pick([1, 2, 5, 12]) }, () => d.of(dtype, shape)),
      gradient: true,
    };
  },
  Equal: comparison(true),
  NotEqual: comparison(true),
  Less: comparison(false),
  LessEqual: comparison(false),
  Greater: comparison(false),
  GreaterEqual: comparison(false),
  LogicalAnd: logical,
  LogicalOr: logical,
  Select: select,
  SelectV2: selectV2,
  Cast: cast,
  Sum: reduction(NUMBERS),
  Mean: reduction(NUMBERS),
  Prod: reduction(NUMBERS),
  Max: reduction(NUMBERS, { distinct: true }),
  Min: reduction(NUMBERS, { distinct: true }),
  EuclideanNorm: reduction(['float32']),
  Any: reduction(['bool']),
  All: reduction(['bool']),
  ArgMax: arg,
  ArgMin: arg,
  Cumsum: scan,
  MatMul: product(false, ['transpose_a', 'transpose_b']),
  BatchMatMul: product(true, ['adj_x', 'adj_y'], false),
  BatchMatMulV2: product(true, ['adj_x', 'adj_y']),
};
