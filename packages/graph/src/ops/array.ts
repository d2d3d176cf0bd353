/** Records and builders of ops that rearrange, join, cut and index tensors. */
import type { OpDef } from '../opDef.js';

export const ARRAY = {} satisfies Record<string, OpDef>;
