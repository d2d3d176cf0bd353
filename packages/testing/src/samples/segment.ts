/** Samples of the family `segment`. */
import type { FamilySamples } from '../sample.js';

export const SEGMENT_SAMPLES = {} satisfies FamilySamples;
