/** `fr.nn`: functions of neural networks. */
import { nn } from '@forerun/layers';

export {
  avgPool,
  biasAdd,
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropInput,
  depthToSpace,
  elu,
  fusedBatchNorm,
  inTopK,
  l2Loss,
  l2Normalize,
  leakyRelu,
  localResponseNormalization,
  logSoftmax,
  lrn,
  maxPool,
  moments,
  normalizeMoments,
  relu,
  relu6,
  selu,
  sigmoid,
  sigmoidCrossEntropyWithLogits,
  softmax,
  softmaxCrossEntropyWithLogits,
  softmaxCrossEntropyWithLogitsV2,
  softplus,
  softsign,
  spaceToDepth,
  sparseSoftmaxCrossEntropyWithLogits,
  sufficientStatistics,
  tanh,
  weightedMoments,
} from '@forerun/graph';
export const { batchNormalization, dropout, staticBidirectionalRnn, staticRnn, zeroFraction } = nn;
export { rnnCell } from '@forerun/layers';
export const {
  batchNormWithGlobalNormalization,
  batchNormalization,
  dropout,
  logPoissonLoss,
  staticRnn,
  zeroFraction,
} = nn;
