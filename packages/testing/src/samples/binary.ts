/** Samples of elementwise ops of two or three operands: arithmetic, comparison, logic, selection. */
import type { FamilySamples } from '../sample.js';

export const BINARY_SAMPLES = {} satisfies FamilySamples;
