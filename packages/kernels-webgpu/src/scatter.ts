/** Kernels of the family `scatter`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const SCATTER_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
