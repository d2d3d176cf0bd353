/** Normalizations of ONNX. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { perChannel } from './windows.js';

const axesFrom = (first: number, rank: number): number[] =>
  Array.from({ length: rank - first }, (_, i) => first + i);

/** Normalization by the batch's own statistics, and the running ones after it. */
function batchStatistics(node: ImportNode): Tensor[] {
  const [x, rank] = [node.input(0), node.rank(0)];
  const axis = [0, ...axesFrom(2, rank)];
  const mean = fr.reduceMean(x, { axis });
  const variance = fr.reduceMean(fr.square(fr.sub(x, perChannel(mean, rank))), { axis });
  const factor = fr.div(node.input(1), fr.sqrt(fr.add(variance, node.float('epsilon', 1e-5))));
  const shift = fr.sub(node.input(2), fr.mul(mean, factor));
  const momentum = node.float('momentum', 0.9);
  const running = (before: Tensor, now: Tensor): Tensor =>
    fr.add(fr.mul(before, momentum), fr.mul(now, 1 - momentum));
  const y = fr.add(fr.mul(x, perChannel(factor, rank)), perChannel(shift, rank));
  return [y, running(node.input(3), mean), running(node.input(4), variance)];
}

const batchNormalization: NodeImporter = (node) => {
  if (node.int('training_mode', 0) !== 0) return batchStatistics(node);
  const rank = node.rank(0);
  if (node.int('spatial', 1) !== 1) node.fail('statistics of every position (spatial = 0) are not supported');
  const factor = fr.div(node.input(1), fr.sqrt(fr.add(node.input(4), node.float('epsilon', 1e-5))));
  const shift = fr.sub(node.input(2), fr.mul(node.input(3), factor));
  return fr.add(fr.mul(node.input(0), perChannel(factor, rank)), perChannel(shift, rank));
};

/** The elements less their mean, divided by their deviation; the mean; one over the deviation. */
function standardized(node: ImportNode, x: Tensor, axes: readonly number[]): [Tensor, Tensor, Tensor] {
  const mean = fr.reduceMean(x, { axis: [...axes], keepDims: true });
  const centred = fr.sub(x, mean);
  const variance = fr.reduceMean(fr.mul(centred, centred), { axis: [...axes], keepDims: true });
  const factor = fr.rsqrt(fr.add(variance, node.float('epsilon', 1e-5)));
  return [fr.mul(centred, factor), mean, factor];
}

function normalized(node: ImportNode, x: Tensor, axes: readonly number[]): Tensor {
  return standardized(node, x, axes)[0];
}

const layerNormalization: NodeImporter = (node) => {
  const rank = node.rank(0);
  const [axis = rank - 1] = node.axes([node.int('axis', -1)], rank);
  const [normal, mean, factor] = standardized(node, node.input(0), axesFrom(axis, rank));
  const y = fr.mul(normal, node.input(1));
  return [node.has(2) ? fr.add(y, node.input(2)) : y, mean, factor];
};

const instanceNormalization: NodeImporter = (node) => {
  const rank = node.rank(0);
  const y = normalized(node, node.input(0), axesFrom(2, rank));
  return fr.add(fr.mul(y, perChannel(node.input(1), rank)), perChannel(node.input(2), rank));
};

const groupNormalization: NodeImporter = (node) => {
  const x = node.input(0);
  const rank = node.rank(0);
  const groups = node.int('num_groups', 1);
  const channels = x.shape.dim(1) ?? node.fail('the number of channels is not known');
  const flat = fr.reshape(x, [
    x.shape.dim(0) ?? -1,
    groups,
    x.shape.dim(0) === null ? sizeOfGroup(node, groups) : -1,
  ]);
  const y = fr.reshape(normalized(node, flat, [2]), fr.shape(x));
  // Operator set 18 has a factor for each group, 21 for each channel.
  const factor = (input: Tensor): Tensor =>
    perChannel(
      input.shape.dim(0) === channels ? input : fr.repeat(input, channels / groups, { axis: 0 }),
      rank,
    );
  return fr.add(fr.mul(y, factor(node.input(1))), factor(node.input(2)));
};

function sizeOfGroup(node: ImportNode, groups: number): number {
  const sizes = (node.input(0).shape.dims ?? []).slice(1);
  const size = sizes.reduce<number>((product, dim) => product * (dim ?? NaN), 1) / groups;
  return Number.isNaN(size) ? node.fail('the size of the image is not known') : size;
}

const meanVariance: NodeImporter = (node) => {
  const x = node.input(0);
  const axes = node.axes(node.ints('axes') ?? [0, 2, 3], node.rank(0));
  const centred = fr.sub(x, fr.reduceMean(x, { axis: axes, keepDims: true }));
  const deviation = fr.sqrt(fr.reduceMean(fr.square(centred), { axis: axes, keepDims: true }));
  return fr.div(centred, fr.add(deviation, 1e-9));
};

const lpNormalization: NodeImporter = (node) => {
  const axis = node.axes([node.int('axis', -1)], node.rank(0));
  const x = node.input(0);
  const norm =
    node.int('p', 2) === 1
      ? fr.reduceSum(fr.abs(x), { axis, keepDims: true })
      : fr.sqrt(fr.reduceSum(fr.square(x), { axis, keepDims: true }));
  return fr.divNoNan(x, norm);
};

/** TensorFlow's normalization across channels has half the window and a factor that is not divided by its size. */
const lrn: NodeImporter = (node) => {
  const size = node.int('size', 1);
  if (size % 2 === 0) node.fail('an even size is not supported');
  const last = fr.transpose(node.input(0), { perm: [0, 2, 3, 1] });
  const y = fr.lrn(last, {
    depthRadius: (size - 1) / 2,
    bias: node.float('bias', 1),
    alpha: node.float('alpha', 1e-4) / size,
    beta: node.float('beta', 0.75),
  });
  return fr.transpose(y, { perm: [0, 3, 1, 2] });
};

export const NORM_OPS: Readonly<Record<string, NodeImporter>> = {
  BatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LpNormalization: lpNormalization,
  LRN: lrn,
  MeanVarianceNormalization: meanVariance,
};
