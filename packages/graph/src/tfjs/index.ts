/** Models of TensorFlow.js. */
export {
  graphOfTfjsModel,
  importTfjsGraphModel,
  readTfjsGraphModel,
  type ReadShard,
  type TfjsGraphModel,
} from './graphModel.js';
export { halfToNumber, numberToHalf } from './halfFloat.js';
export {
  writeTfjsGraphModel,
  type WriteGraphModelOptions,
  type WrittenGraphModel,
} from './writeGraphModel.js';
