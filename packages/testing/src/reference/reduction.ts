/** Float64 references of reductions over axes. */
import type { FamilyReferences } from '../sample.js';

export const REDUCTION_REFERENCES = {} satisfies FamilyReferences;
