/** Kernels of the family `control`: the session itself carries these ops out. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const inlined = hostOp('the body of the function stands in its place, or the session calls it');

export const CONTROL_KERNELS = {
  If: inlined,
  StatelessIf: inlined,
  Case: inlined,
  StatelessCase: inlined,
  While: inlined,
  StatelessWhile: inlined,
  PartitionedCall: inlined,
  StatefulPartitionedCall: inlined,
  SymbolicGradient: inlined,
} satisfies Partial<Record<OpName, Kernel>>;
