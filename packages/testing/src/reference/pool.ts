/** Float64 references of pooling and its gradients. */
import type { FamilyReferences } from '../sample.js';

export const POOL_REFERENCES = {} satisfies FamilyReferences;
