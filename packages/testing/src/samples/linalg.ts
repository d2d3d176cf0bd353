/** Samples of the family `linalg`. */
import type { FamilySamples } from '../sample.js';

export const LINALG_SAMPLES = {} satisfies FamilySamples;
