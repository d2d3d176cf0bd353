/** Kernels of the family `norm`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const NORM_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
