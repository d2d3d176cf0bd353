/** Samples of the family `image`. */
import type { FamilySamples } from '../sample.js';

export const IMAGE_SAMPLES = {} satisfies FamilySamples;
