/** Copies at the limits of adapters: few bindings, small bindings; and which form is chosen. */
import { UnimplementedError, type HostValue } from '@forerun/graph';
import { simplifyCopy } from '../src/stridedCopy.js';
import { expectClose, lowerOp, makeNode, runOpOnGpu, runReference } from '@forerun/testing';

function counting(...shape: number[]): HostValue {
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, data: Float64Array.from({ length }, (_, i) => i) };
}

const ints = (...data: number[]): HostValue => ({
  dtype: 'int32',
  shape: [data.length],
  data: Float64Array.from(data),
});
const int = (value: number): HostValue => ({ dtype: 'int32', shape: [], data: Float64Array.of(value) });

describe('strided copies', () => {
  it('merge dimensions that both sides run over', () => {
    const walk = { offset: 5, strides: [24, 6, 6, 1] };
    expect(simplifyCopy({ shape: [2, 4, 1, 6], from: walk, to: { ...walk, offset: 0 } })).toEqual({
      shape: [48],
      from: { offset: 5, strides: [1] },
      to: { offset: 0, strides: [1] },
    });
  });

  it('are spread over dispatches when the adapter binds few buffers', async () => {
    const inputs = [counting(1, 3), counting(2, 3), counting(3, 3), counting(1, 3), int(0)];
    const options = { adapterOverrides: { maxBindings: 3 } };
    const lowered = await lowerOp('ConcatV2', inputs, {}, options);
    expect(lowered?.dispatches.map(({ bindings }) => bindings.length)).toEqual([3, 3]);
    const [got] = await runOpOnGpu('ConcatV2', inputs, {}, options);
    const [want] = runReference(makeNode('ConcatV2', inputs, {}), inputs);
    if (got === undefined || want === undefined) throw new Error('there is no output');
    expectClose(got, want);
  });

  it('transpose in registers where both sides are divisible by four', async () => {
    const label = async (rows: number, columns: number): Promise<string | undefined> =>
      (await lowerOp('Transpose', [counting(rows, columns), ints(1, 0)]))?.dispatches[0]?.label;
    expect(await label(8, 12)).toBe('Transpose.tile4x4');
    expect(await label(8, 11)).toBe('Transpose');
  });

  it('transposes a large matrix', async () => {
    const inputs = [counting(260, 516), ints(1, 0)];
    const [got] = await runOpOnGpu('Transpose', inputs);
    const [want] = runReference(makeNode('Transpose', inputs, {}), inputs);
    if (got === undefined || want === undefined) throw new Error('there is no output');
    expectClose(got, want);
  });

  it('see tensors above the binding limit through windows', async () => {
    const inputs = [counting(8, 12), ints(1, 0)];
    const options = { adapterOverrides: { maxBindingBytes: 256 } };
    const lowered = await lowerOp('Transpose', inputs, {}, options);
    expect(lowered?.dispatches[0]?.bindings.map(({ name }) => name)).toEqual([
      'in0_w0',
      'in0_w1',
      'out0_w0',
      'out0_w1',
    ]);
    const [got] = await runOpOnGpu('Transpose', inputs, {}, options);
    const [want] = runReference(makeNode('Transpose', inputs, {}), inputs);
    if (got === undefined || want === undefined) throw new Error('there is no output');
    expectClose(got, want);
  });

  it('are refused by name where the windows are more than the bindings', async () => {
    const options = { adapterOverrides: { maxBindingBytes: 256, maxBindings: 3 } };
    const build = lowerOp('Transpose', [counting(8, 12), ints(1, 0)], {}, options);
    await expect(build).rejects.toThrow(UnimplementedError);
    await expect(lowerOp('Transpose', [counting(8, 12), ints(1, 0)], {}, options)).rejects.toThrow(
      'kernel Transpose.tile4x4 needs 4 storage bindings for tensors of 384, 384 bytes',
    );
  });
});
