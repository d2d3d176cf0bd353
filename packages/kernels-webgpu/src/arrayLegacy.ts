/** Kernels of older and internal array ops that pass a tensor on. */
import { type DType, type OpName } from '@forerun/graph';
import { elementwise, hostOp, view, type Kernel, type KernelContext } from './kernel.js';
import { storageType } from './wgsl/dtype.js';

const WHOLE_WORDS: ReadonlySet<DType> = new Set<DType>(['float32', 'int32', 'uint32']);

/** Narrower dtypes take a word each on the device, so only 32-bit ones have the bits that files have. */
function bitcast(c: KernelContext): string {
  const [from, to] = [c.attrs.type('T'), c.attrs.type('type')];
  if (!WHOLE_WORDS.has(from) || !WHOLE_WORDS.has(to)) {
    c.unsupported(`a bitcast from ${from} to ${to} is not done on the device: both must have 32 bits`);
  }
  return `bitcast<${storageType(to)}>(input)`;
}

export const LEGACY_KERNELS = {
  ConcatOffset: hostOp('known when the plan is compiled'),
  DeepCopy: elementwise('x'),
  Snapshot: view,
  GuaranteeConst: view,
  PreventGradient: view,
  PlaceholderV2: hostOp('fed by the session'),
  Bitcast: elementwise(bitcast),
} satisfies Partial<Record<OpName, Kernel>>;
