/** The family `image`: ops on batches of images, by theme. */
import type { OpDef } from '../opDef.js';
import { IMAGE_RESIZE } from './imageResize.js';

export const IMAGE = { ...IMAGE_RESIZE } satisfies Record<string, OpDef>;

export * from './imageResize.js';
