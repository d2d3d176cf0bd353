/** Kernels of the family `string`: what texts say is for the host. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const onHost = hostOp('on the device a text is a number that stands for it');

export const STRING_KERNELS = {
  StringToHashBucket: onHost,
  StringToHashBucketFast: onHost,
  StringToHashBucketStrong: onHost,
  AsString: onHost,
  StringLower: onHost,
  StringUpper: onHost,
  StringStrip: onHost,
  StringLength: onHost,
  StringToNumber: onHost,
  Substr: onHost,
  RegexReplace: onHost,
  StaticRegexReplace: onHost,
  RegexFullMatch: onHost,
  StaticRegexFullMatch: onHost,
  StringSplit: onHost,
  StringSplitV2: onHost,
  StringJoin: onHost,
  ReduceJoin: onHost,
  StringNGrams: onHost,
} satisfies Partial<Record<OpName, Kernel>>;
