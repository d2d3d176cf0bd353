/** References of the family `norm`. */
import type { FamilyReferences } from '../sample.js';

export const NORM_REFERENCES: FamilyReferences = {};
