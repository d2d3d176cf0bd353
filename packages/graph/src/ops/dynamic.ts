/** Ops whose output shapes depend on values: the plan is cut where one of them stands. */
import type { OpDef } from '../opDef.js';

export const DYNAMIC = {} satisfies Record<string, OpDef>;
