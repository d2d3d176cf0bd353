/** Reductions over segments of the first dimension, and counting. */
import type { OpDef } from '../opDef.js';

export const SEGMENT = {} satisfies Record<string, OpDef>;
