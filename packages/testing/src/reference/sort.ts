/** References of the family `sort`. */
import type { FamilyReferences } from '../sample.js';

export const SORT_REFERENCES: FamilyReferences = {};
