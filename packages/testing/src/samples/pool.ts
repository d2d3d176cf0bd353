/** Samples of pooling and its gradients. */
import type { FamilySamples } from '../sample.js';

export const POOL_SAMPLES = {} satisfies FamilySamples;
