/** Kernels of the family `image`. */
import type { OpName } from '@forerun/graph';
import { IMAGE_RESIZE_KERNELS } from './imageResize.js';
import type { Kernel } from './kernel.js';

export const IMAGE_KERNELS = { ...IMAGE_RESIZE_KERNELS } satisfies Partial<Record<OpName, Kernel>>;
