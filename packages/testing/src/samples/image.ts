/** Samples of the family `image`. */
import type { FamilySamples } from '../sample.js';
import { IMAGE_RESIZE_SAMPLES } from './imageResize.js';

export const IMAGE_SAMPLES = { ...IMAGE_RESIZE_SAMPLES } satisfies FamilySamples;
