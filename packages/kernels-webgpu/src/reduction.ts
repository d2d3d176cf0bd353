/** Kernels of reductions over axes. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const REDUCTION_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
