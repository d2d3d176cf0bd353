/** Kernels of resource variables and assignments, saving and restoring. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const STATE_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
