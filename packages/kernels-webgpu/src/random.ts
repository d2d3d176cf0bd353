/** Kernels of random numbers. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const RANDOM_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
