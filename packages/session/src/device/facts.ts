/** What the compiler wants to know of an adapter. */
import type { AdapterFacts } from '@forerun/kernels-webgpu';

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|microsoft basic render/i;

/** Facts of a device. Subgroups count only when their size is the same for every pipeline. */
export function factsOf(device: GPUDevice, info: GPUAdapterInfo): AdapterFacts {
  const { limits } = device;
  const { subgroupMinSize = 0, subgroupMaxSize } = info;
  const fixed = device.features.has('subgroups') && subgroupMinSize === subgroupMaxSize;
  return {
    subgroupSize: fixed ? subgroupMinSize : 0,
    software: SOFTWARE.test(`${info.architecture} ${info.description} ${info.device}`),
    shaderF16: device.features.has('shader-f16'),
    maxBindings: limits.maxStorageBuffersPerShaderStage,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
  };
}

/** A readable name of the adapter. */
export function adapterName(info: GPUAdapterInfo): string {
  return [info.vendor, info.architecture, info.description].filter((part) => part !== '').join(' ');
}
