/** References of the family `image`. */
import type { FamilyReferences } from '../sample.js';
import { IMAGE_RESIZE_REFERENCES } from './imageResize.js';

export const IMAGE_REFERENCES: FamilyReferences = { ...IMAGE_RESIZE_REFERENCES };
