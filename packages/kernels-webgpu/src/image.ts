/** Kernels of the family `image`. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const IMAGE_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
