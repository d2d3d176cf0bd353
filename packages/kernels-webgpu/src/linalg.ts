/** Kernels of the family `linalg`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const LINALG_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
