/** Samples of optimizer updates. */
import type { FamilySamples } from '../sample.js';

export const TRAINING_SAMPLES = {} satisfies FamilySamples;
