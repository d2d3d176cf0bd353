/** Functional control flow: conditionals, loops and calls of functions. */
import type { OpDef } from '../opDef.js';

export const CONTROL = {} satisfies Record<string, OpDef>;
