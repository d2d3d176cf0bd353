/** `fr.debugging`: assertions and checks of numbers; flat as well. */
export * from './assertions.js';
export {
  checkNumerics,
  isFinite,
  isInf,
  isNan,
  isNonDecreasing,
  isStrictlyIncreasing,
  verifyTensorAllFinite as assertAllFinite,
  type AssertionOptions,
  type NearOptions,
} from '@forerun/graph';
