/** Checkpoints in TensorFlow's formats: V2 (tensor bundles), and V1 for reading. */
export { BundleWriter, BUNDLE_VERSION, encodeBundle, type BundleInput } from './bundleWriter.js';
export {
  BundleReader,
  memorySource,
  type BundleEntry,
  type RandomAccessSource,
  type ShardOpener,
} from './bundleReader.js';
export type { CheckpointEntry, CheckpointFile } from './checkpointFile.js';
export { isV1Checkpoint, V1CheckpointReader } from './v1Reader.js';
export { CHECKPOINT_STATE_FILE, readCheckpointState, writeCheckpointState } from './checkpointState.js';
export { crc32c, maskCrc, unmaskCrc } from './crc32c.js';
export { OBJECT_GRAPH_KEY, ObjectGraph, boundObjectPaths, type StoredObject } from './objectGraph.js';
export type { Extent } from './orderedCode.js';
export { checkpointPrefix, dataPath, indexPath } from './paths.js';
