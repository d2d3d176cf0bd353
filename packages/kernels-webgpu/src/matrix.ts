/** Kernels of matrix products. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const MATRIX_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
