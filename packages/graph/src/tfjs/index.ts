/** Models of TensorFlow.js. */
export {
  graphOfTfjsModel,
  importTfjsGraphModel,
  openTfjsGraphModel,
  readTfjsGraphModel,
  type OpenTfjsGraphModel,
  type ReadShard,
  type TfjsGraphModel,
} from './graphModel.js';
export {
  writeTfjsGraphModel,
  type WriteGraphModelOptions,
  type WrittenGraphModel,
} from './writeGraphModel.js';
export { modelJsonOfOldForm, OLD_FORM } from './oldForm.js';
export { readModelJson, type ModelJson } from './modelJson.js';
export {
  countTfjsLayers,
  importTfjsLayersModel,
  readTfjsLayersModel,
  type LayersModelTensors,
  type TfjsLayerType,
  type TfjsLayersModel,
} from './layersModel.js';
