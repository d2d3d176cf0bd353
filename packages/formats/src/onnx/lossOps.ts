/** Losses of ONNX over classes, whose axis is the second. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';

/** The loss from logarithms of probabilities [batch, classes, …] and numbers of classes [batch, …]. */
function likelihoodLoss(node: ImportNode, logits: Tensor, labels: Tensor): Tensor {
  const rank = logits.shape.rank ?? node.fail('the rank of input 0 is not known');
  const classes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const rows = fr.transpose(logits, { perm: [0, ...classes, 1] });
  const target = fr.cast(labels, 'int32');
  const ignored = node.hasAttribute('ignore_index') ? node.int('ignore_index', 0) : undefined;
  const counts =
    ignored === undefined ? undefined : fr.notEqual(target, fr.constant(ignored, { dtype: 'int32' }));
  const known = counts === undefined ? target : fr.whereV2(counts, target, fr.zerosLike(target));
  const picked = fr.gather(rows, fr.expandDims(known, -1), { axis: rank - 1, batchDims: rank - 1 });
  const own = fr.neg(fr.squeeze(picked, { axis: [-1] }));
  const given = node.has(2) ? fr.gather(node.input(2), known) : fr.onesLike(own);
  const weights = counts === undefined ? given : fr.whereV2(counts, given, fr.zerosLike(given));
  const losses = fr.mul(own, weights);
  const reduction = node.text('reduction', 'mean');
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return fr.reduceSum(losses);
  if (reduction !== 'mean') node.fail(`the reduction "${reduction}" is not known`);
  return fr.div(fr.reduceSum(losses), fr.reduceSum(weights));
}

/** The loss, and the logarithms of the probabilities. */
const softmaxCrossEntropy: NodeImporter = (node) => {
  const logits = fr.logSoftmax(node.input(0), { axis: 1 });
  return [likelihoodLoss(node, logits, node.input(1)), logits];
};

export const LOSS_OPS: Readonly<Record<string, NodeImporter>> = {
  NegativeLogLikelihoodLoss: (node) => likelihoodLoss(node, node.input(0), node.input(1)),
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
};
