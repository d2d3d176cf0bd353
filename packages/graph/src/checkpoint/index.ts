/** Checkpoints in TensorFlow's format V2 (tensor bundles). */
export { BundleWriter, BUNDLE_VERSION, encodeBundle, type BundleInput } from './bundleWriter.js';
export {
  BundleReader,
  memorySource,
  type BundleEntry,
  type RandomAccessSource,
  type ShardOpener,
} from './bundleReader.js';
export { CHECKPOINT_STATE_FILE, readCheckpointState, writeCheckpointState } from './checkpointState.js';
export { crc32c, maskCrc, unmaskCrc } from './crc32c.js';
export type { Extent } from './orderedCode.js';
export { checkpointPrefix, dataPath, indexPath } from './paths.js';
