/** Float64 references of the ops where values enter a graph or pass through it. */
import type { FamilyReferences } from '../sample.js';

export const SOURCE_REFERENCES = {} satisfies FamilyReferences;
