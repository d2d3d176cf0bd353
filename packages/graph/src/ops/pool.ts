/** Records and builders of pooling and its gradients. */
import type { OpDef } from '../opDef.js';

export const POOL = {} satisfies Record<string, OpDef>;
