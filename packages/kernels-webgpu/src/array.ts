/**
 * Kernels of ops that rearrange, join, cut and index tensors. Ops that only change the shape are views;
 * the others are in files by how they find their elements: by strides (arrayCopy.ts), by a rule per
 * dimension (arrayBorder.ts), by indices (arrayIndex.ts).
 */
import type { OpName } from '@forerun/graph';
import { BLOCK_KERNELS } from './arrayBlock.js';
import { BORDER_KERNELS } from './arrayBorder.js';
import { COPY_KERNELS } from './arrayCopy.js';
import { DATA_FORMAT_KERNELS } from './dataFormat.js';
import { INDEX_KERNELS } from './arrayIndex.js';
import { LEGACY_KERNELS } from './arrayLegacy.js';
import { ORDER_KERNELS } from './arrayOrder.js';
import { view, type Kernel } from './kernel.js';

export const ARRAY_KERNELS = {
  Reshape: view,
  ExpandDims: view,
  Squeeze: view,
  ...COPY_KERNELS,
  ...BORDER_KERNELS,
  ...INDEX_KERNELS,
  ...BLOCK_KERNELS,
  ...ORDER_KERNELS,
  ...LEGACY_KERNELS,
  ...DATA_FORMAT_KERNELS,
} satisfies Partial<Record<OpName, Kernel>>;
