/** Kernels of the family `image`. */
import type { OpName } from '@forerun/graph';
import { IMAGE_BOXES_KERNELS } from './imageBoxes.js';
import { IMAGE_SAMPLE_KERNELS } from './imageSample.js';
import { IMAGE_COLOR_KERNELS } from './imageColor.js';
import { IMAGE_CROP_KERNELS } from './imageCrop.js';
import { IMAGE_PATCHES_KERNELS } from './imagePatches.js';
import { IMAGE_RESIZE_KERNELS } from './imageResize.js';
import { IMAGE_TRANSLATE_KERNELS } from './imageTranslate.js';
import { composed, type Kernel } from './kernel.js';

export const IMAGE_KERNELS = {
  ExtractGlimpse: composed,
  ...IMAGE_RESIZE_KERNELS,
  ...IMAGE_TRANSLATE_KERNELS,
  ...IMAGE_CROP_KERNELS,
  ...IMAGE_PATCHES_KERNELS,
  ...IMAGE_COLOR_KERNELS,
  ...IMAGE_SAMPLE_KERNELS,
  ...IMAGE_BOXES_KERNELS,
} satisfies Partial<Record<OpName, Kernel>>;
