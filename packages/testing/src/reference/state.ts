/** Float64 references of resource variables and assignments, saving and restoring. */
import type { FamilyReferences } from '../sample.js';

export const STATE_REFERENCES = {} satisfies FamilyReferences;
