/** Where a SavedModel keeps its parts, and the collections that tell of them (`tf.saved_model.constants`). */
export const SAVED_MODEL_SCHEMA_VERSION = 1;
export const SAVED_MODEL_FILENAME_PB = 'saved_model.pb';
export const SAVED_MODEL_FILENAME_PBTXT = 'saved_model.pbtxt';
export const ASSETS_DIRECTORY = 'assets';
export const VARIABLES_DIRECTORY = 'variables';
export const VARIABLES_FILENAME = 'variables';
/** Collection of `AssetFileDef`s, as readers before TensorFlow 2 look for them. */
export const ASSETS_KEY = 'saved_model_assets';
/** Collection of the operation that completes loading; it does all of the initialization that is needed. */
export const MAIN_OP_KEY = 'saved_model_main_op';
/** Collection of the operation that initializes tables, in older files. */
export const LEGACY_INIT_OP_KEY = 'legacy_init_op';
export const TRAIN_OP_KEY = 'saved_model_train_op';

/** The checkpoint's prefix below the directory of a SavedModel. */
export function variablesPrefix(directory: string): string {
  return `${directory}/${VARIABLES_DIRECTORY}/${VARIABLES_FILENAME}`;
}
