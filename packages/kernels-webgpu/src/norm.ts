/** Kernels of normalization layers. */
import type { OpName } from '@forerun/graph';
import { lowerBatchNorm, lowerBatchNormGrad } from './batchNorm.js';
import { STORES_ONCE, device, type Kernel, type KernelFacts } from './kernel.js';
import { lowerLrn, lowerLrnGrad } from './lrn.js';

const NORMALIZES: KernelFacts = { ...STORES_ONCE, work: 'pass' };

export const NORM_KERNELS = {
  LRN: device(lowerLrn),
  LRNGrad: device(lowerLrnGrad),
  FusedBatchNorm: device(lowerBatchNorm, NORMALIZES),
  FusedBatchNormV2: device(lowerBatchNorm, NORMALIZES),
  FusedBatchNormV3: device(lowerBatchNorm, NORMALIZES),
  FusedBatchNormGrad: device(lowerBatchNormGrad, NORMALIZES),
  FusedBatchNormGradV2: device(lowerBatchNormGrad, NORMALIZES),
  FusedBatchNormGradV3: device(lowerBatchNormGrad, NORMALIZES),
} satisfies Partial<Record<OpName, Kernel>>;
