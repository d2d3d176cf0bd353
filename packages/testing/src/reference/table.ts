/** References of the family `table`. */
import type { FamilyReferences } from '../sample.js';

export const TABLE_REFERENCES: FamilyReferences = {};
