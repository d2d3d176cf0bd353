/** The ops of the family `string` have no reference: texts are no numbers. */
import type { FamilyReferences } from '../sample.js';

export const STRING_REFERENCES = {} satisfies FamilyReferences;
