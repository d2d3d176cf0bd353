/** Dense linear algebra on the innermost two dimensions: decompositions, solvers, diagonals. */
import type { OpDef } from '../opDef.js';

export const LINALG = {} satisfies Record<string, OpDef>;
