/** Kernels of pooling and its gradients. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const POOL_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
