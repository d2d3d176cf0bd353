/** float16 in memory: how it is rounded, stored and loaded, with `f16` in shaders and without. */
import { float16Bits, float16Value, roundToHalf, type HostValue } from '@forerun/graph';
import { runOpOnGpu, type GpuOptions } from '@forerun/testing';

const FORMS: readonly (readonly [string, GpuOptions])[] = [
  ['as found', {}],
  ['as a hardware adapter', { adapterOverrides: { software: false } }],
  ['without f16', { adapterOverrides: { shaderF16: false } }],
];

/** Every float16 that is finite. */
const FINITE = Array.from({ length: 2 ** 16 }, (_, bits) => float16Value(bits)).filter(Number.isFinite);
/** What lies halfway between neighbours and just beside it, exact in float32; and what becomes infinite. */
const BETWEEN = FINITE.filter((_, i) => i % 7 === 0).flatMap((x) => {
  const next = float16Value(float16Bits(x) + 1);
  const middle = (x + next) / 2;
  return Number.isFinite(middle)
    ? [middle, Math.fround(middle * (1 + 2 ** -20)), Math.fround(middle * (1 - 2 ** -20))]
    : [];
});
const EDGES = [
  0,
  -0,
  NaN,
  Infinity,
  -Infinity,
  65504,
  65519.99,
  65520,
  -65520,
  1e30,
  -1e30,
  2 ** -25,
  2 ** -24,
  -(2 ** -25) * 1.5,
];

function cast(
  data: readonly number[],
  from: 'float16' | 'float32',
  options: GpuOptions,
): Promise<HostValue[]> {
  const to = from === 'float16' ? 'float32' : 'float16';
  const value: HostValue = { dtype: from, shape: [data.length], data: Float64Array.from(data) };
  return runOpOnGpu('Cast', [value], { SrcT: from, DstT: to }, options);
}

describe.each(FORMS)('%s', (_, options) => {
  it.each([
    ['by vectors', 0],
    ['one by one', 1],
  ])('rounds to nearest even, %s', async (_name, extra) => {
    const all = [...EDGES, ...BETWEEN];
    const data = [...all, ...all.slice(0, (4 - (all.length % 4)) % 4), ...new Array<number>(extra).fill(1.5)];
    const [got] = await cast(data, 'float32', options);
    expect(got?.dtype).toBe('float16');
    expect(Array.from(got?.data ?? [], float16Bits)).toEqual(data.map((x) => float16Bits(Math.fround(x))));
  });

  it('loads every number as it is', async () => {
    const data = [...FINITE, Infinity, -Infinity, NaN];
    const [got] = await cast(data, 'float16', options);
    expect(Array.from(got?.data ?? [])).toEqual(data);
  });

  it('stores neighbours beside each other, and nothing past the end', async () => {
    const data = Array.from({ length: 37 }, (_x, i) => i / 3);
    const value: HostValue = { dtype: 'float16', shape: [37], data: Float64Array.from(data, roundToHalf) };
    const [sum] = await runOpOnGpu('AddV2', [value, value], {}, options);
    expect(Array.from(sum?.data ?? [])).toEqual(data.map((x) => roundToHalf(2 * roundToHalf(x))));
  });
});
