/** Records and builders of matrix products. */
import type { OpDef } from '../opDef.js';

export const MATRIX = {} satisfies Record<string, OpDef>;
