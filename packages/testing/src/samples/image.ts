/** Samples of the family `image`. */
import { IMAGE_GLIMPSE_SAMPLES } from './imageGlimpse.js';
import type { FamilySamples } from '../sample.js';
import { IMAGE_BOXES_SAMPLES } from './imageBoxes.js';
import { IMAGE_SAMPLE_SAMPLES } from './imageSample.js';
import { IMAGE_COLOR_SAMPLES } from './imageColor.js';
import { IMAGE_CROP_SAMPLES } from './imageCrop.js';
import { IMAGE_PATCHES_SAMPLES } from './imagePatches.js';
import { IMAGE_RESIZE_SAMPLES } from './imageResize.js';
import { IMAGE_TRANSLATE_SAMPLES } from './imageTranslate.js';

export const IMAGE_SAMPLES = {
  ...IMAGE_GLIMPSE_SAMPLES,
  ...IMAGE_RESIZE_SAMPLES,
  ...IMAGE_TRANSLATE_SAMPLES,
  ...IMAGE_CROP_SAMPLES,
  ...IMAGE_PATCHES_SAMPLES,
  ...IMAGE_COLOR_SAMPLES,
  ...IMAGE_SAMPLE_SAMPLES,
  ...IMAGE_BOXES_SAMPLES,
} satisfies FamilySamples;
