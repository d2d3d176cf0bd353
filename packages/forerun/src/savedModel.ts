/** `fr.savedModel`: SavedModels, which hold graphs with their variables, signatures and assets (`tf.saved_model`). */
import { savedModelSignatures } from '@forerun/graph';
import { savedModel } from '@forerun/session';

export const {
  buildSignatureDef,
  buildTensorInfo,
  classificationSignatureDef,
  isValidSignature,
  predictSignatureDef,
  regressionSignatureDef,
} = savedModelSignatures;

/** Keys and method names of signatures (`tf.saved_model.signature_constants`). */
export const signatureConstants = {
  DEFAULT_SERVING_SIGNATURE_DEF_KEY: savedModelSignatures.DEFAULT_SERVING_SIGNATURE_DEF_KEY,
  PREDICT_METHOD_NAME: savedModelSignatures.PREDICT_METHOD_NAME,
  PREDICT_INPUTS: savedModelSignatures.PREDICT_INPUTS,
  PREDICT_OUTPUTS: savedModelSignatures.PREDICT_OUTPUTS,
  CLASSIFY_METHOD_NAME: savedModelSignatures.CLASSIFY_METHOD_NAME,
  CLASSIFY_INPUTS: savedModelSignatures.CLASSIFY_INPUTS,
  CLASSIFY_OUTPUT_CLASSES: savedModelSignatures.CLASSIFY_OUTPUT_CLASSES,
  CLASSIFY_OUTPUT_SCORES: savedModelSignatures.CLASSIFY_OUTPUT_SCORES,
  REGRESS_METHOD_NAME: savedModelSignatures.REGRESS_METHOD_NAME,
  REGRESS_INPUTS: savedModelSignatures.REGRESS_INPUTS,
  REGRESS_OUTPUTS: savedModelSignatures.REGRESS_OUTPUTS,
} as const;

/** Tags of graphs (`tf.saved_model.tag_constants`). */
export const tagConstants = {
  SERVING: savedModelSignatures.SERVING,
  TRAINING: savedModelSignatures.TRAINING,
  GPU: savedModelSignatures.GPU,
  TPU: savedModelSignatures.TPU,
} as const;

export const { Builder, load, Loader, maybeSavedModelDirectory, readSavedModel, simpleSave } = savedModel;
