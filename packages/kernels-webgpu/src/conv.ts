/** Kernels of convolutions and their gradients. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const CONV_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
