/** `fr.io`: graph files, and files of weights of other frameworks. */
export {
  exportMetaGraph,
  graphToGraphDef,
  importGraphDef,
  importMetaGraph,
  readGraphDef,
  writeGraphDef,
} from '@forerun/graph';
export {
  exportOnnx,
  importOnnx,
  openNpz,
  openSafetensors,
  openTorch,
  openWeightFile,
  readNpy,
  writeNpy,
  writeNpz,
  writeSafetensors,
  type ExportOnnxOptions,
  type ImportedOnnx,
  type ImportOnnxOptions,
} from '@forerun/formats';
export {
  loadGraphModel,
  loadLayersModel,
  openCheckpoint,
  openWeights,
  readGraph,
  saveGraphModel,
  writeGraph,
  type LoadedModel,
  type LoadModelOptions,
  type WriteGraphOptions,
} from '@forerun/session';
