/** Float64 references of ops that speak of shapes, or make tensors from them. */
import type { FamilyReferences } from '../sample.js';

export const SHAPE_REFERENCES = {} satisfies FamilyReferences;
