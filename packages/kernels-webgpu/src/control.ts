/** Kernels of the family `control`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const CONTROL_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
