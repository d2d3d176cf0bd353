/** Float64 references of neural network ops: bias, softmax, cross-entropies. */
import type { FamilyReferences } from '../sample.js';

export const NN_REFERENCES = {} satisfies FamilyReferences;
