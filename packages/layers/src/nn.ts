/** The part of `fr.nn` that is composed of graph ops. */
export { dropout, type DropoutOptions } from './nnDropout.js';
export { batchNormalization, l2Loss, l2Normalize, moments, zeroFraction } from './nnNorms.js';
