/** Kernels of the family `dynamic`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const DYNAMIC_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
