/** Float64 references of matrix products. */
import type { FamilyReferences } from '../sample.js';

export const MATRIX_REFERENCES = {} satisfies FamilyReferences;
