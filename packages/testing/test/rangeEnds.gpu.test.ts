/**
 * Elementwise functions at the ends of their range: near zeros, at large arguments, at infinities and
 * NaN. The bounds are what the kernels promise beyond WGSL, whose own bounds are far wider.
 */
import { TensorValue, toHostValue, type HostValue, type OpName } from '@forerun/graph';
import { makeNode, runOpOnGpu, runReference } from '@forerun/testing';

const ENDS = [
  0,
  1e-30,
  1e-10,
  1e-7,
  1e-5,
  1e-4,
  1e-3,
  0.01,
  0.1,
  0.3,
  0.5,
  0.7,
  0.9,
  0.99,
  0.99999,
  1,
  1.00001,
  1.0001,
  1.5,
  2,
  3,
  4.5,
  5.9,
  8,
  9.2,
  15,
  20,
  30,
  50,
  80,
  100,
  1e3,
  1e4,
  1e5,
  1e6,
  1e10,
  1e20,
  1e30,
  3e38,
  Infinity,
].flatMap((x) => [x, -x]);
const POINTS = [...ENDS, NaN];
/** Results below this may be flushed to zero, or zero be met from above. */
const SMALLEST_NORMAL = 2 ** -126;

interface Bound {
  readonly type: OpName;
  /** Relative error, in units of the last place of float32. */
  readonly ulp: number;
  /** Where it holds; default: everywhere. */
  readonly within?: (x: number) => boolean;
}

const upTo = (limit: number) => (x: number) => Math.abs(x) <= limit;

const UNARY: readonly Bound[] = [
  { type: 'Log', ulp: 8 },
  { type: 'Log1p', ulp: 8 },
  { type: 'Expm1', ulp: 32 },
  { type: 'Exp', ulp: 32 },
  { type: 'Tanh', ulp: 16 },
  { type: 'Sigmoid', ulp: 32 },
  { type: 'Softplus', ulp: 32 },
  { type: 'Softsign', ulp: 8, within: Number.isFinite },
  { type: 'Elu', ulp: 16 },
  { type: 'Selu', ulp: 16 },
  { type: 'Sin', ulp: 16, within: upTo(1e6) },
  { type: 'Cos', ulp: 16, within: upTo(1e6) },
  { type: 'Tan', ulp: 16, within: upTo(1e5) },
  { type: 'Sinh', ulp: 32 },
  { type: 'Cosh', ulp: 32 },
  { type: 'Asinh', ulp: 16 },
  { type: 'Acosh', ulp: 16 },
  { type: 'Atanh', ulp: 16 },
  { type: 'Asin', ulp: 16 },
  { type: 'Acos', ulp: 16 },
  { type: 'Atan', ulp: 16 },
  { type: 'Erf', ulp: 16 },
  { type: 'Sqrt', ulp: 4 },
  { type: 'Rsqrt', ulp: 4 },
];

/** Compares element by element; what is NaN or infinite has to be met exactly. */
function misses(got: HostValue, want: HostValue, ulp: number, names: readonly string[]): string[] {
  return names.flatMap((name, i) => {
    const [g, w] = [Number(got.data[i]), Math.fround(Number(want.data[i]))];
    if (Number.isNaN(w) ? Number.isNaN(g) : g === w) return [];
    const bound = ulp * 2 ** -23 * Math.abs(w) + SMALLEST_NORMAL * 2;
    return Math.abs(g - w) <= bound ? [] : [`${name}: ${g}, and ${w} is right`];
  });
}

async function check(type: OpName, inputs: readonly TensorValue[], ulp: number): Promise<void> {
  const count = inputs[0]?.data.length ?? 0;
  const names = Array.from({ length: count }, (_, i) => inputs.map(({ data }) => String(data[i])).join(', '));
  const [got] = await runOpOnGpu(type, inputs, {});
  const values = inputs.map(hostValue);
  const [want] = runReference(makeNode(type, values, {}), values);
  if (got === undefined || want === undefined) throw new Error(`${type} gave no output`);
  expect(misses(got, want, ulp, names)).toEqual([]);
}

function hostValue(value: TensorValue): HostValue {
  const host = toHostValue(value);
  if (host === null) throw new Error(`${value.dtype} is not a number`);
  return host;
}

const vector = (data: readonly number[]): TensorValue =>
  new TensorValue('float32', [data.length], Float32Array.from(data));

describe('functions at the ends of their range', () => {
  it.each(UNARY)('$type within $ulp ulp', async ({ type, ulp, within = () => true }) =>
    check(type, [vector(POINTS.map(Math.fround).filter((x) => within(x) || Number.isNaN(x)))], ulp),
  );

  const bases = [-100, -2, -1, -0.5, -0, 0, 0.5, 1, 2, 10, 1e10, Infinity, -Infinity, NaN];
  const others = [-3, -2, -1, -0.5, 0.5, 1, 2, 3, 7, 20, Infinity, -Infinity, NaN];
  const pairs = (right: readonly number[]) => bases.flatMap((x) => right.map((y) => [x, y] as const));

  it.each([
    ['Pow', 64, [...others, 0]],
    ['Atan2', 16, [...others, 0, -0]],
    ['TruncateMod', 0, others],
    ['Xlogy', 16, others.filter((y) => y > 0)],
    ['Xdivy', 8, others],
    ['Maximum', 0, others],
    ['Minimum', 0, others],
  ] as const)('%s within %d ulp', async (type, ulp, right) => {
    const all = pairs(right);
    await check(type, [vector(all.map(([x]) => x)), vector(all.map(([, y]) => y))], ulp);
  });

  it('takes remainders of large quotients exactly', async () => {
    const x = [1e10, 1e10, -1e10, 3e38, 1e30, 1e-40, 5, 12345678];
    const y = [3, 7, 3, 0.1, 1e-30, 3e-41, 1e-38, 0.3];
    await check('TruncateMod', [vector(x), vector(y)], 0);
  });
});
