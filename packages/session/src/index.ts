/** Public surface of `@forerun/session`. */
export { Session } from './session.js';
export { FileWriter, summaryIterator, type FileWriterOptions } from './summary/fileWriter.js';
export { releaseDevice } from './device/acquire.js';
export type {
  CompileOptions,
  FeedShapes,
  RunOptions,
  SessionConfig,
  SessionOptions,
  SessionStats,
} from './sessionConfig.js';
export { RunMetadata, Timeline, type DeviceStepStats, type NodeExecStats } from './metadata.js';
export type { CompileProgress, CompileStage } from './compiler/compile.js';
export {
  COMPILER_PASSES,
  type PassReport,
  type PassSwitches,
  type SimplifyPass,
} from './compiler/simplify.js';
export type { PlannedDispatch, PlannedTemporary, PlanReport } from './plan.js';
export type { TuningConfig } from './tuning/sessionTuner.js';
export type { ChoiceSource, ChosenKernel, TuningMode } from './tuning/tuner.js';
export type { FeedKey, Feeds, FeedValue, NestedFeedValue } from './run/feeds.js';
export type { FetchedSparseTensor, SparseTensorValue } from './run/sparseFeeds.js';
export type { Fetched, Fetches, FetchLeaf } from './run/fetches.js';
export { Saver, type SaveOptions, type SaverOptions } from './checkpoint/saver.js';
export {
  checkpointExists,
  getCheckpointState,
  latestCheckpoint,
  type CheckpointListOptions,
  type CheckpointState,
} from './checkpoint/latest.js';
export { openCheckpoint, type OpenCheckpoint } from './checkpoint/files.js';
export {
  CheckpointReader,
  inspectCheckpoint,
  listVariables,
  loadVariable,
  newCheckpointReader,
  type CheckpointInspection,
  type InspectCheckpointOptions,
  type InspectedTensor,
} from './checkpoint/checkpointReader.js';
export { listObjects, type ListedObject } from './checkpoint/objectNames.js';
export { initFromCheckpoint } from './checkpoint/initFromCheckpoint.js';
export {
  tensorHistogram,
  tensorStatistics,
  type Histogram,
  type TensorStatistics,
} from './weights/statistics.js';
export { exportMetaGraph, importMetaGraph } from './checkpoint/metaGraph.js';
export * as graphUtil from './graphUtil/index.js';
export * as savedModel from './savedModel/index.js';
export { initializeModel } from './savedModel/loader.js';
export { savedVariableKeys } from './savedModel/variableKeys.js';
export { globalStep } from './globalStep.js';
export { readGraph, withExternalWeights, writeGraph, type WriteGraphOptions } from './io.js';
export {
  loadWeights,
  type LoadWeightsOptions,
  type LoadWeightsReport,
  type WeightsLike,
} from './weights/loadWeights.js';
export type { Layout, NameMap, RestoreOptions, RestoreReport } from './weights/match.js';
export type { Transpose } from './weights/layouts.js';
export { openWeights, type OpenWeights } from './weights/openWeights.js';
export {
  loadGraphModel,
  loadLayersModel,
  saveGraphModel,
  type LoadedModel,
  type LoadModelOptions,
} from './tfjs.js';
export { loadOnnx, saveOnnx, type LoadOnnxOptions, type SaveOnnxOptions } from './onnx.js';
