/**
 * The public API: `import * as fr from 'forerun'`. TensorFlow 1.15's names in camelCase, flat where they are
 * flat there, else in the same namespaces. What a name does is documented where it is defined.
 */
export * from './core.js';
export * from './math.js';
export * from './arrays.js';
export * from './matrices.js';
export * from './quantization.js';

export {
  constantInitializer,
  glorotNormalInitializer,
  glorotUniformInitializer,
  onesInitializer,
  orthogonalInitializer,
  randomNormalInitializer,
  randomUniformInitializer,
  truncatedNormalInitializer,
  varianceScalingInitializer,
  zerosInitializer,
  heNormalInitializer,
  heUniformInitializer,
  identityInitializer,
  uniformUnitScalingInitializer,
  lecunNormalInitializer,
  lecunUniformInitializer,
  l1L2Regularizer,
  l1Regularizer,
  l2Regularizer,
  AUTO_REUSE,
  VariableScope,
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  getLocalVariable,
  getVariable,
  getVariableScope,
  globalNorm,
  variableScope,
  makeTemplate,
  type MakeTemplateOptions,
  type GetVariableOptions,
  type Initializer,
  type Regularizer,
  type VariableScopeOptions,
} from '@forerun/layers';
export { initializers, layers, losses, metrics } from '@forerun/layers';

export {
  releaseDevice,
  RunMetadata,
  Session,
  Timeline,
  type CompileOptions,
  type CompileProgress,
  type Fetched,
  type Fetches,
  type Feeds,
  type FeedValue,
  type FetchedSparseTensor,
  type FeedKey,
  type NestedFeedValue,
  type PlanReport,
  type RunOptions,
  type SessionConfig,
  type SessionOptions,
  type SessionStats,
  type SparseTensorValue,
} from '@forerun/session';

export * as bitwise from './bitwise.js';
export * as data from '@forerun/data';
export * as debugging from './debugging.js';
export * as errors from './errors.js';
export { graphUtil } from '@forerun/session';
export * as image from './image.js';
export * as io from './io.js';
export * as linalg from './linalg.js';
export * as lookup from './lookup.js';
export * as math from './math.js';
export * as nn from './nn.js';
export * as quantization from './quantization.js';
export * as random from './random.js';
export * as savedModel from './savedModel.js';
export * as sparse from './sparse.js';
export * as strings from './strings.js';
export * as summary from './summary.js';
export * as train from './train.js';
