/** Samples of resource variables and assignments, saving and restoring. */
import type { FamilySamples } from '../sample.js';

export const STATE_SAMPLES = {} satisfies FamilySamples;
