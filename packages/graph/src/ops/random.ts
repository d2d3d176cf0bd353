/** Records and builders of random numbers. */
import type { OpDef } from '../opDef.js';

export const RANDOM = {} satisfies Record<string, OpDef>;
