/** The ops of the family `summary` have no reference: messages are no numbers. */
import type { FamilyReferences } from '../sample.js';

export const SUMMARY_REFERENCES = {} satisfies FamilyReferences;
