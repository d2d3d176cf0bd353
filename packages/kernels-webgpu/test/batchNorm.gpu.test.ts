/** Batch normalization in two passes: chunks of chunks, channels of every kind, few bindings, data that are hard to add up. */
import type { HostValue, OpName } from '@forerun/graph';
import type { AdapterFacts } from '../src/index.js';
import { expectClose, lowerOp, makeNode, Random, runOpOnGpu, runReference } from '@forerun/testing';

const FORMS: readonly Partial<AdapterFacts>[] = [{}, { maxBindings: 8 }, { software: false }];
const SHAPES: readonly (readonly [format: string, shape: readonly number[]])[] = [
  ['NHWC', [3, 20, 33, 8]],
  ['NHWC', [2, 61, 7, 3]],
  ['NHWC', [1, 160, 170, 1]],
  ['NCHW', [3, 5, 12, 11]],
  ['NCHW', [2, 3, 4, 1]],
];

function tensor(data: ArrayLike<number>, shape: readonly number[]): HostValue {
  return { dtype: 'float32', shape, data: Float64Array.from(data) };
}

function values(shape: readonly number[], seed: number, low = -2, high = 2): HostValue {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return tensor(new Random(seed).array(size, low, high), shape);
}

function channelsOf(format: string, shape: readonly number[]): number {
  return shape[format === 'NHWC' ? 3 : 1] ?? 1;
}

/** Compares with the reference, whose results it returns. */
async function check(
  type: OpName,
  inputs: readonly HostValue[],
  format: string,
  tolerance: number,
): Promise<readonly HostValue[]> {
  const attrs = { data_format: format, is_training: true };
  const want = runReference(makeNode(type, inputs, attrs), inputs);
  for (const adapterOverrides of FORMS) {
    const got = await runOpOnGpu(type, inputs, attrs, { adapterOverrides });
    want.forEach((value, i) => {
      const result = got[i];
      if (result === undefined) throw new Error(`output ${i} is missing`);
      expectClose(
        result,
        value,
        { rtol: tolerance, atol: tolerance },
        `output ${i}, ${JSON.stringify(adapterOverrides)}`,
      );
    });
  }
  return want;
}

const NONE = tensor([], [0]);

test.each(SHAPES)(
  'forward and gradient of %s %j',
  async (format, shape) => {
    const [x, channels] = [values(shape, 1), [channelsOf(format, shape)]];
    const [scale, offset] = [values(channels, 2, 0.5, 1.5), values(channels, 3)];
    const forward = await check('FusedBatchNormV3', [x, scale, offset, NONE, NONE], format, 2e-5);
    const [mean = NONE, variance = NONE] = forward.slice(3);
    const gradient = values(shape, 6);
    await check('FusedBatchNormGradV3', [gradient, x, scale, mean, variance, NONE], format, 2e-4);
  },
  60_000,
);

test('a large mean, an outlier where each sum begins, and a constant channel', async () => {
  const shape = [2, 30, 30, 4];
  const x = values(shape, 7);
  const data = Float32Array.from(x.data, (value, i) => {
    if (i % 4 === 0) return value + 3000;
    if (i % 4 === 1) return i === 1 ? 1e4 : value;
    return i % 4 === 2 ? 7.25 : value;
  });
  const ones = tensor([1, 1, 1, 1], [4]);
  const inputs = [tensor(data, shape), ones, tensor([0, 0, 0, 0], [4]), NONE, NONE];
  await check('FusedBatchNormV3', inputs, 'NHWC', 4e-4);
});

test('takes two dispatches, and with few bindings one more', async () => {
  const inputs = [values([2, 8, 8, 8], 8), values([8], 9), values([8], 10), NONE, NONE];
  const count = async (adapterOverrides: Partial<AdapterFacts>): Promise<number> => {
    const lowered = await lowerOp('FusedBatchNorm', inputs, { is_training: true }, { adapterOverrides });
    return lowered?.dispatches.length ?? 0;
  };
  expect(await count({})).toBe(2);
  expect(await count({ maxBindings: 8 })).toBe(3);
});
