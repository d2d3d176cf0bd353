/** Runs single kernels without a session, and measures what the adapter can do at most. */
import { availableParallelism } from 'node:os';
import { Graph, TensorValue, type AttrInputs, type Operation } from '@forerun/graph';
import {
  adapted,
  elementwiseOfOp,
  KERNELS,
  lowerElementwise,
  type AdapterFacts,
  type BindingSource,
  type Dispatch,
  type KernelContext,
  type Lowered,
} from '@forerun/kernels-webgpu';
import { create } from 'webgpu';
import type { Case } from './kernelCases.js';
import { napUntil } from './nap.js';

/** The driver lives as long as this object. */
const gpu = create([]);

export interface Bench {
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
}

export async function open(): Promise<Bench> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('there is no WebGPU adapter');
  const { info } = adapter;
  const software =
    info.isFallbackAdapter || /llvmpipe|swiftshader/i.test(`${info.architecture} ${info.description}`);
  const subgroups = adapter.features.has('subgroups');
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: subgroups ? ['subgroups'] : [],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  device.addEventListener('uncapturederror', ({ error }) => {
    throw new Error(error.message);
  });
  const size = info.subgroupMinSize === info.subgroupMaxSize ? (info.subgroupMinSize ?? 0) : 0;
  const facts: AdapterFacts = {
    subgroupSize: subgroups ? size : 0,
    software,
    shaderF16: false,
    maxBindings: device.limits.maxStorageBuffersPerShaderStage,
    maxBindingBytes: maxStorageBufferBindingSize,
    maxWorkgroups: maxComputeWorkgroupsPerDimension,
    maxInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
  };
  console.log(`${info.description || info.architecture}, subgroups of ${facts.subgroupSize}`);
  return { device, facts };
}

/** Waits with naps where the adapter computes on the CPU: polling would take a core away from it. */
async function finished({ device, facts }: Bench): Promise<void> {
  const work = device.queue.onSubmittedWorkDone();
  await (facts.software ? napUntil(work) : work);
}

/** The node of a case. The shape inputs of the gradients are constants. */
export function nodeOf({ type, inputs, attrs }: Case): Operation {
  const graph = new Graph();
  const tensors = inputs.map((shape, i) => {
    const sizes = (type === 'Conv2DBackpropInput' && i === 0) || (type === 'Conv2DBackpropFilter' && i === 1);
    return sizes
      ? graph.createOp({ type: 'Const', attrs: shapeConstant(shape) }).output(0)
      : graph.createOp({ type: 'Placeholder', attrs: { dtype: 'float32', shape } }).output(0);
  });
  return graph.createOp({ type, inputs: tensors, attrs });
}

function shapeConstant(shape: readonly number[]): AttrInputs {
  return { dtype: 'int32', value: new TensorValue('int32', [shape.length], Int32Array.from(shape)) };
}

export function lower(op: Operation, facts: AdapterFacts): Lowered {
  const kernel = KERNELS[op.type as keyof typeof KERNELS];
  const inputs = op.inputs.map(({ dtype, shape }) => ({ dtype, shape: shape.toStatic() }));
  const outputs = op.outputs.map(({ dtype, shape }) => ({ dtype, shape: shape.toStatic() }));
  const at = <T>(list: readonly T[], i: number): T => {
    const item = list[i];
    if (item === undefined) throw new Error(`${op.type} has no operand ${i}`);
    return item;
  };
  const context: KernelContext = {
    op: op.type,
    name: op.name,
    attrs: op.attrs,
    inputs,
    outputs,
    adapter: facts,
    input: (i) => at(inputs, i),
    output: (i) => at(outputs, i),
    host: () => null,
    requireHost: (_, what) => {
      throw new Error(`${op.type} needs ${what}`);
    },
    unsupported: (why) => {
      throw new Error(why);
    },
  };
  if (kernel.kind === 'device') return adapted(kernel.lower(context), context, facts);
  if (kernel.kind === 'elementwise') {
    return adapted(lowerElementwise(elementwiseOfOp(kernel, context), facts), context, facts);
  }
  throw new Error(`${op.type} has no kernel of its own`);
}

const STORAGE_COPY_DST = 0x80 | 0x8;

/** Encodes all dispatches in one pass; the returned function submits them once. */
export function prepare(
  { device }: Bench,
  dispatches: readonly Omit<Dispatch, 'spec' | 'inPlace'>[],
  bufferOf: (source: BindingSource) => GPUBuffer,
): () => void {
  const steps = dispatches.map(({ wgsl, bindings, workgroups, label }) => {
    const module = device.createShaderModule({ code: wgsl });
    const pipeline = device.createComputePipeline({ label, layout: 'auto', compute: { module } });
    const entries = bindings.map(({ source }, binding) => ({
      binding,
      resource: { buffer: bufferOf(source) },
    }));
    return {
      pipeline,
      workgroups,
      group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    };
  });
  return () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
}

/**
 * Milliseconds since some moment: wall time; on a software adapter processor time over the number of cores, which
 * is what a run would take on an idle machine and does not grow with other load.
 */
function now({ facts }: Bench, cores: number): number {
  const { user, system } = process.cpuUsage();
  return facts.software ? (user + system) / 1000 / cores : performance.now();
}

/** Milliseconds of one run that keeps `cores` busy. */
export async function once(bench: Bench, run: () => void, cores = availableParallelism()): Promise<number> {
  const start = now(bench, cores);
  run();
  await finished(bench);
  return now(bench, cores) - start;
}

const CHAINS = 12;
const UNROLL = 8;
const TURNS = 400;

/** A measurement of GFLOP/s: independent chains of multiplications and additions in registers. */
export async function ceiling(bench: Bench): Promise<() => Promise<number>> {
  const chains = Array.from({ length: CHAINS }, (_, i) => i);
  const groups = 64;
  const wgsl = [
    '@group(0) @binding(0) var<storage, read_write> out: array<f32>;',
    '@compute @workgroup_size(64)',
    'fn main(@builtin(global_invocation_id) id: vec3<u32>) {',
    'let m = 1.0 - f32(id.x) * 1e-9;\nlet s = f32(id.x) * 1e-9;',
    ...chains.map((i) => `var c${i} = f32(id.x + ${i}u);`),
    `for (var t = 0u; t < ${TURNS}u; t++) {`,
    ...Array.from({ length: UNROLL }, () => chains.map((i) => `c${i} = c${i} * m + s;`).join(' ')),
    '}',
    `out[id.x] = ${chains.map((i) => `c${i}`).join(' + ')};`,
    '}',
  ].join('\n');
  const out = bench.device.createBuffer({ size: groups * 64 * 4, usage: STORAGE_COPY_DST });
  const source = { kind: 'output', index: 0 } as const;
  const binding = { name: 'out', source, access: 'read_write' } as const;
  const run = prepare(
    bench,
    [{ label: 'ceiling', wgsl, bindings: [binding], workgroups: [groups, 1, 1] }],
    () => out,
  );
  const rate = (milliseconds: number): number =>
    (groups * 64 * CHAINS * UNROLL * TURNS * 2) / milliseconds / 1e6;
  await once(bench, run);
  return async () => rate(await once(bench, run));
}

/** Buffers of the operands of a case, with small random numbers in the inputs. */
export function buffersOf({ device }: Bench, op: Operation, lowered: Lowered): Record<string, GPUBuffer[]> {
  const create = (bytes: number): GPUBuffer =>
    device.createBuffer({ size: Math.max(16, bytes), usage: STORAGE_COPY_DST });
  const input = op.inputs.map(({ shape }) => {
    const data = Float32Array.from({ length: shape.size ?? 0 }, () => Math.random() - 0.5);
    const buffer = create(data.byteLength);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  });
  const output = op.outputs.map(({ shape }) => create((shape.size ?? 0) * 4));
  return { input, output, scratch: (lowered.scratch ?? []).map(create) };
}

/** A measurement of GB/s, read and written: a copy of 64 MB between buffers. */
export async function copyRate(bench: Bench): Promise<() => Promise<number>> {
  const bytes = 2 ** 26;
  const [from, to] = [0, 1].map(() =>
    bench.device.createBuffer({ size: bytes, usage: STORAGE_COPY_DST | 0x4 }),
  ) as [GPUBuffer, GPUBuffer];
  const run = (): void => {
    const encoder = bench.device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    bench.device.queue.submit([encoder.finish()]);
  };
  // One core copies.
  const measure = (): Promise<number> => once(bench, run, 1);
  await measure();
  return async () => (2 * bytes) / (await measure()) / 1e6;
}
