/** Records and builders of optimizer updates. */
import type { OpDef } from '../opDef.js';

export const TRAINING = {} satisfies Record<string, OpDef>;
