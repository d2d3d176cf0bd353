/** `fr.nn`: functions of neural networks. */
import { nn } from '@forerun/layers';

export {
  avgPool,
  biasAdd,
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropInput,
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
  sparseSoftmaxCrossEntropyWithLogits,
  tanh,
} from '@forerun/graph';
export const { batchNormalization, dropout, zeroFraction } = nn;
