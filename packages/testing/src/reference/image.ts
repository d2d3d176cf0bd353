/** References of the family `image`. */
import type { FamilyReferences } from '../sample.js';

export const IMAGE_REFERENCES: FamilyReferences = {};
