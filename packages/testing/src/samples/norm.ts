/** Samples of the family `norm`. */
import type { FamilySamples } from '../sample.js';

export const NORM_SAMPLES = {} satisfies FamilySamples;
