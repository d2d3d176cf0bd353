/** Samples of ops that rearrange, join, cut and index tensors. */
import type { FamilySamples } from '../sample.js';

export const ARRAY_SAMPLES = {} satisfies FamilySamples;
