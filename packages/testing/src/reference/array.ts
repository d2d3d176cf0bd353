/** Float64 references of ops that rearrange, join, cut and index tensors. */
import type { FamilyReferences } from '../sample.js';

export const ARRAY_REFERENCES = {} satisfies FamilyReferences;
