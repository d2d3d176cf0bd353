/** Public API of `@forerun/data`. */
export { Dataset, type ElementOf, type IterateOptions, type Zipped } from './dataset.js';
export { DataError, type DataErrorCode } from './errors.js';
export { feedsOf } from './feeds.js';
export { loadIdx, readIdx, type IdxType, type IdxValue } from './idx.js';
export { loadMnist, type Mnist, type MnistOptions, type MnistSplit } from './mnist.js';
export type { PaddedShapes, PaddingValues } from './paddedBatchNode.js';
export {
  dataValue,
  type DataArray,
  type DataType,
  type DataValue,
  type NestedNumbers,
  type Structure,
} from './value.js';
