/** Samples of the family `control`. */
import type { FamilySamples } from '../sample.js';

export const CONTROL_SAMPLES = {} satisfies FamilySamples;
