/** Kernels of the family `list`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const LIST_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
