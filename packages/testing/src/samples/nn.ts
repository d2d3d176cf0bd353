/** Samples of neural network ops: bias, softmax, cross-entropies. */
import type { FamilySamples } from '../sample.js';

export const NN_SAMPLES = {} satisfies FamilySamples;
