/** Float64 references of random numbers. */
import type { FamilyReferences } from '../sample.js';

export const RANDOM_REFERENCES = {} satisfies FamilyReferences;
