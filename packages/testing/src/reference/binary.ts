/** Float64 references of elementwise ops of two or three operands: arithmetic, comparison, logic, selection. */
import type { FamilyReferences } from '../sample.js';

export const BINARY_REFERENCES = {} satisfies FamilyReferences;
