/** References of the family `image`. */
import { IMAGE_GLIMPSE_REFERENCES } from './imageGlimpse.js';
import type { FamilyReferences } from '../sample.js';
import { IMAGE_BOXES_REFERENCES } from './imageBoxes.js';
import { IMAGE_SAMPLE_REFERENCES } from './imageSample.js';
import { IMAGE_COLOR_REFERENCES } from './imageColor.js';
import { IMAGE_CROP_REFERENCES } from './imageCrop.js';
import { IMAGE_PATCHES_REFERENCES } from './imagePatches.js';
import { IMAGE_RESIZE_REFERENCES } from './imageResize.js';
import { IMAGE_TRANSLATE_REFERENCES } from './imageTranslate.js';

export const IMAGE_REFERENCES: FamilyReferences = {
  ...IMAGE_GLIMPSE_REFERENCES,
  ...IMAGE_RESIZE_REFERENCES,
  ...IMAGE_TRANSLATE_REFERENCES,
  ...IMAGE_CROP_REFERENCES,
  ...IMAGE_PATCHES_REFERENCES,
  ...IMAGE_COLOR_REFERENCES,
  ...IMAGE_SAMPLE_REFERENCES,
  ...IMAGE_BOXES_REFERENCES,
};
