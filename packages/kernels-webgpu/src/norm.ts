/** Kernels of normalization layers. */
import type { OpName } from '@forerun/graph';
import { lowerBatchNorm, lowerBatchNormGrad } from './batchNorm.js';
import { STORES_ONCE, device, type Kernel } from './kernel.js';
import { lowerLrn, lowerLrnGrad } from './lrn.js';

export const NORM_KERNELS = {
  LRN: device(lowerLrn),
  LRNGrad: device(lowerLrnGrad),
  FusedBatchNorm: device(lowerBatchNorm, STORES_ONCE),
  FusedBatchNormV2: device(lowerBatchNorm, STORES_ONCE),
  FusedBatchNormV3: device(lowerBatchNorm, STORES_ONCE),
  FusedBatchNormGrad: device(lowerBatchNormGrad, STORES_ONCE),
  FusedBatchNormGradV2: device(lowerBatchNormGrad, STORES_ONCE),
  FusedBatchNormGradV3: device(lowerBatchNormGrad, STORES_ONCE),
} satisfies Partial<Record<OpName, Kernel>>;
