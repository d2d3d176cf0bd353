/**
 * Run by Jest before every test file: destroys the devices that the file made when its tests are done. A worker runs
 * one file after another, and its thousands of pipelines would use up the mappings of memory that Linux grants a process.
 */
import { afterAll, expect } from '@jest/globals';

if (expect.getState().testPath?.endsWith('.gpu.test.ts')) {
  const { globals } = await import('webgpu');
  const { prototype } = (globals as { GPUAdapter: { prototype: GPUAdapter } }).GPUAdapter;
  const { requestDevice } = prototype;
  const made: GPUDevice[] = [];

  prototype.requestDevice = async function (this: GPUAdapter, descriptor) {
    const device = await requestDevice.call(this, descriptor);
    made.push(device);
    return device;
  };
  afterAll(() => {
    prototype.requestDevice = requestDevice;
    for (const device of made) device.destroy();
  });
}
