// Asks once for a WebGPU adapter and prints what it found as one line of JSON. Run as a child process, since a
// driver that fails can take its process with it. The arguments are those of `create()`, for example backend=vulkan.

// Held for the life of the process: Dawn ends, and aborts, when this object is collected.
let gpu;

async function probe() {
  const { create } = await import('webgpu');
  gpu = create(process.argv.slice(2));
  const adapter = await gpu.requestAdapter();
  if (adapter === null) return { found: false, reason: 'no WebGPU adapter' };
  const device = await adapter.requestDevice();
  const { vendor, architecture, device: model, description } = adapter.info;
  device.destroy();
  return { found: true, vendor, architecture, device: model, description };
}

const answer = await probe().catch((error) => ({ found: false, reason: String(error?.message ?? error) }));
console.log(JSON.stringify(answer));
