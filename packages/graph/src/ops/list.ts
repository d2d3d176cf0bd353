/** Tensor lists: sequences of tensors, which loops read and write. */
import type { OpDef } from '../opDef.js';

export const LIST = {} satisfies Record<string, OpDef>;
