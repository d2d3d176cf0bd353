/**
 * The WebGPU device of a test file. Jest gives every test file its own globals and modules; core module objects are
 * what they have in common, so what must outlive a file hangs there.
 */
import os from 'node:os';
import { create } from 'webgpu';
import type { AdapterFacts } from '@forerun/kernels-webgpu';
import { UnavailableError } from '@forerun/graph';

/** A device, what lowering needs to know of it, and the errors it reported outside of error scopes. */
export interface TestDevice {
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
  /** Drained by `throwErrors`. */
  readonly errors: string[];
}

const KEY = Symbol.for('forerun.testing.gpu');

/** What `create` gave, kept referenced for the life of the process: the driver ends with these objects. */
function kept(): GPU[] {
  const holder: object & { [KEY]?: GPU[] } = os satisfies object;
  const entries = holder[KEY] ?? [];
  holder[KEY] = entries;
  return entries;
}

let device: Promise<TestDevice> | undefined;

/** The device of the test file; created on the first call. Throws `UnavailableError` when there is no adapter. */
export function testDevice(): Promise<TestDevice> {
  return (device ??= start());
}

async function start(): Promise<TestDevice> {
  for (const options of [[], ['backend=vulkan']]) {
    const gpu = create(options);
    kept().push(gpu);
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) return openDevice(adapter);
  }
  throw new UnavailableError('there is no WebGPU adapter: install a Vulkan driver');
}

const WANTED: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];

async function openDevice(adapter: GPUAdapter): Promise<TestDevice> {
  const requiredFeatures = WANTED.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits: allLimits(adapter.limits) });
  const errors: string[] = [];
  device.addEventListener('uncapturederror', (event) => errors.push(event.error.message));
  void device.lost.then((info) => errors.push(`the device was lost (${info.reason}): ${info.message}`));
  return { device, facts: adapterFacts(adapter, device), errors };
}

function allLimits(limits: GPUSupportedLimits): Record<string, number> {
  const result: Record<string, number> = {};
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') result[name] = value;
  }
  return result;
}

function adapterFacts(adapter: GPUAdapter, device: GPUDevice): AdapterFacts {
  const { info } = adapter;
  const { limits } = device;
  const size = info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMinSize : 0;
  return {
    subgroupSize: device.features.has('subgroups') ? (size ?? 0) : 0,
    software:
      info.isFallbackAdapter ||
      /llvmpipe|swiftshader|lavapipe/i.test(`${info.architecture} ${info.description}`),
    shaderF16: device.features.has('shader-f16'),
    maxBindings: limits.maxStorageBuffersPerShaderStage,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    ...forcedChoice(process.env.FORERUN_TUNE_CHOICE),
  };
}

/** With `FORERUN_TUNE_CHOICE=i`, kernels take their candidate `i` (modulo their number) in place of the default. */
function forcedChoice(text: string | undefined): Pick<AdapterFacts, 'choose'> {
  if (text === undefined || text === '') return {};
  if (!/^\d+$/.test(text)) throw new RangeError(`FORERUN_TUNE_CHOICE is "${text}": expected a whole number`);
  return { choose: ({ candidates }) => Number(text) % candidates.length };
}

/** Throws what the device reported since the last call. */
export function throwErrors({ errors }: TestDevice, during: string): void {
  const found = errors.splice(0);
  if (found.length > 0) throw new Error(`${during}: ${found.join('\n')}`);
}

const cell = new Int32Array(new SharedArrayBuffer(4));
const NAP_MS = 0.2;

/**
 * Waits for the device. The binding polls without pause while a promise is pending, which takes a
 * core away from an adapter that computes on the CPU; short naps between polls give it back.
 */
export async function settle<T>(promise: Promise<T>, { facts }: TestDevice): Promise<T> {
  if (!facts.software) return promise;
  const state = { pending: true };
  const end = (): void => {
    state.pending = false;
  };
  promise.then(end, end);
  while (state.pending) {
    Atomics.wait(cell, 0, 0, NAP_MS);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return promise;
}
