/** What a SavedModel can be asked for: signatures, their well-known names and tags (`tf.saved_model`). */
import { baseDType, dtypeToNumber } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
import { Operation } from './operation.js';
import type { SignatureDef, TensorInfo } from './proto/messages.js';
import type { Init } from './proto/message.js';
import { create } from './proto/decode.js';
import { shapeToProto } from './serialize/attrProto.js';
import { SparseTensor } from './sparseTensor.js';
import { isTensorConvertible, type Tensor, type TensorConvertible } from './tensor.js';

/** Key of the signature that is served when none is named. */
export const DEFAULT_SERVING_SIGNATURE_DEF_KEY = 'serving_default';
/** Key of the signature that names the initializing operation, in files of TensorFlow 2. */
export const INIT_OP_SIGNATURE_KEY = '__saved_model_init_op';
export const PREDICT_METHOD_NAME = 'tensorflow/serving/predict';
export const PREDICT_INPUTS = 'inputs';
export const PREDICT_OUTPUTS = 'outputs';
export const CLASSIFY_METHOD_NAME = 'tensorflow/serving/classify';
export const CLASSIFY_INPUTS = 'inputs';
export const CLASSIFY_OUTPUT_CLASSES = 'classes';
export const CLASSIFY_OUTPUT_SCORES = 'scores';
export const REGRESS_METHOD_NAME = 'tensorflow/serving/regress';
export const REGRESS_INPUTS = 'inputs';
export const REGRESS_OUTPUTS = 'outputs';

/** Tag of graphs for serving, for training, and for adapters. */
export const SERVING = 'serve';
export const TRAINING = 'train';
export const GPU = 'gpu';
export const TPU = 'tpu';

/** A tensor of a signature: dense, sparse, or what stands for one. */
export type SignatureTensor = Tensor | TensorConvertible | SparseTensor;
export type SignatureTensors = Readonly<Record<string, SignatureTensor>>;

/** Name, dtype and shape of a tensor (`tf.saved_model.build_tensor_info`). */
export function buildTensorInfo(tensor: SignatureTensor): TensorInfo {
  if (tensor instanceof Operation) {
    throw new InvalidArgumentError(`${tensor.describe()} is an operation: a signature names tensors`);
  }
  if (tensor instanceof SparseTensor) {
    const { indices, values, denseShape } = tensor;
    const names = {
      valuesTensorName: values.name,
      indicesTensorName: indices.name,
      denseShapeTensorName: denseShape.name,
    };
    const cooSparse = { ...create('TensorInfo.CooSparse'), ...names };
    return { ...create('TensorInfo'), dtype: dtypeToNumber(baseDType(values.dtype)), cooSparse };
  }
  const dense = isTensorConvertible(tensor) ? tensor.asTensor() : tensor;
  const tensorShape = { ...create('TensorShapeProto'), ...shapeOf(dense) };
  return {
    ...create('TensorInfo'),
    name: dense.name,
    dtype: dtypeToNumber(baseDType(dense.dtype)),
    tensorShape,
  };
}

function shapeOf(tensor: Tensor): Pick<NonNullable<TensorInfo['tensorShape']>, 'unknownRank' | 'dim'> {
  const { unknownRank = false, dim = [] } = shapeToProto(tensor.shape);
  return { unknownRank, dim: dim.map(({ size = 0 }) => ({ ...create('TensorShapeProto.Dim'), size })) };
}

/** A signature of tensor infos (`tf.saved_model.build_signature_def`). */
export function buildSignatureDef(
  inputs: Readonly<Record<string, TensorInfo>> = {},
  outputs: Readonly<Record<string, TensorInfo>> = {},
  methodName = '',
): SignatureDef {
  return {
    ...create('SignatureDef'),
    inputs: new Map(Object.entries(inputs)),
    outputs: new Map(Object.entries(outputs)),
    methodName,
  };
}

/** Any tensors in, any out (`tf.saved_model.predict_signature_def`). Throws `InvalidArgumentError` when there are none. */
export function predictSignatureDef(inputs: SignatureTensors, outputs: SignatureTensors): SignatureDef {
  requireSome('predictSignatureDef', inputs, outputs);
  return buildSignatureDef(infos(inputs), infos(outputs), PREDICT_METHOD_NAME);
}

/**
 * Serialized examples (string) to class labels (string) and scores (float32), of which one may be left out
 * (`tf.saved_model.classification_signature_def`).
 */
export function classificationSignatureDef(
  examples: Tensor,
  classes: Tensor | null,
  scores: Tensor | null,
): SignatureDef {
  requireDType('classificationSignatureDef: examples', examples, 'string');
  if (classes === null && scores === null) {
    throw new InvalidArgumentError('classificationSignatureDef: classes and scores cannot both be null');
  }
  if (classes !== null) requireDType('classificationSignatureDef: classes', classes, 'string');
  if (scores !== null) requireDType('classificationSignatureDef: scores', scores, 'float32');
  const outputs = {
    ...(classes === null ? {} : { [CLASSIFY_OUTPUT_CLASSES]: buildTensorInfo(classes) }),
    ...(scores === null ? {} : { [CLASSIFY_OUTPUT_SCORES]: buildTensorInfo(scores) }),
  };
  return buildSignatureDef({ [CLASSIFY_INPUTS]: buildTensorInfo(examples) }, outputs, CLASSIFY_METHOD_NAME);
}

/** Serialized examples (string) to predictions (float32) (`tf.saved_model.regression_signature_def`). */
export function regressionSignatureDef(examples: Tensor, predictions: Tensor): SignatureDef {
  requireDType('regressionSignatureDef: examples', examples, 'string');
  requireDType('regressionSignatureDef: predictions', predictions, 'float32');
  return buildSignatureDef(
    { [REGRESS_INPUTS]: buildTensorInfo(examples) },
    { [REGRESS_OUTPUTS]: buildTensorInfo(predictions) },
    REGRESS_METHOD_NAME,
  );
}

/** Whether a signature can be served: its method is known and it has what the method needs (`tf.saved_model.is_valid_signature`). */
export function isValidSignature({ inputs, outputs, methodName = '' }: Init<SignatureDef>): boolean {
  const has = (map: ReadonlyMap<string, unknown> | undefined, ...keys: string[]): boolean =>
    map !== undefined && map.size > 0 && keys.every((key) => map.has(key));
  switch (methodName) {
    case PREDICT_METHOD_NAME:
      return has(inputs) && has(outputs);
    case CLASSIFY_METHOD_NAME:
      return (
        has(inputs, CLASSIFY_INPUTS) &&
        (has(outputs, CLASSIFY_OUTPUT_CLASSES) || has(outputs, CLASSIFY_OUTPUT_SCORES))
      );
    case REGRESS_METHOD_NAME:
      return has(inputs, REGRESS_INPUTS) && has(outputs, REGRESS_OUTPUTS);
    default:
      return false;
  }
}

function infos(tensors: SignatureTensors): Record<string, TensorInfo> {
  return Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [key, buildTensorInfo(tensor)]));
}

function requireSome(owner: string, inputs: SignatureTensors, outputs: SignatureTensors): void {
  if (Object.keys(inputs).length === 0) throw new InvalidArgumentError(`${owner}: there are no inputs`);
  if (Object.keys(outputs).length === 0) throw new InvalidArgumentError(`${owner}: there are no outputs`);
}

function requireDType(what: string, tensor: Tensor, dtype: 'string' | 'float32'): void {
  if (baseDType(tensor.dtype) === dtype) return;
  throw new InvalidArgumentError(`${what} must be ${dtype}, ${tensor.name} is ${tensor.dtype}`);
}
