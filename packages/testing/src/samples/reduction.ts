/** Samples of reductions over axes. */
import type { FamilySamples } from '../sample.js';

export const REDUCTION_SAMPLES = {} satisfies FamilySamples;
