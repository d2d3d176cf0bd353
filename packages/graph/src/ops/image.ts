/** Ops on batches of images: resizing, cropping, colour spaces, patches. */
import type { OpDef } from '../opDef.js';

export const IMAGE = {} satisfies Record<string, OpDef>;
