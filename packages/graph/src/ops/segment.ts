/** Records and builders of the family `segment`: rows of a tensor that belong together are summed, multiplied, compared. */
import { SEGMENT_UNSORTED } from './segmentUnsorted.js';

export * from './segmentUnsorted.js';

export const SEGMENT = { ...SEGMENT_UNSORTED };
