/** Kernels of elementwise ops of two or three operands: arithmetic, comparison, logic, selection. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';

export const BINARY_KERNELS = {} satisfies Partial<Record<OpName, Kernel>>;
