/** References of the family `scatter`. */
import type { FamilyReferences } from '../sample.js';

export const SCATTER_REFERENCES: FamilyReferences = {};
