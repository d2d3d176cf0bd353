/** Samples of random numbers. */
import type { FamilySamples } from '../sample.js';

export const RANDOM_SAMPLES = {} satisfies FamilySamples;
