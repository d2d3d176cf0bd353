/** Models of TensorFlow.js. */
export {
  graphOfTfjsModel,
  importTfjsGraphModel,
  readTfjsGraphModel,
  type ReadShard,
  type TfjsGraphModel,
} from './graphModel.js';
export {
  writeTfjsGraphModel,
  type WriteGraphModelOptions,
  type WrittenGraphModel,
} from './writeGraphModel.js';
export {
  importTfjsLayersModel,
  readTfjsLayersModel,
  type LayersModelTensors,
  type TfjsLayersModel,
} from './layersModel.js';
