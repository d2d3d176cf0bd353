/** Kernels of the elementwise ops of one operand. */
import type { OpName } from '@forerun/graph';
import { elementwise, type Kernel } from './kernel.js';

export const UNARY_KERNELS = {
  Sqrt: elementwise('sqrt(x)'),
} satisfies Partial<Record<OpName, Kernel>>;
