/** All op builders. The gradient functions receive this module as `ops`. */
import type * as builders from './index.js';

export { constant, convertToTensor } from '../apply.js';
export * from './string.js';
export * from './summary.js';
export * from './summaryBuilders.js';
export * from './source.js';
export * from './unary.js';
export * from './binary.js';
export * from './array.js';
export * from './arrayComposed.js';
export * from './shape.js';
export * from './reduction.js';
export * from './reductionComposed.js';
export * from './matrix.js';
export * from './matrixComposed.js';
export * from './conv.js';
export * from './pool.js';
export * from './nn.js';
export * from './fakeQuant.js';
export * from './quantize.js';
export {
  sparseConcat,
  sparseExpandDims,
  sparseFromDense,
  sparseMerge,
  sparseRetain,
  sparseSlice,
  sparseSplit,
  sparseToIndicator,
  sparseTranspose,
  type SparseConcatOptions,
} from './sparseComposed.js';
export { sparseAdd, sparseMaximum, sparseMinimum, type SparseAddOptions } from './sparseUnion.js';
export { editDistance } from './editDistance.js';
export * from './activationComposed.js';
export * from './mathComposed.js';
export * from './moments.js';
export * from './random.js';
export * from './state.js';
export * from './training.js';
export * from './norm.js';
export * from './linalg.js';
export * from './linalgComposed.js';
export * from './linalgPseudo.js';
export * from './image.js';
export * from './segment.js';
export * from './scatter.js';
export * from './sort.js';
export * from './dynamic.js';
export * from './control.js';
export * from './list.js';
export * from './debug.js';
export * from './assertions.js';
export * from './ctcLabels.js';
export * from './convDilated.js';

export type Ops = typeof builders;
