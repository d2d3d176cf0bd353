/** References of the family `debug`. */
import type { FamilyReferences } from '../sample.js';

export const DEBUG_REFERENCES: FamilyReferences = {};
