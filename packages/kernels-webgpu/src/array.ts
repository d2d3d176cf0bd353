/** Kernels of ops that rearrange, join, cut and index tensors. */
import type { OpName } from '@forerun/graph';
import { view, type Kernel } from './kernel.js';

export const ARRAY_KERNELS = {
  Reshape: view,
  ExpandDims: view,
  Squeeze: view,
} satisfies Partial<Record<OpName, Kernel>>;
