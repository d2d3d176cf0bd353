/** Single dispatches on a device. Every error of the device carries the shader's text. */
import { InternalError } from '@forerun/graph';
import {
  parameterWords,
  shaderTemplate,
  withParameters,
  type BindingSource,
  type Dispatch,
} from '@forerun/kernels-webgpu';
import { settle, type TestDevice } from './device.js';
import { UNIFORM, type BufferPool } from './gpuBuffers.js';

/** A dispatch and, where its sizes are parameters, the values of these. */
export type Executable = Pick<Dispatch, 'label' | 'wgsl' | 'bindings' | 'workgroups'> & {
  readonly parameters: Uint32Array<ArrayBuffer> | null;
};

export function executable(dispatch: Dispatch, parameters: boolean): Executable {
  const { label, wgsl, bindings, workgroups } = dispatch;
  const { constants } = shaderTemplate(wgsl);
  // What comes before `main`, functions of the library above all, is the same whatever the sizes.
  const before = shaderTemplate(wgsl.slice(0, wgsl.indexOf('fn main('))).constants.length;
  const values = constants.slice(before);
  if (!parameters || values.length === 0) return { label, wgsl, bindings, workgroups, parameters: null };
  const parameterOf = constants.map((_, i) => (i < before ? null : i - before));
  const text = withParameters(wgsl, parameterOf, bindings.length);
  return { label, wgsl: text, bindings, workgroups, parameters: parameterWords(values) };
}

export async function encode(
  test: TestDevice,
  dispatches: readonly Executable[],
  bufferOf: (source: BindingSource) => GPUBuffer | undefined,
  pool: BufferPool,
): Promise<void> {
  const { device } = test;
  for (const dispatch of dispatches) {
    const pipeline = await pipelineOf(test, dispatch);
    device.pushErrorScope('validation');
    const entries = dispatch.bindings.map(({ name, source, window }, binding) => {
      const buffer = bufferOf(source);
      if (buffer === undefined)
        throw new InternalError(`${dispatch.label}: binding ${name} is bound to nothing`);
      if (window === undefined) return { binding, resource: { buffer } };
      return { binding, resource: { buffer, offset: window.offset, size: window.bytes } };
    });
    if (dispatch.parameters !== null)
      entries.push({ binding: entries.length, resource: { buffer: pool.of(dispatch.parameters, UNIFORM) } });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...dispatch.workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const error = await settle(device.popErrorScope(), test);
    if (error !== null) throw new Error(`${dispatch.label}: ${error.message}\n${numbered(dispatch.wgsl)}`);
  }
}

const pipelines = new Map<string, GPUComputePipeline>();

/** The pipeline of a dispatch, with an explicit layout so that unused bindings are allowed, as in the session. */
async function pipelineOf(
  test: TestDevice,
  { label, wgsl, bindings, parameters }: Executable,
): Promise<GPUComputePipeline> {
  const { device } = test;
  const key = `${bindings.map((binding) => binding.access).join()}\n${wgsl}`;
  const cached = pipelines.get(key);
  if (cached !== undefined) return cached;
  const types = bindings.map(({ access }) =>
    access === 'read' ? ('read-only-storage' as const) : ('storage' as const),
  );
  const all = parameters === null ? types : [...types, 'uniform' as const];
  const entries = all.map((type, binding) => ({ binding, visibility: 4, buffer: { type } }));
  const layout = device.createPipelineLayout({
    bindGroupLayouts: [device.createBindGroupLayout({ entries })],
  });
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code: wgsl });
  const error = await settle(device.popErrorScope(), test);
  if (error !== null) throw new Error(`${label}: ${error.message}\n${numbered(wgsl)}`);
  try {
    const pipeline = await settle(
      device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: 'main' } }),
      test,
    );
    pipelines.set(key, pipeline);
    return pipeline;
  } catch (cause) {
    throw new Error(
      `${label}: ${cause instanceof Error ? cause.message : String(cause)}\n${numbered(wgsl)}`,
      { cause },
    );
  }
}

function numbered(text: string): string {
  return text
    .split('\n')
    .map((line, i) => `${String(i + 1).padStart(4)} ${line}`)
    .join('\n');
}
