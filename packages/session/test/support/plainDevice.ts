/** A device without optional features, whatever the adapter has. */
import { create } from 'webgpu';

/** Kept referenced for the life of the process: the driver ends with these objects. */
const kept: GPU[] = [];

export async function plainDevice(): Promise<GPUDevice> {
  for (const options of [[], ['backend=vulkan']]) {
    const gpu = create(options);
    kept.push(gpu);
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) return adapter.requestDevice();
  }
  throw new Error('there is no WebGPU adapter');
}
