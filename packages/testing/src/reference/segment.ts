/** References of the family `segment`. */
import type { FamilyReferences } from '../sample.js';

export const SEGMENT_REFERENCES: FamilyReferences = {};
