/** Kernels of the family `string`: texts live on the host. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const onHost = hostOp('texts live on the host');

export const STRING_KERNELS = {
  StringToHashBucket: onHost,
  StringToHashBucketFast: onHost,
  StringToHashBucketStrong: onHost,
  AsString: onHost,
} satisfies Partial<Record<OpName, Kernel>>;
