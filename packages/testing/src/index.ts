/** Private helpers of the tests: samples, float64 references, an interpreter, a gradient checker, a device. */
export * from './sample.js';
export * from './samples/index.js';
export * from './reference/index.js';
export * from './random.js';
export { fuzz, FUZZ_ROUNDS, mutate, type FuzzOptions } from './fuzz.js';
export * from './expectClose.js';
export * from './nodes.js';
export * from './shapes.js';
export * from './interpret.js';
export * from './checkGrad.js';
export * from './signatures.js';
export { settle, testDevice, type TestDevice } from './device.js';
export * from './gpu.js';
export { MISSING_OPS, type MissingOps } from './missingOps.js';
export { opsDocument } from './opsDocument.js';
export { CUT_AND_JOINED, NESTED_STACKS, READ_TWICE } from './version1/arrays.js';
export { CONDITIONAL, FIBONACCI, inputsOf, NESTED, SUM_OF_ROWS } from './version1/graphs.js';
export { branchingStep, recurrentStep, RNN_SIZES } from './version1/training.js';
