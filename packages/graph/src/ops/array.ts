/**
 * Records and builders of ops that rearrange, join, cut and index tensors. The family is spread over
 * the `array*.ts` files and joined here.
 */
import { ARRAY_VIEW } from './arrayView.js';

export * from './arrayView.js';

export const ARRAY = { ...ARRAY_VIEW };
