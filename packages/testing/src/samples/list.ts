/** Samples of the family `list`. */
import type { FamilySamples } from '../sample.js';

export const LIST_SAMPLES = {} satisfies FamilySamples;
