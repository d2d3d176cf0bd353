/** Records and builders of elementwise ops of two or three operands: arithmetic, comparison, logic, selection. */
import type { OpDef } from '../opDef.js';

export const BINARY = {} satisfies Record<string, OpDef>;
