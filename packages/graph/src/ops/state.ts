/** Records and builders of resource variables and assignments, saving and restoring. */
import type { OpDef } from '../opDef.js';

export const STATE = {} satisfies Record<string, OpDef>;
