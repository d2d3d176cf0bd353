/** References of the family `dynamic`. */
import type { FamilyReferences } from '../sample.js';

export const DYNAMIC_REFERENCES: FamilyReferences = {};
