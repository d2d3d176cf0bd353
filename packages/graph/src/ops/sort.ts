/** Ordering along an axis: top k, sorting, searching. */
import type { OpDef } from '../opDef.js';

export const SORT = {} satisfies Record<string, OpDef>;
