/** Samples of the ops where values enter a graph or pass through it. */
import type { FamilySamples } from '../sample.js';

export const SOURCE_SAMPLES = {} satisfies FamilySamples;
