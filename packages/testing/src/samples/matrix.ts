/** Samples of matrix products. */
import type { FamilySamples } from '../sample.js';

export const MATRIX_SAMPLES = {} satisfies FamilySamples;
