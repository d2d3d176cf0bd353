/** Which op types this version of Forerun can run. */
import { OPS, type OpName } from '@forerun/graph';
import { KERNELS, type Kernel } from '@forerun/kernels-webgpu';

/** True for registered op types. */
export function isOpName(type: string): type is OpName {
  return Object.hasOwn(OPS, type);
}

/** The kernel of an op type, or `undefined` for a type that is not registered. */
export function kernelOf(type: string): Kernel | undefined {
  return isOpName(type) ? KERNELS[type] : undefined;
}

/** Why nodes of this type cannot run, or `undefined` when they can. */
export function whyUnsupported(type: string): string | undefined {
  const kernel = kernelOf(type);
  if (kernel === undefined) return 'the op is not known';
  return kernel.kind === 'unsupported' ? kernel.reason : undefined;
}
