/**
 * Finds a WebGPU device: the browser's own, or Dawn from npm `webgpu` in Node. There is one device
 * per process; sessions share it. The object that Dawn's `create()` returns must stay referenced as
 * long as the process lives: when it is collected, the process aborts.
 */
import { UnavailableError } from '@forerun/graph';
import { factsOf } from './facts.js';
import { DeviceHandle } from './handle.js';

const FEATURES: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];

/** Kept for the life of the process; see above. */
const kept: GPU[] = [];
let shared: Promise<DeviceHandle> | undefined;

/** The process's device, acquired on first use. Throws `UnavailableError` saying what to install. */
export function sharedDevice(): Promise<DeviceHandle> {
  shared ??= acquireShared();
  return shared;
}

/** Acquires a device and forgets it when it is lost, so that the next session begins on a new one. */
function acquireShared(): Promise<DeviceHandle> {
  const acquired = acquire();
  const forget = (): void => {
    if (shared === acquired) shared = undefined;
  };
  acquired.then(({ device }) => device.lost).then(forget, forget);
  return acquired;
}

/**
 * Destroys the process's device with every buffer and pipeline on it; the next session makes a new one. Pipelines
 * live as long as their device, and software adapters map memory for each: a process that goes through thousands of
 * graphs gives it back here. Close the sessions first: one that is open on the device fails with `AbortedError` from
 * then on. Does nothing where no session was made, or where sessions run on devices that the caller made.
 */
export async function releaseDevice(): Promise<void> {
  const held = shared;
  const handle = await held?.catch(() => undefined);
  if (handle === undefined) return;
  // What was acquired in the meantime stays.
  if (shared === held) shared = undefined;
  handle.device.destroy();
  await handle.device.lost;
}

/** Wraps a device that the caller made. */
export function wrapDevice(device: GPUDevice): DeviceHandle {
  return new DeviceHandle(device, factsOf(device, device.adapterInfo));
}

async function acquire(): Promise<DeviceHandle> {
  const adapter = await findAdapter();
  const device = await adapter.requestDevice({
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits: adapterLimits(adapter),
  });
  return new DeviceHandle(device, factsOf(device, adapter.info));
}

/** The limits that matter here, as high as the adapter goes. */
function adapterLimits(adapter: GPUAdapter): Record<string, number> {
  const { limits } = adapter;
  return {
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
}

async function findAdapter(): Promise<GPUAdapter> {
  const browser = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (browser === undefined && !isNode()) throw new UnavailableError(NO_WEBGPU_IN_PAGE);
  const adapter = browser === undefined ? await dawnAdapter() : await browser.requestAdapter(PREFERENCE);
  if (adapter === null) throw new UnavailableError(noAdapterMessage(browser !== undefined));
  return adapter;
}

function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
}

const NO_WEBGPU_IN_PAGE =
  'this page has no WebGPU (navigator.gpu): browsers give it to pages of https and of localhost alone; ' +
  'use a recent Chrome, Edge, Firefox or Safari';

const PREFERENCE: GPURequestAdapterOptions = { powerPreference: 'high-performance' };

async function dawnAdapter(): Promise<GPUAdapter | null> {
  const { create, globals } = await loadDawn();
  Object.assign(globalThis, globals);
  for (const backend of [[], ['backend=vulkan']]) {
    const gpu = create([...backend, 'disable-dawn-features=timestamp_quantization']);
    kept.push(gpu);
    const adapter = await gpu.requestAdapter(PREFERENCE);
    if (adapter !== null) return adapter;
  }
  return null;
}

type Dawn = typeof import('webgpu');

async function loadDawn(): Promise<Dawn> {
  try {
    return await import('webgpu');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnavailableError(
      `the npm package "webgpu" (Dawn) cannot be loaded here: ${reason}. It ships binaries for Linux, macOS and Windows on x64 and arm64; on Linux it needs glibc 2.34 or later`,
      { cause },
    );
  }
}

function noAdapterMessage(browser: boolean): string {
  if (browser) {
    return 'the browser offers no WebGPU adapter: use a recent Chrome, Edge, Firefox or Safari with hardware acceleration on';
  }
  return (
    'no WebGPU adapter was found. On Linux install a Vulkan driver: the one of your GPU, or for a software adapter ' +
    'mesa-vulkan-drivers 23.1 or later (Ubuntu 24.04: apt-get install mesa-vulkan-drivers; Debian 12: the same from bookworm-backports)'
  );
}
