/** Records and builders of neural network ops: bias, softmax, cross-entropies. */
import type { OpDef } from '../opDef.js';

export const NN = {} satisfies Record<string, OpDef>;
