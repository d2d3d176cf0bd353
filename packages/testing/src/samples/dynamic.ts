/** Samples of the family `dynamic`. */
import type { FamilySamples } from '../sample.js';

export const DYNAMIC_SAMPLES = {} satisfies FamilySamples;
