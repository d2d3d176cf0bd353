/** Ops of normalization layers: local response normalization, fused batch normalization. */
import type { OpDef } from '../opDef.js';

export const NORM = {} satisfies Record<string, OpDef>;
