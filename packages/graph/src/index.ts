/** Public surface of `@forerun/graph`. */
import { installGraphMethods } from './serialize/graphMethods.js';
import { installTensorMethods } from './tensorMethods.js';

export * from './attr.js';
export * from './errors.js';
export * from './dtype.js';
export * from './shape.js';
export { float16Bits, float16Value, roundToHalf } from './halfFloat.js';
export * from './value.js';
export * from './opDef.js';
export { lookupOp } from './opTable.js';
export type { ArgSpec, AttrSpec } from './signature.js';
export * from './tensor.js';
export { SparseTensor, sparsePlaceholder } from './sparseTensor.js';
export type { TensorMethods } from './tensorMethods.js';
export type { GraphMethods } from './serialize/graphMethods.js';
export { Operation } from './operation.js';
export { Graph, operationOf, type CreateOpOptions, type OperationLike } from './graph.js';
export { FuncGraph, type ArgumentSpec } from './funcGraph.js';
export { nearestNames } from './names.js';
export { checkOptions } from './checkOptions.js';
export {
  failRule,
  RuleError,
  resolveAttrs,
  outputDTypes,
  type AttrInput,
  type AttrInputs,
} from './resolveOp.js';
export { withAssumedShapes } from './assumedShapes.js';
export { constantValue } from './constantValue.js';
export { composeContext } from './composedOp.js';
export * from './inferHelpers.js';
export * from './windows.js';
export {
  imageAxes,
  spatialAxes,
  windowAxes,
  type DataFormat,
  type DataFormat3d,
  type ExplicitPadding,
  type PerAxis,
  type WindowOptions,
  type WindowOptions3d,
} from './ops/convWindows.js';
export { formatPositions, formatSources } from './ops/dataFormat.js';
export { fusedSteps, type FusedStep } from './ops/fusedSteps.js';
export { labelEquation, type EinsumLabels } from './ops/einsumEquation.js';
export { poolAxes, pooledAxes, poolingOf, poolLists, type Pooling } from './ops/poolWindows.js';
export {
  resolveStridedSlice,
  sliceMasks,
  type ResolvedSlice,
  type SliceBounds,
  type SliceMasks,
  type StridedRange,
} from './ops/stridedRange.js';
export { applyOp, apply, type ApplyInput, type NameOptions } from './apply.js';
export * from './scopes.js';
export * from './ops/index.js';
export { FAMILIES, OPS, builders, type OpName } from './registry.js';
export { addCheckNumericsOps, verifyTensorAllFinite } from './checkNumericsOps.js';
export { customGradient, type WithGradient } from './customGradient.js';
export {
  backpropagate,
  gradients,
  isDifferentiable,
  overrideGradient,
  type Gradient,
  type GradientsOptions,
} from './gradients.js';
export { registerGradient, type RegisteredGradient } from './gradientRegistry.js';
export { IndexedSlices } from './indexedSlices.js';
export { hessians, hessianVectorProduct } from './secondOrder.js';
export * from './controlFlow/index.js';
export * from './variable.js';
export * from './variableKeys.js';
export * from './variableCollections.js';
export * from './lookup.js';
export * from './vocabularyTables.js';
export { fingerprint64 } from './hash/fingerprint64.js';
export { hash64 } from './hash/hash64.js';
export { sipHash64 } from './hash/sipHash64.js';
export {
  buildSaverNodes,
  type Saveable,
  type Saveables,
  type SavedTable,
  type SaverNodes,
  type SaverNodeOptions,
  type SaverDefFields,
} from './saverNodes.js';
export * from './checkpoint/index.js';
export * as proto from './proto/index.js';
export * from './serialize/index.js';
export * from './tfjs/index.js';
export * as graphPasses from './graphUtil/index.js';
export * as savedModelSignatures from './signatureDefs.js';

installTensorMethods();
installGraphMethods();
