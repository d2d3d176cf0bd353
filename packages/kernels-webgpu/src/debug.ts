/** Kernels of the family `debug`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const DEBUG_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
