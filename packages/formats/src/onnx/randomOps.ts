/** Random numbers of ONNX models. The seeds of nodes, which are floats and mean nothing certain, are not taken over. */
import * as fr from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { onnxDType, onnxNumber } from './tensors.js';

type Shape = Parameters<typeof fr.randomUniform>[0];
type Draw = (node: ImportNode, shape: Shape, dtype: fr.DType) => fr.Tensor;

const uniform: Draw = (node, shape, dtype) =>
  fr.randomUniform(shape, { minval: node.float('low', 0), maxval: node.float('high', 1), dtype });

const normal: Draw = (node, shape, dtype) =>
  fr.randomNormal(shape, { mean: node.float('mean', 0), stddev: node.float('scale', 1), dtype });

function dtypeOf(node: ImportNode, otherwise: fr.DType): fr.DType {
  return onnxDType(node.int('dtype', onnxNumber(otherwise, node.label)), node.label);
}

/** One where a uniform random number is less than the probability. */
const bernoulli: NodeImporter = (node) => {
  const x = node.input(0);
  const drawn = fr.randomUniform(fr.shape(x), { dtype: x.dtype });
  return fr.cast(fr.less(drawn, x), dtypeOf(node, x.dtype));
};

/** Numbers of classes, with probabilities in proportion to e to the power of the inputs. */
const multinomial: NodeImporter = (node) =>
  fr.cast(fr.categorical(node.input(0), node.int('sample_size', 1)), dtypeOf(node, 'int32'));

const shaped =
  (draw: Draw): NodeImporter =>
  (node) =>
    draw(node, node.ints('shape') ?? [], dtypeOf(node, 'float32'));

const like =
  (draw: Draw): NodeImporter =>
  (node) =>
    draw(node, fr.shape(node.input(0)), dtypeOf(node, node.input(0).dtype));

export const RANDOM_OPS: Readonly<Record<string, NodeImporter>> = {
  Bernoulli: bernoulli,
  Multinomial: multinomial,
  RandomNormal: shaped(normal),
  RandomNormalLike: like(normal),
  RandomUniform: shaped(uniform),
  RandomUniformLike: like(uniform),
};
