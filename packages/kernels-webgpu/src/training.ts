/** Kernels of optimizer updates. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const TRAINING_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
