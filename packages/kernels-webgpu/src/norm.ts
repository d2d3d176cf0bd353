/** Kernels of normalization layers. */
import type { OpName } from '@forerun/graph';
import { lowerBatchNorm, lowerBatchNormGrad } from './batchNorm.js';
import { device, type Kernel } from './kernel.js';
import { lowerLrn, lowerLrnGrad } from './lrn.js';

export const NORM_KERNELS = {
  LRN: device(lowerLrn),
  LRNGrad: device(lowerLrnGrad),
  FusedBatchNorm: device(lowerBatchNorm),
  FusedBatchNormV2: device(lowerBatchNorm),
  FusedBatchNormV3: device(lowerBatchNorm),
  FusedBatchNormGrad: device(lowerBatchNormGrad),
  FusedBatchNormGradV2: device(lowerBatchNormGrad),
  FusedBatchNormGradV3: device(lowerBatchNormGrad),
} satisfies Partial<Record<OpName, Kernel>>;
