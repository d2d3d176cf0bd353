/** Optimizer updates with hyper-parameters that only the device knows, at the limit of bindings. */
import { lowerOp, runOpOnGpu, runReference, makeNode, expectClose } from '@forerun/testing';
import type { HostValue } from '@forerun/graph';

const vector = (...data: number[]): HostValue => ({
  dtype: 'float32',
  shape: [data.length],
  data: Float64Array.from(data),
});
const scalar = (x: number): HostValue => ({ dtype: 'float32', shape: [], data: Float64Array.of(x) });

const ADAM = [
  vector(1, -2, 3, 4, 5),
  vector(0.1, 0.2, -0.3, 0, 0),
  vector(0.5, 0.1, 0.2, 1, 2),
  ...[0.81, 0.998, 0.01, 0.9, 0.999, 1e-7].map(scalar),
  vector(1, -1, 0.5, 2, -3),
];

describe('ResourceApplyAdam with hyper-parameters on the device', () => {
  it.each([
    { maxBindings: 8, dispatches: 2 },
    { maxBindings: 16, dispatches: 1 },
  ])(
    'takes $dispatches dispatches where $maxBindings bindings are allowed',
    async ({ maxBindings, dispatches }) => {
      const options = { hostInputs: false, adapterOverrides: { maxBindings } };
      const lowered = await lowerOp('ResourceApplyAdam', ADAM, {}, options);
      expect(lowered?.dispatches.length).toBe(dispatches);
      for (const dispatch of lowered?.dispatches ?? [])
        expect(dispatch.bindings.length).toBeLessThanOrEqual(maxBindings);
      const got = await runOpOnGpu('ResourceApplyAdam', ADAM, {}, { hostInputs: false });
      const want = runReference(makeNode('ResourceApplyAdam', ADAM, {}), ADAM);
      want.forEach((value, i) => expectClose(got[i] ?? scalar(NaN), value));
    },
  );

  it('gives the same through packed parameters', async () => {
    const options = { hostInputs: false, adapterOverrides: { maxBindings: 8 } };
    const got = await runOpOnGpu('ResourceApplyAdam', ADAM, {}, options);
    const want = runReference(makeNode('ResourceApplyAdam', ADAM, {}), ADAM);
    want.forEach((value, i) => expectClose(got[i] ?? scalar(NaN), value));
  });

  it('writes known parameters into the text', async () => {
    const lowered = await lowerOp('ResourceApplyAdam', ADAM);
    expect(lowered?.dispatches[0]?.bindings.map(({ name }) => name)).toEqual([
      'variable_data',
      'm_data',
      'v_data',
      'grad_data',
    ]);
  });
});

describe('optimizer updates', () => {
  it('of large variables take one dispatch per window', async () => {
    const options = { adapterOverrides: { maxBindingBytes: 256 } };
    const counted = vector(...Array.from({ length: 150 }, (_, i) => i));
    const inputs = [counted, scalar(1), counted];
    const lowered = await lowerOp('ResourceApplyGradientDescent', inputs, {}, options);
    expect(lowered?.dispatches.map(({ bindings }) => bindings.map(({ window }) => window))).toEqual(
      [
        { offset: 0, bytes: 256 },
        { offset: 256, bytes: 256 },
        { offset: 512, bytes: 88 },
      ].map((window) => [window, window]),
    );
    const [got] = await runOpOnGpu('ResourceApplyGradientDescent', inputs, {}, options);
    expect(Array.from(got?.data ?? [], Number)).toEqual(new Array(150).fill(0));
  });
});
