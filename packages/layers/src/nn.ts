/** The part of `fr.nn` that is composed of graph ops. */
export { ctcLossV2, type CtcLossV2Options } from './nnCtc.js';
export { dropout, type DropoutOptions } from './nnDropout.js';
export { embeddingLookup, type EmbeddingOptions, type EmbeddingTable } from './nnEmbedding.js';
export {
  embeddingLookupSparse,
  safeEmbeddingLookupSparse,
  type SafeEmbeddingOptions,
  type SparseEmbeddingOptions,
} from './nnEmbeddingSparse.js';
export { weightedCrossEntropyWithLogits } from './nnLosses.js';
export { nceLoss, sampledSoftmaxLoss, type SampledLossOptions } from './nnSampled.js';
export { logPoissonLoss } from './logPoissonLoss.js';
export { batchNormWithGlobalNormalization, batchNormalization, zeroFraction } from './nnNorms.js';
export { staticRnn } from './rnnStatic.js';
export { staticStateSavingRnn, type StateSaver } from './rnnStateSaving.js';
export type { RNNOptions } from './rnnSteps.js';
export {
  bidirectionalDynamicRnn,
  staticBidirectionalRnn,
  type BidirectionalDynamicOptions,
  type BidirectionalOptions,
} from './rnnBidirectional.js';
export { dynamicRnn, type DynamicRnnOptions, type LoopOptions } from './rnnDynamic.js';
export { rawRnn, type RawRnnLoopFn, type RawRnnOptions, type RawRnnStep } from './rnnRaw.js';
