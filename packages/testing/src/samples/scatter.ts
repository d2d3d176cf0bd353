/** Samples of the family `scatter`. */
import type { FamilySamples } from '../sample.js';

export const SCATTER_SAMPLES = {} satisfies FamilySamples;
