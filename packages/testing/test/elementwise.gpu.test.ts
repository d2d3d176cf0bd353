/** Generated elementwise kernels on the device: fused programs, layouts, long loops, accuracy over whole ranges. */
import { sizeOf, type HostValue } from '@forerun/graph';
import { lowerElementwise, type ElementwiseProgram } from '@forerun/kernels-webgpu';
import { runOpOnGpu, settle, testDevice } from '@forerun/testing';
import { throwErrors } from '../src/device.js';
import { normalOf, randomWords, uniformOf } from '../src/reference/random.js';
import { erf, erfc } from '../src/reference/special.js';

const vector = (data: ArrayLike<number>): HostValue => ({
  dtype: 'float32',
  shape: [data.length],
  data: Float64Array.from(data, Math.fround),
});

/** Runs a program over float32 inputs; results are raw words. */
async function runProgram(
  program: ElementwiseProgram,
  inputs: readonly Float32Array[],
): Promise<ArrayBuffer[]> {
  const test = await testDevice();
  const { device, facts } = test;
  const { dispatches } = lowerElementwise(program, facts);
  const [dispatch] = dispatches;
  if (dispatch === undefined || dispatches.length !== 1) throw new Error('one dispatch was expected');
  const bytes = 4 * sizeOf(program.shape);
  const [STORAGE, COPY_SRC, COPY_DST, MAP_READ] = [0x80, 0x4, 0x8, 0x1];
  const ins = inputs.map((data) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: STORAGE | COPY_DST });
    device.queue.writeBuffer(buffer, 0, Float32Array.from(data));
    return buffer;
  });
  const outs = program.outputs.map(() => device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC }));
  const reads = program.outputs.map(() => device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST }));
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: dispatch.wgsl }), entryPoint: 'main' },
  });
  const entries = [...ins, ...outs].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...dispatch.workgroups);
  pass.end();
  outs.forEach((buffer, i) => {
    const read = reads[i];
    if (read !== undefined) encoder.copyBufferToBuffer(buffer, 0, read, 0, bytes);
  });
  device.queue.submit([encoder.finish()]);
  const results: ArrayBuffer[] = [];
  for (const read of reads) {
    await settle(read.mapAsync(MAP_READ), test);
    results.push(read.getMappedRange().slice(0));
    read.unmap();
  }
  [...ins, ...outs, ...reads].forEach((buffer) => buffer.destroy());
  throwErrors(test, program.label);
  return results;
}

/** y = max(a + b, 0), mask = a + b > c, over rows, a bias and a scalar. */
function fused(shape: readonly [number, number]): ElementwiseProgram {
  const [, columns] = shape;
  return {
    label: 'AddV2+Relu+Greater',
    shape,
    inputs: [
      { dtype: 'float32', shape },
      { dtype: 'float32', shape: [columns] },
      { dtype: 'float32', shape: [] },
    ],
    steps: [
      {
        expression: 'x + y',
        operands: { x: { kind: 'input', index: 0 }, y: { kind: 'input', index: 1 } },
        dtype: 'float32',
      },
      {
        expression: 'max(x, low)',
        operands: { x: { kind: 'step', index: 0 }, low: { kind: 'literal', value: 0, dtype: 'float32' } },
        dtype: 'float32',
      },
      {
        expression: 'x > y',
        operands: { x: { kind: 'step', index: 0 }, y: { kind: 'input', index: 2 } },
        dtype: 'bool',
      },
    ],
    outputs: [1, 2],
  };
}

describe('fused programs', () => {
  it.each([[[3, 8]], [[5, 7]], [[300, 1000]], [[301, 333]]] as const)(
    'with two outputs of different dtypes, shape %p',
    async (shape) => {
      const [rows, columns] = shape;
      const a = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
      const b = Float32Array.from({ length: columns }, (_, i) => Math.cos(3 * i));
      const [y, mask] = await runProgram(fused(shape), [a, b, Float32Array.of(0.25)]);
      if (y === undefined || mask === undefined) throw new Error('two outputs were expected');
      const sums = a.map((x, i) => x + (b[i % columns] ?? 0));
      expect(new Float32Array(y)).toEqual(sums.map((x) => Math.max(x, 0)));
      expect(new Uint32Array(mask)).toEqual(Uint32Array.from(sums, (x) => Number(x > 0.25)));
    },
  );
});

/** `count` float32 values spread evenly over the exponents between `low` and `high`, with both signs. */
function spread(low: number, high: number, count = 2000): number[] {
  return Array.from({ length: count }, (_, i) => {
    const x = low * (high / low) ** ((i + 0.37) / count);
    return Math.fround(i % 2 === 0 ? x : -x);
  });
}

describe('accuracy over whole ranges', () => {
  it.each([
    ['Sin', spread(1e-8, 1e30), Math.sin, 1e-6, 4e-7],
    ['Cos', spread(1e-8, 1e30), Math.cos, 1e-6, 4e-7],
    ['Atan', spread(1e-8, 1e20), Math.atan, 1e-6, 0],
    ['Asin', spread(1e-8, 0.99999), Math.asin, 4e-6, 0],
    ['Acos', spread(1e-8, 0.99999), Math.acos, 4e-6, 1e-7],
    ['Expm1', spread(1e-8, 60), Math.expm1, 3e-5, 0],
    ['Log1p', spread(1e-8, 0.99), Math.log1p, 4e-6, 0],
    ['Tanh', spread(1e-8, 50), Math.tanh, 1e-5, 0],
    ['Sinh', spread(1e-8, 80), Math.sinh, 3e-5, 0],
    ['Asinh', spread(1e-8, 1e30), Math.asinh, 5e-6, 0],
    ['Atanh', spread(1e-8, 0.9999), Math.atanh, 1e-5, 0],
    ['Erf', spread(1e-8, 20), erf, 3e-6, 0],
    ['Erfc', spread(1e-8, 8), erfc, 3e-5, 0],
  ] as const)('%s', async (type, inputs, reference, rtol, atol) => {
    const [got] = await runOpOnGpu(type, [vector(inputs)]);
    const worst = inputs
      .map((x, i) => {
        const want = reference(x);
        const error = Math.abs((got?.data[i] ?? NaN) - want);
        return { x, want, got: got?.data[i], excess: error - (atol + rtol * Math.abs(want)) };
      })
      .reduce((a, b) => (a.excess >= b.excess ? a : b));
    expect({ ...worst, within: worst.excess <= 0 }).toMatchObject({ within: true });
  });
});

describe('random numbers', () => {
  const shape: HostValue = { dtype: 'int32', shape: [1], data: Float64Array.of(30_001) };
  const attrs = { seed: 1234, seed2: 4294967295, dtype: 'float32' };

  it.each([
    ['RandomUniform', uniformOf],
    ['RandomStandardNormal', normalOf],
  ] as const)('%s follow the step and loop over blocks, bit for bit', async (type, convert) => {
    const [got] = await runOpOnGpu(type, [shape], attrs, { randomStep: [9, 1] });
    const want = randomWords(30_001, [1234, 4294967295], [9, 1]).map(convert);
    expect(Array.from(got?.data ?? [])).toEqual(want);
  });
});
