/** Kernels of neural network ops: bias, softmax, cross-entropies. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const NN_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
