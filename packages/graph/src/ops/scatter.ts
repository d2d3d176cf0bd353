/** Ops that write slices at computed positions, into tensors and into variables. */
import type { OpDef } from '../opDef.js';

export const SCATTER = {} satisfies Record<string, OpDef>;
