/** Samples of the family `debug`. */
import type { FamilySamples } from '../sample.js';

export const DEBUG_SAMPLES = {} satisfies FamilySamples;
