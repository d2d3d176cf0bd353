/** Kernels that compare with thresholds: the bin that a number falls into, bits that say which numbers are larger. */
import { baseDType, isFloating, sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { float32Bits, loaded } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { dataBinding, inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** The number of boundaries that are not larger, by bisection; all of them for NaN. */
function lowerBucketize(c: KernelContext): Lowered {
  const size = sizeOf(c.output(0).shape);
  if (size === 0) return { dispatches: [] };
  const boundaries = c.attrs.floats('boundaries');
  const nan = isFloating(c.input(0).dtype) ? 'is_nan(input[i]) || ' : '';
  const grid = gridFor(size, 1, c.adapter);
  const body = `let x = f32(input[i]);
var low = 0u;
var high = ${boundaries.length}u;
while (low < high) {
  let middle = (low + high) / 2u;
  if (${nan}bitcast<f32>(boundaries[middle]) <= x) {
    low = middle + 1u;
  } else {
    high = middle;
  }
}
out[i] = i32(low);`;
  const table = Uint32Array.from([...boundaries, 0], float32Bits);
  const bindings = [inputBinding(c, 0, 'input'), dataBinding(table, 'boundaries'), outputBinding(c)];
  return {
    dispatches: [
      shader({ label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter),
    ],
  };
}

/** Eight comparisons in a row make a byte, the first its highest bit. */
function lowerBitpack(c: KernelContext): Lowered {
  const size = sizeOf(c.output(0).shape);
  if (size === 0) return { dispatches: [] };
  const { dtype } = c.input(0);
  const isBool = baseDType(dtype) === 'bool';
  const above = (at: string): string =>
    isBool ? loaded(`input[${at}]`, dtype) : `input[${at}] > threshold[0]`;
  const grid = gridFor(size, 1, c.adapter);
  const body = `var byte = 0u;
for (var k = 0u; k < 8u; k += 1u) {
  byte = (byte << 1u) | u32(${above('8u * i + k')});
}
out[i] = byte;`;
  const threshold = isBool ? [] : [inputBinding(c, 1, 'threshold')];
  const bindings = [inputBinding(c, 0, 'input'), ...threshold, outputBinding(c)];
  return {
    dispatches: [
      shader({ label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter),
    ],
  };
}

export const BUCKETIZE_KERNELS = {
  Bucketize: device(lowerBucketize),
  CompareAndBitpack: device(lowerBitpack),
} satisfies Partial<Record<OpName, Kernel>>;
