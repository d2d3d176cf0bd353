/** Kernels of the family `segment`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const SEGMENT_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
