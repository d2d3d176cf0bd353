/** Samples of convolutions and their gradients. */
import type { FamilySamples } from '../sample.js';

export const CONV_SAMPLES = {} satisfies FamilySamples;
