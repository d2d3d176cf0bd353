/** Reading what decides how a run goes on. */
import { InternalError, sizeOf, type TensorValue } from '@forerun/graph';
import { BufferUsage, MapMode } from '../device/flags.js';
import type { DeviceHandle } from '../device/handle.js';
import { fromWords, transferBytes } from '../device/words.js';
import type { TextPool } from '../device/texts.js';
import type { RuntimeTensor } from './runtimeValues.js';

/** Brings the elements of tensors to the host, in one readback. */
export async function readTensors(handle: DeviceHandle, tensors: readonly RuntimeTensor[]): Promise<void> {
  const missing = tensors.filter((tensor) => tensor.value === null && tensor.buffer !== null);
  const bytes = missing.reduce((sum, { shape, dtype }) => sum + transferBytes(shape, dtype), 0);
  if (bytes === 0) return;
  const staging = handle.createBuffer(bytes, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'decision');
  try {
    const encoder = handle.device.createCommandEncoder();
    let offset = 0;
    for (const { buffer, shape, dtype } of missing) {
      const size = transferBytes(shape, dtype);
      if (buffer !== null) encoder.copyBufferToBuffer(buffer, 0, staging, offset, size);
      offset += size;
    }
    handle.queue.submit([encoder.finish()]);
    await handle.wait(staging.mapAsync(MapMode.READ));
    fill(missing, staging.getMappedRange(), handle.texts);
    staging.unmap();
  } finally {
    handle.destroyBuffer(staging);
  }
}

function fill(tensors: readonly RuntimeTensor[], mapped: ArrayBuffer, texts: TextPool): void {
  let offset = 0;
  for (const tensor of tensors) {
    const length = sizeOf(tensor.shape);
    tensor.value = fromWords(mapped, offset, tensor.dtype, tensor.shape, length, texts);
    offset += transferBytes(tensor.shape, tensor.dtype);
  }
}

/** The elements of one tensor, read where they are not there yet. */
export async function readTensor(handle: DeviceHandle, tensor: RuntimeTensor): Promise<TensorValue> {
  await readTensors(handle, [tensor]);
  if (tensor.value === null) throw new InternalError('a value was not read');
  return tensor.value;
}
