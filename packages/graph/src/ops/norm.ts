/** Ops of normalization layers: local response normalization, fused batch normalization. */
import type { OpDef } from '../opDef.js';
import { FUSED_BATCH_NORM } from './fusedBatchNorm.js';
import { LRN } from './lrn.js';

export const NORM = { ...LRN, ...FUSED_BATCH_NORM } satisfies Record<string, OpDef>;

export { fusedBatchNorm, type BatchNormFormat, type FusedBatchNormOptions } from './fusedBatchNorm.js';
export { localResponseNormalization, lrn, type LrnOptions } from './lrn.js';
