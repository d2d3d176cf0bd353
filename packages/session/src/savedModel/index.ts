/** `fr.savedModel`: SavedModels, read and written (`tf.saved_model`). */
import { savedModelSignatures, type proto } from '@forerun/graph';
import type { Session } from '../session.js';
import { Builder, type AddMetaGraphOptions } from './builder.js';

export { Builder, type AddMetaGraphOptions, type SaveModelOptions } from './builder.js';
export {
  load,
  Loader,
  maybeSavedModelDirectory,
  readSavedModel,
  type LoadedSavedModel,
  type LoadSavedModelOptions,
} from './loader.js';
export * from './layout.js';

const { DEFAULT_SERVING_SIGNATURE_DEF_KEY, predictSignatureDef, SERVING } = savedModelSignatures;

/**
 * Writes the session's graph and variables as a SavedModel for serving, with one signature (`tf.saved_model.simple_save`). Returns
 * the path of `saved_model.pb`. Throws as `Builder` does.
 */
export async function simpleSave(
  sess: Session,
  exportDir: string,
  inputs: savedModelSignatures.SignatureTensors,
  outputs: savedModelSignatures.SignatureTensors,
  { legacyInitOp }: Pick<AddMetaGraphOptions, 'legacyInitOp'> = {},
): Promise<string> {
  const signature: proto.SignatureDef = predictSignatureDef(inputs, outputs);
  const builder = new Builder(exportDir);
  await builder.addMetaGraphAndVariables(sess, [SERVING], {
    signatureDefMap: { [DEFAULT_SERVING_SIGNATURE_DEF_KEY]: signature },
    legacyInitOp,
    clearDevices: true,
  });
  return builder.save();
}
