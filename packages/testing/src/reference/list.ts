/** References of the family `list`. */
import type { FamilyReferences } from '../sample.js';

export const LIST_REFERENCES: FamilyReferences = {};
