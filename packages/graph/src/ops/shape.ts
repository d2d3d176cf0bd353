/** Records and builders of ops that speak of shapes, or make tensors from them. */
import type { OpDef } from '../opDef.js';

export const SHAPE = {} satisfies Record<string, OpDef>;
