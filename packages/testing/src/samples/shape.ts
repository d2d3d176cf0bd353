/** Samples of ops that speak of shapes, or make tensors from them. */
import type { FamilySamples } from '../sample.js';

export const SHAPE_SAMPLES = {} satisfies FamilySamples;
