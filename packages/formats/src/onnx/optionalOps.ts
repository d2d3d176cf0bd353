/** Optionals of ONNX: a tensor or a sequence, or none. Where the model says which, nothing is asked in a run. */
import * as fr from '@forerun/graph';
import { TensorShape, type proto } from '@forerun/graph';
import type { OptionalInfo } from './importKnowledge.js';
import type { ImportNode, NodeImporter } from './importNode.js';
import { onnxDType, onnxShape } from './tensors.js';

/** What an optional of a declared type may hold. */
function declared(node: ImportNode, type: proto.onnxTypeProto): OptionalInfo {
  const tensor = type.tensorType ?? type.sequenceType?.elemType?.tensorType;
  if (tensor === undefined)
    return node.fail('only optionals of tensors and of sequences of tensors are supported');
  const [dtype, shape] = [onnxDType(tensor.elemType, node.label), onnxShape(tensor)];
  if (type.tensorType !== undefined) return { dtype, shape };
  return { dtype: 'variant', shape: TensorShape.SCALAR, sequence: { dtype, shape } };
}

const optional: NodeImporter = (node) => {
  if (node.has(0)) {
    const value = node.input(0);
    const { dtype, shape } = value;
    const sequence = node.knowledge.sequence(value);
    return node.knowledge.isOptional(fr.optionalFromValue([value]), { dtype, shape, sequence, value });
  }
  const type = node.attribute('type')?.tp ?? node.fail('there is neither an input nor the attribute type');
  return node.knowledge.isOptional(fr.optionalNone(), { ...declared(node, type), value: null });
};

/** The value. What is no optional is its own value. */
const getElement: NodeImporter = (node) => {
  const given = node.input(0);
  const info = node.knowledge.optional(given);
  if (info === undefined) return given;
  if (info.value !== undefined) return info.value ?? node.fail('the optional has no value');
  const [value = given] = fr.optionalGetValue(given, [info]);
  return info.sequence === undefined ? value : node.knowledge.isSequence(value, info.sequence);
};

const hasElement: NodeImporter = (node) => {
  if (!node.has(0)) return fr.constant(false);
  const info = node.knowledge.optional(node.input(0));
  if (info !== undefined && info.value === undefined) return fr.optionalHasValue(node.input(0));
  return fr.constant(info?.value !== null);
};

export const OPTIONAL_OPS: Readonly<Record<string, NodeImporter>> = {
  Optional: optional,
  OptionalGetElement: getElement,
  OptionalHasElement: hasElement,
};
