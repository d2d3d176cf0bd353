/** Records and builders of convolutions and their gradients. */
import type { OpDef } from '../opDef.js';

export const CONV = {} satisfies Record<string, OpDef>;
