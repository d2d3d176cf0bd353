/** Which op types this version of Forerun can run. */
import { OPS, type Operation, type OpName } from '@forerun/graph';
import { KERNELS, type Kernel } from '@forerun/kernels-webgpu';

/** True for registered op types. */
export function isOpName(type: string): type is OpName {
  return Object.hasOwn(OPS, type);
}

/** The kernel of an op type, or `undefined` for a type that is not registered. */
export function kernelOf(type: string): Kernel | undefined {
  return isOpName(type) ? KERNELS[type] : undefined;
}

/** Control flow of version 1, which is not registered: sessions make loops, conditionals and lists of it. */
const VERSION_1 =
  /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^(LoopCond|ControlTrigger)$|^(TensorArray|Stack)/;

/** What of a node decides whether it can run: its type, and for calls the function. */
export interface OpKind {
  readonly type: string;
  readonly def?: Operation['def'];
}

/** Why nodes like this one cannot run, or `undefined` when they can. A node whose type is a function's name is a call. */
export function whyUnsupported({ type, def }: OpKind): string | undefined {
  if (VERSION_1.test(type) || def?.functionName !== undefined) return undefined;
  const kernel = kernelOf(type);
  if (kernel === undefined) return 'the op is not known';
  return kernel.kind === 'unsupported' ? kernel.reason : undefined;
}
