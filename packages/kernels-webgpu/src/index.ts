/** Public surface of `@forerun/kernels-webgpu`: one kernel per registered op. */
import type { OpName } from '@forerun/graph';
import type { Kernel } from './kernel.js';
import { ARRAY_KERNELS } from './array.js';
import { BINARY_KERNELS } from './binary.js';
import { CONV_KERNELS } from './conv.js';
import { EINSUM_KERNELS } from './einsum.js';
import { MATRIX_KERNELS } from './matrix.js';
import { NN_KERNELS } from './nn.js';
import { POOL_KERNELS } from './pool.js';
import { RANDOM_KERNELS } from './random.js';
import { REDUCTION_KERNELS } from './reduction.js';
import { SHAPE_KERNELS } from './shape.js';
import { SOURCE_KERNELS } from './source.js';
import { STATE_KERNELS } from './state.js';
import { TRAINING_KERNELS } from './training.js';
import { UNARY_KERNELS } from './unary.js';
import { NORM_KERNELS } from './norm.js';
import { LINALG_KERNELS } from './linalg.js';
import { IMAGE_KERNELS } from './image.js';
import { SEGMENT_KERNELS } from './segment.js';
import { SCATTER_KERNELS } from './scatter.js';
import { SPARSE_TENSOR_KERNELS } from './sparse.js';
import { SORT_KERNELS } from './sort.js';
import { DYNAMIC_KERNELS } from './dynamic.js';
import { CONTROL_KERNELS } from './control.js';
import { LIST_KERNELS } from './list.js';
import { DEBUG_KERNELS } from './debug.js';
import { STRING_KERNELS } from './string.js';
import { SUMMARY_KERNELS } from './summary.js';
import { TABLE_KERNELS } from './table.js';

export * from './kernel.js';
export * from './elementwiseProgram.js';
export { adapted } from './adapted.js';
export { cutProgram } from './cutProgram.js';
export { computedDType, computedOperand } from './halfStorage.js';
export type { BoundCopy } from './stridedCopy.js';
export type { BoundOperands } from './bindingWindows.js';
export { lowerElementwise, programWidth, readsInPlace, stepStatements } from './elementwise.js';
export * from './fusion/index.js';
export { joinRows, readsValue, rowSteps, stagesOf, type RowJoin, type RowProgram } from './rowProgram.js';
export { lowerRows } from './rowProgramKernel.js';
export { shader } from './wgsl/shader.js';
export {
  parameterWords,
  shaderTemplate,
  withParameters,
  PARAMETER_WORDS,
  type ShaderTemplate,
} from './wgsl/parameters.js';
export { elementBytes, literal, storageType, valueType, type Width } from './wgsl/dtype.js';
export { normalTable, upperNormalQuantile } from './normalTable.js';
export { philoxKey } from './random.js';
export { callSalt, NO_SALT, saltedSeeds, type Salt } from './randomSalt.js';
export { logTable, powerTable } from './softFloat.js';
export { libraryFor, widen } from './wgsl/library.js';

/** Whether the op's kernel takes float16 operands, where the op's signature does. */
export function computesHalf(op: OpName): boolean {
  const { kind } = KERNELS[op];
  return (
    kind !== 'unsupported' && op !== 'Bitcast' && !(kind === 'device' && Object.hasOwn(LINALG_KERNELS, op))
  );
}

/** The kernel of every op: a missing one is a compile error. */
export const KERNELS: Readonly<Record<OpName, Kernel>> = {
  ...SOURCE_KERNELS,
  ...UNARY_KERNELS,
  ...BINARY_KERNELS,
  ...ARRAY_KERNELS,
  ...SHAPE_KERNELS,
  ...REDUCTION_KERNELS,
  ...MATRIX_KERNELS,
  ...EINSUM_KERNELS,
  ...CONV_KERNELS,
  ...POOL_KERNELS,
  ...NN_KERNELS,
  ...RANDOM_KERNELS,
  ...STATE_KERNELS,
  ...TRAINING_KERNELS,
  ...NORM_KERNELS,
  ...LINALG_KERNELS,
  ...IMAGE_KERNELS,
  ...SEGMENT_KERNELS,
  ...SCATTER_KERNELS,
  ...SPARSE_TENSOR_KERNELS,
  ...SORT_KERNELS,
  ...DYNAMIC_KERNELS,
  ...CONTROL_KERNELS,
  ...LIST_KERNELS,
  ...DEBUG_KERNELS,
  ...STRING_KERNELS,
  ...SUMMARY_KERNELS,
  ...TABLE_KERNELS,
};
