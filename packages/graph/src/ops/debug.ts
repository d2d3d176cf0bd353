/** Ops that look at values on their way: assertions, printing, host functions. */
import type { OpDef } from '../opDef.js';

export const DEBUG = {} satisfies Record<string, OpDef>;
