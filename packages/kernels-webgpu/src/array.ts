/** Kernels of ops that rearrange, join, cut and index tensors. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const ARRAY_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
