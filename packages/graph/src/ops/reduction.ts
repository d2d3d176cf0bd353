/** Records and builders of reductions over axes. */
import type { OpDef } from '../opDef.js';

export const REDUCTION = {} satisfies Record<string, OpDef>;
