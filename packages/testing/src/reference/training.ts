/** Float64 references of optimizer updates. */
import type { FamilyReferences } from '../sample.js';

export const TRAINING_REFERENCES = {} satisfies FamilyReferences;
