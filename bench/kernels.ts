/**
 * Measures single contraction kernels: `node bench/dist/kernels.js [filter]`. Prints milliseconds
 * (the best of a few runs), GFLOP/s, and the fraction of the adapter's arithmetic ceiling.
 */
import { availableParallelism } from 'node:os';
import { Graph, TensorValue, type AttrInputs, type Operation } from '@forerun/graph';
import {
  KERNELS,
  type AdapterFacts,
  type BindingSource,
  type Dispatch,
  type KernelContext,
  type Lowered,
} from '@forerun/kernels-webgpu';
import { create } from 'webgpu';

/** The driver lives as long as this object. */
const gpu = create([]);
const RUNS = 5;

interface Case {
  readonly name: string;
  readonly type: 'MatMul' | 'Conv2D' | 'Conv2DBackpropInput' | 'Conv2DBackpropFilter';
  readonly inputs: readonly (readonly number[])[];
  readonly attrs: AttrInputs;
  readonly gflop: number;
  /** Part of a training step of the MNIST network at batch 128. */
  readonly step: boolean;
}

function matMul(m: number, k: number, n: number, step: boolean, ta = false, tb = false): Case {
  return {
    name: `matMul ${m}x${k}x${n}${ta ? ' AᵀB' : ''}${tb ? ' ABᵀ' : ''}`,
    type: 'MatMul',
    inputs: [ta ? [k, m] : [m, k], tb ? [n, k] : [k, n]],
    attrs: { transpose_a: ta, transpose_b: tb },
    gflop: (2 * m * k * n) / 1e9,
    step,
  };
}

/** A product and both its gradients. */
function dense(m: number, k: number, n: number, step: boolean): Case[] {
  return [matMul(m, k, n, step), matMul(k, m, n, step, true), matMul(m, n, k, step, false, true)];
}

/** A convolution and its gradients, SAME padding; `first` layers have no gradient of the input. */
function conv(
  batch: number,
  size: number,
  k: number,
  ci: number,
  co: number,
  stride = 1,
  step = false,
): Case[] {
  const out = Math.ceil(size / stride);
  const [x, w, y] = [
    [batch, size, size, ci],
    [k, k, ci, co],
    [batch, out, out, co],
  ] as const;
  const name = `conv ${k}x${k}/${stride} ${ci}->${co} ${size}² b${batch}`;
  const attrs = { strides: [1, stride, stride, 1], padding: 'SAME' };
  const gflop = (2 * batch * out * out * k * k * ci * co) / 1e9;
  const common = { attrs, gflop, step };
  return [
    { ...common, name, type: 'Conv2D', inputs: [x, w] },
    {
      ...common,
      name: `${name} dInput`,
      type: 'Conv2DBackpropInput',
      inputs: [x, w, y],
      step: step && ci > 1,
    },
    { ...common, name: `${name} dFilter`, type: 'Conv2DBackpropFilter', inputs: [x, w, y] },
  ];
}

const CASES: readonly Case[] = [
  ...conv(128, 28, 5, 1, 32, 1, true),
  ...conv(128, 14, 5, 32, 64, 1, true),
  ...dense(128, 3136, 1024, true),
  ...dense(128, 1024, 10, true),
  ...dense(128, 784, 128, false),
  matMul(1024, 1024, 1024, false),
  matMul(1, 3136, 1024, false),
  ...conv(8, 56, 3, 64, 64),
  ...conv(8, 56, 3, 64, 128, 2),
  ...conv(64, 32, 3, 3, 32),
];

interface Bench {
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
}

async function open(): Promise<Bench> {
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

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Waits with naps where the adapter computes on the CPU: polling would take a core away from it. */
async function finished({ device, facts }: Bench): Promise<void> {
  const state = { done: !facts.software };
  const work = device.queue.onSubmittedWorkDone().then(() => (state.done = true));
  while (!state.done) {
    Atomics.wait(cell, 0, 0, 0.2);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await work;
}

/** The node of a case. The shape inputs of the gradients are constants. */
function nodeOf({ type, inputs, attrs }: Case): Operation {
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

function lower(op: Operation, facts: AdapterFacts): Lowered {
  const kernel = KERNELS[op.type as keyof typeof KERNELS];
  if (kernel.kind !== 'device') throw new Error(`${op.type} is no device kernel`);
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
  return kernel.lower(context);
}

const STORAGE_COPY_DST = 0x80 | 0x8;

/** Encodes all dispatches in one pass; the returned function submits them once. */
function prepare(
  { device }: Bench,
  dispatches: readonly Dispatch[],
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

interface Timing {
  /** The first run, which compiles: that takes one core. */
  readonly first: number;
  /** The shortest of the following runs. */
  readonly best: number;
}

/**
 * Milliseconds of wall time; on a software adapter of processor time over the number of cores, which
 * is what the run would take on an idle machine and does not grow with other load.
 */
async function time(bench: Bench, run: () => void): Promise<Timing> {
  const cores = availableParallelism();
  const now = (): number => {
    const { user, system } = process.cpuUsage();
    return bench.facts.software ? (user + system) / 1000 / cores : performance.now();
  };
  const once = async (): Promise<number> => {
    const start = now();
    run();
    await finished(bench);
    return now() - start;
  };
  const first = (await once()) * (bench.facts.software ? cores : 1);
  let best = Infinity;
  for (let i = 0; i < RUNS; i++) best = Math.min(best, await once());
  return { first, best };
}

const CHAINS = 12;
const UNROLL = 8;
const TURNS = 400;

/** GFLOP/s of independent chains of multiplications and additions in registers. */
async function ceiling(bench: Bench): Promise<number> {
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
  const { best } = await time(bench, run);
  out.destroy();
  return (groups * 64 * CHAINS * UNROLL * TURNS * 2) / best / 1e6;
}

/** Buffers of the operands of a case, with small random numbers in the inputs. */
function buffersOf({ device }: Bench, op: Operation, lowered: Lowered): Record<string, GPUBuffer[]> {
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

async function measure(bench: Bench, test: Case, peak: number): Promise<Timing> {
  const op = nodeOf(test);
  const lowered = lower(op, bench.facts);
  const buffers = buffersOf(bench, op, lowered);
  const run = prepare(bench, lowered.dispatches, (source) => {
    const buffer = 'index' in source ? buffers[source.kind]?.[source.index] : undefined;
    if (buffer === undefined) throw new Error(`${test.name}: a binding of kind ${source.kind}`);
    return buffer;
  });
  const result = await time(bench, run);
  for (const buffer of Object.values(buffers).flat()) buffer.destroy();
  const rate = (test.gflop / result.best) * 1e3;
  const columns = [
    test.name.padEnd(36),
    `${result.best.toFixed(2).padStart(8)} ms`,
    `${rate.toFixed(1).padStart(7)} GFLOP/s`,
    `${((100 * rate) / peak).toFixed(0).padStart(4)}%`,
    `first ${result.first.toFixed(0).padStart(5)} ms`,
    lowered.dispatches.map(({ label }) => label.replace(/^\w+\./, '')).join(' + '),
  ];
  console.log(columns.join('  '));
  return result;
}

async function main(): Promise<void> {
  const filter = process.argv[2] ?? '';
  const bench = await open();
  const peak = Math.max(await ceiling(bench), await ceiling(bench));
  console.log(`arithmetic ceiling ${peak.toFixed(0)} GFLOP/s`);
  const step = { best: 0, first: 0 };
  for (const test of CASES.filter(({ name, step: part }) =>
    filter === 'step' ? part : name.includes(filter),
  )) {
    const { best, first } = await measure(bench, test, peak);
    if (test.step) {
      step.best += best;
      step.first += first - best;
    }
  }
  console.log(
    `MNIST network at batch 128: ${step.best.toFixed(0)} ms a step, ${step.first.toFixed(0)} ms to compile`,
  );
  bench.device.destroy();
}

await main();
