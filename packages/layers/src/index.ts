/** Public surface of `@forerun/layers`: variable scopes and initializers flat, the rest in TensorFlow's namespaces. */
export {
  AUTO_REUSE,
  VariableScope,
  getLocalVariable,
  getVariable,
  getVariableScope,
  variableScope,
  type GetVariableOptions,
  type Reuse,
  type VariableScopeOptions,
} from './variableScope.js';
export { makeTemplate, type MakeTemplateOptions } from './template.js';
export * from './initializers.js';
export { orthogonalInitializer } from './orthogonal.js';
export { l1L2Regularizer, l1Regularizer, l2Regularizer, type Regularizer } from './regularizers.js';
export { clipByAverageNorm, clipByGlobalNorm, clipByNorm, globalNorm } from './clip.js';
export * as initializers from './initializersNamespace.js';
export * as layers from './layersNamespace.js';
export * as losses from './losses.js';
export * as metrics from './metrics.js';
export * as nn from './nn.js';
export * as rnnCell from './rnnCellNamespace.js';
export * from './train.js';
export * as train from './train.js';
