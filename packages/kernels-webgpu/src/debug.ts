/** Kernels of the family `debug`: the host carries these ops out between stretches of device work. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const onHost = hostOp('the host looks at the values');

export const DEBUG_KERNELS = {
  Assert: onHost,
  Print: onHost,
  PrintV2: onHost,
  StringFormat: onHost,
  CheckNumerics: onHost,
  PyFunc: onHost,
  PyFuncStateless: onHost,
} satisfies Partial<Record<OpName, Kernel>>;
