/** Float64 references of convolutions and their gradients. */
import type { FamilyReferences } from '../sample.js';

export const CONV_REFERENCES = {} satisfies FamilyReferences;
