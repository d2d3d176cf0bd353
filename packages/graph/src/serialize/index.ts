/** Graphs to and from files. */
export {
  attrFromProto,
  attrsFromProto,
  attrsToProto,
  attrToProto,
  shapeFromProto,
  shapeToProto,
} from './attrProto.js';
export type { CollectionCodec, CollectionContext } from './collections.js';
export { describeContent, detectFormat, type FileFormat } from './detectFormat.js';
export { graphToGraphDef, type GraphDefOptions } from './exportGraph.js';
export {
  EXTERNAL_WEIGHTS_ATTR,
  externalLocations,
  moveConstantsOut,
  putConstantsBack,
  type ExternalWeights,
  type ExternalWeightsOptions,
} from './externalWeights.js';
export {
  readGraphDef,
  readGraphFile,
  selectMetaGraph,
  writeGraphDef,
  writeMetaGraph,
  writeSavedModel,
  type Encoding,
  type GraphFile,
  type WriteGraphDefOptions,
} from './graphFile.js';
export { GRAPH_DEF_VERSION, libraryOf } from './graphMetadata.js';
export { importGraphDef, importWholeGraphDef, type ImportOptions } from './importGraph.js';
export {
  exportMetaGraph,
  importMetaGraph,
  readMetaGraph,
  type ExportMetaGraphOptions,
  type ImportedMetaGraph,
  type ImportMetaGraphOptions,
} from './metaGraph.js';
export { opDefToProto } from './opDefProto.js';
export { bytesToData, dataToBytes, swapBytes } from './tensorBytes.js';
export { tensorFromProto, tensorToProto } from './tensorProto.js';
export { insidePath } from './insidePath.js';
