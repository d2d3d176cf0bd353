/** Kernels of the family `sort`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const SORT_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
