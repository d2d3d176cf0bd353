/** Kernels of ops that speak of shapes, or make tensors from them. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const SHAPE_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
