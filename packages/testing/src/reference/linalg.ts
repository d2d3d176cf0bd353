/** References of the family `linalg`. */
import type { FamilyReferences } from '../sample.js';

export const LINALG_REFERENCES: FamilyReferences = {};
