/** Samples of the family `sort`. */
import type { FamilySamples } from '../sample.js';

export const SORT_SAMPLES = {} satisfies FamilySamples;
