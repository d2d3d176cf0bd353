/** The family `image`: ops on batches of images, by theme. */
import type { OpDef } from '../opDef.js';
import { IMAGE_BOXES } from './imageBoxes.js';
import { IMAGE_SUPPRESSION_CLASSES } from './imageSuppressionClasses.js';
import { IMAGE_SUPPRESSION } from './imageSuppression.js';
import { IMAGE_SAMPLE } from './imageSample.js';
import { IMAGE_COLOR } from './imageColor.js';
import { IMAGE_CROP } from './imageCrop.js';
import { IMAGE_GLIMPSE } from './imageGlimpse.js';
import { IMAGE_PATCHES } from './imagePatches.js';
import { IMAGE_RESIZE } from './imageResize.js';
import { IMAGE_TRANSLATE } from './imageTranslate.js';

export const IMAGE = {
  ...IMAGE_RESIZE,
  ...IMAGE_TRANSLATE,
  ...IMAGE_CROP,
  ...IMAGE_PATCHES,
  ...IMAGE_GLIMPSE,
  ...IMAGE_COLOR,
  ...IMAGE_SAMPLE,
  ...IMAGE_SUPPRESSION,
  ...IMAGE_SUPPRESSION_CLASSES,
  ...IMAGE_BOXES,
} satisfies Record<string, OpDef>;

export * from './imageAdjust.js';
export * from './imageBoxes.js';
export * from './imageColor.js';
export * from './imageCrop.js';
export { extractGlimpse, type GlimpseOptions } from './imageGlimpse.js';
export { convertImageDtype, saturateCast, type ConvertImageOptions } from './imageDtype.js';
export {
  centralCrop,
  cropToBoundingBox,
  flipLeftRight,
  flipUpDown,
  padToBoundingBox,
  resizeImageWithCropOrPad,
  rot90,
  transposeImage,
} from './imageGeometry.js';
export { imageGradients, psnr, sobelEdges, totalVariation } from './imageMeasure.js';
export * from './imagePatches.js';
export * from './imageRandom.js';
export * from './imageResize.js';
export * from './imageResizeTo.js';
export * from './imageSample.js';
export * from './imageSimilarity.js';
export { scaleAndTranslate, type SamplingKernel, type ScaleAndTranslateOptions } from './imageTranslate.js';
export {
  nonMaxSuppression,
  nonMaxSuppressionOverlaps,
  nonMaxSuppressionPadded,
  nonMaxSuppressionWithScores,
  type SuppressionOptions,
} from './imageSuppression.js';
export {
  combinedNonMaxSuppression,
  type CombinedSuppression,
  type CombinedSuppressionOptions,
} from './imageSuppressionClasses.js';
