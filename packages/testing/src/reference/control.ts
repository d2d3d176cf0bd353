/** References of the family `control`. */
import type { FamilyReferences } from '../sample.js';

export const CONTROL_REFERENCES: FamilyReferences = {};
