/** Control flow from callbacks. */
export { cond, caseOf, switchCase, type BranchResult, type CaseOptions, type CondOptions } from './cond.js';
export {
  foldl,
  foldr,
  mapFn,
  scan,
  type FoldOptions,
  type MapFnOptions,
  type ScanOptions,
} from './functional.js';
export { calledFunctions } from '../ops/calledFunctions.js';
export { calledFunction } from './calls.js';
export { cloneFunction, copyBody, funcAttr, isStateful, newFunction } from './functions.js';
export type { Flat, Nest, Nested, NestLike } from './nest.js';
export { flatten as flattenNest } from './nest.js';
export { TensorArray, type TensorArrayOptions } from './tensorArray.js';
export { whileLoop, type WhileLoopOptions } from './whileLoop.js';
export {
  functionalize,
  inFunctionalForm,
  isVersion1ControlFlow,
  type FunctionalRequest,
} from './v1/index.js';
