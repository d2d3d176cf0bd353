/** Records and builders of the family `segment`: rows of a tensor that belong together are summed, multiplied, compared, counted. */
import { BUCKETIZE } from './bucketize.js';
import { SEGMENT_COUNT } from './segmentCount.js';
import { SEGMENT_SORTED } from './segmentSorted.js';
import { SEGMENT_SPARSE } from './segmentSparse.js';
import { SEGMENT_UNSORTED } from './segmentUnsorted.js';

export { bucketize, compareAndBitpack } from './bucketize.js';
export * from './segmentCount.js';
export { segmentMax, segmentMean, segmentMin, segmentProd, segmentSum } from './segmentSorted.js';
export * from './segmentSparse.js';
export * from './segmentUnsorted.js';

export const SEGMENT = {
  ...SEGMENT_UNSORTED,
  ...SEGMENT_SORTED,
  ...SEGMENT_SPARSE,
  ...SEGMENT_COUNT,
  ...BUCKETIZE,
};
