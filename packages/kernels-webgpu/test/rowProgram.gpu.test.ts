/** Kernels of row programs in every form, on rows of every kind of length, with numbers that are none. */
import { sizeOf, type HostValue } from '@forerun/graph';
import { expectClose, Random, runDispatchesOnGpu } from '@forerun/testing';
import type { AdapterFacts } from '../src/index.js';
import { MAX, MEAN } from '../src/reduction.js';
import { readsValue, rowReduction, rowSteps, stagesOf, type RowProgram } from '../src/rowProgram.js';
import { lowerRows } from '../src/rowProgramKernel.js';

const FORMS: readonly Partial<AdapterFacts>[] = [{}, { subgroupSize: 0 }, { software: false }];

/** y = (x - mean) / sqrt(variance + 0.01) * scale + shift; also 1 / sqrt(…), the largest y, and where x is above the mean. */
function normalization(rows: number, columns: number): RowProgram {
  const shape = [rows, columns];
  const input = (operand: readonly number[]): RowProgram['inputs'][number] => ({
    operand: { dtype: 'float32', shape: operand },
    shape,
    level: 'element',
  });
  const x = { kind: 'input', index: 0 } as const;
  const value = (index: number) => ({ kind: 'step', index }) as const;
  return {
    label: 'normalization',
    rows,
    columns,
    inputs: [input(shape), input([columns]), input([rows, 1])],
    values: [
      { kind: 'reduce', level: 'row', reducer: MEAN, of: x },
      step('element', 'x - m', { x, m: value(0) }),
      step('element', 'd * d', { d: value(1) }),
      { kind: 'reduce', level: 'row', reducer: MEAN, of: value(2) },
      step('row', '1.0 / sqrt(v + f32(0.01))', { v: value(3) }),
      step('element', 'd * r * g + b', {
        ...{ d: value(1), r: value(4) },
        ...{ g: { kind: 'input', index: 1 }, b: { kind: 'input', index: 2 } },
      }),
      { kind: 'reduce', level: 'row', reducer: MAX, of: value(5) },
      step('element', 'x > m', { x, m: value(0) }, 'bool'),
    ],
    outputs: [5, 4, 6, 7],
  };
}

type Step = Extract<RowProgram['values'][number], { kind: 'step' }>;

function step(
  level: 'element' | 'row',
  expression: string,
  operands: Step['step']['operands'],
  dtype: Step['step']['dtype'] = 'float32',
): Step {
  return { kind: 'step', level, step: { expression, operands, dtype } };
}

function expected(x: HostValue, scale: HostValue, shift: HostValue): HostValue[] {
  const [rows = 1, columns = 1] = x.shape;
  const [y, above] = [new Float64Array(rows * columns), new Float64Array(rows * columns)];
  const [inverse, top] = [new Float64Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    const own = x.data.subarray(row * columns, (row + 1) * columns);
    const mean = own.reduce((a, b) => a + b, 0) / columns;
    const variance = own.reduce((a, b) => a + (b - mean) ** 2, 0) / columns;
    inverse[row] = 1 / Math.sqrt(variance + 0.01);
    own.forEach((value, k) => {
      const at = row * columns + k;
      y[at] = (value - mean) * (inverse[row] ?? 0) * (scale.data[k] ?? 0) + (shift.data[row] ?? 0);
      above[at] = value > mean ? 1 : 0;
    });
    top[row] = Math.max(...y.subarray(row * columns, (row + 1) * columns));
  }
  return [
    { dtype: 'float32', shape: x.shape, data: y },
    { dtype: 'float32', shape: [rows], data: inverse },
    { dtype: 'float32', shape: [rows], data: top },
    { dtype: 'bool', shape: x.shape, data: above },
  ];
}

describe.each([
  [5, 2],
  [6, 7],
  [9, 64],
  [4, 132],
  [3, 1001],
])('%i rows of %i elements', (rows, columns) => {
  const random = new Random(rows * columns);
  const values = (shape: readonly number[], size: number): HostValue => ({
    dtype: 'float32',
    shape,
    data: random.array(size, -2, 2).map(Math.fround),
  });
  const x = values([rows, columns], rows * columns);
  // Rows 0 and 1 hold what spreads over a row.
  x.data[1] = NaN;
  x.data[columns] = Infinity;
  const [scale, shift] = [values([columns], columns), values([rows, 1], rows)];
  const want = expected(x, scale, shift);

  test.each(FORMS)('with an adapter %j', async (adapterOverrides) => {
    const program = normalization(rows, columns);
    const lower = (adapter: AdapterFacts) => ({ dispatches: [lowerRows(program, adapter)] });
    const got = await runDispatchesOnGpu(lower, [x, scale, shift], want, { adapterOverrides });
    want.forEach((value, i) => {
      const result = got[i];
      if (result === undefined) throw new Error(`output ${i} is missing`);
      expectClose(result, value, { rtol: 2e-5, atol: 2e-5 }, `output ${i}`);
    });
  });
});

describe.each([8, 6])('a value that repeats itself after %i elements', (channels) => {
  const shape = [5, 12, channels];
  const [rows, columns] = [5, 12 * channels];
  const random = new Random(channels);
  const values = (dims: readonly number[]): HostValue => {
    const data = random.array(sizeOf(dims), -2, 2).map(Math.fround);
    return { dtype: 'float32', shape: dims, data };
  };
  const [x, scale] = [values(shape), values([5, 1, channels])];

  test.each(FORMS)('is stored once per row, with an adapter %j', async (adapterOverrides) => {
    const repeated = rowSteps(
      {
        label: 'Neg',
        shape: scale.shape,
        inputs: [{ dtype: 'float32', shape: scale.shape }],
        steps: [step('element', '-x', { x: { kind: 'input', index: 0 } }).step],
        outputs: [0],
      },
      rows,
      columns,
      [shape],
    );
    if (repeated === null) throw new Error('the value repeats itself');
    const program: RowProgram = {
      ...repeated,
      inputs: [...repeated.inputs, { operand: x, shape, level: 'element' }],
      values: [
        ...repeated.values,
        step('element', 'x * s', { x: { kind: 'input', index: 1 }, s: { kind: 'step', index: 0 } }),
      ],
      outputs: [0, 1],
    };
    const negated = scale.data.map((value) => -value);
    const product = x.data.map((value, i) => {
      const row = Math.floor(i / columns);
      return value * (negated[row * channels + (i % channels)] ?? NaN);
    });
    const want: HostValue[] = [
      { ...scale, data: negated },
      { ...x, data: product },
    ];
    const lower = (adapter: AdapterFacts) => ({ dispatches: [lowerRows(program, adapter)] });
    const got = await runDispatchesOnGpu(lower, [scale, x], want, { adapterOverrides });
    want.forEach((value, i) => {
      const result = got[i];
      if (result === undefined) throw new Error(`output ${i} is missing`);
      expectClose(result, value, { rtol: 1e-6, atol: 0 }, `output ${i}`);
    });
  });
});

test('a loop computes what its reductions and stores need', () => {
  const { stageOf, loops } = stagesOf(normalization(4, 8));
  expect(stageOf).toEqual([1, 1, 1, 2, 2, 2, 3, 1]);
  expect(loops.map(({ values }) => values)).toEqual([[], [1, 2, 7], [1, 5], []]);
});

test('only reductions of the last dimensions are reductions of rows', () => {
  const operand = { dtype: 'float32', shape: [2, 3, 1, 4] } as const;
  expect(rowReduction(operand, [1, 3], MEAN)).toMatchObject({ rows: 2, columns: 12 });
  expect(rowReduction(operand, [3], MEAN)).toMatchObject({ rows: 6, columns: 4 });
  expect(rowReduction(operand, [0, 1, 2, 3], MEAN)).toMatchObject({ rows: 1, columns: 24 });
  expect(rowReduction(operand, [1], MEAN)).toBeNull();
  expect(rowReduction(operand, [2], MEAN)).toBeNull();
  expect(rowReduction({ ...operand, dtype: 'int32' }, [3], MEAN)).toBeNull();
  expect(rowReduction({ ...operand, shape: [2, 0] }, [1], MEAN)).toBeNull();
});

test('values per row are read where they are repeated along the row, and nowhere else', () => {
  const program = (inputs: readonly (readonly number[])[]) =>
    rowSteps(
      {
        label: 'Sum',
        shape: [4, 3, 4],
        inputs: inputs.map((shape) => ({ dtype: 'float32', shape })),
        steps: [step('element', 'x', { x: { kind: 'input', index: 0 } }).step],
        outputs: [0],
      },
      12,
      4,
    );
  const joined = program([
    [4, 3, 1],
    [3, 4],
    [4, 3, 4],
    [4, 1, 1],
  ]);
  if (joined === null) throw new Error('these are rows');
  expect([0, 1, 2, 3].map((k) => readsValue(joined, k, { level: 'row' }))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect([0, 1, 2, 3].map((k) => readsValue(joined, k, { level: 'element' }))).toEqual([
    false,
    false,
    true,
    false,
  ]);
});
