/** Kernels of the ops where values enter a graph or pass through it. */
import type { OpName } from '@forerun/graph';
import { composed, hostOp, view, type Kernel } from './kernel.js';

export const SOURCE_KERNELS = {
  Const: hostOp('the session uploads constants once'),
  HostConst: composed,
  Placeholder: hostOp('fed by the session'),
  PlaceholderWithDefault: view,
  Identity: view,
  IdentityN: hostOp('every output is the buffer of its input'),
  StopGradient: view,
  NoOp: hostOp('only orders other ops'),
} satisfies Partial<Record<OpName, Kernel>>;
