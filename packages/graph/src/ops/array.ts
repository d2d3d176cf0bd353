/**
 * Records and builders of ops that rearrange, join, cut and index tensors. The family is spread over
 * the `array*.ts` files and joined here.
 */
import { ARRAY_BLOCK } from './arrayBlock.js';
import { ARRAY_INDEX } from './arrayIndex.js';
import { ARRAY_JOIN } from './arrayJoin.js';
import { ARRAY_LEGACY } from './arrayLegacy.js';
import { ARRAY_MOVE } from './arrayMove.js';
import { ARRAY_ORDER } from './arrayOrder.js';
import { ARRAY_PAD } from './arrayPad.js';
import { ARRAY_SLICE } from './arraySlice.js';
import { ARRAY_VIEW } from './arrayView.js';
import { DATA_FORMAT } from './dataFormat.js';

export * from './arrayBlock.js';
export * from './arrayIndex.js';
export * from './arrayItem.js';
export * from './arrayJoin.js';
export * from './arrayLegacy.js';
export * from './arrayMove.js';
export * from './arrayOrder.js';
export * from './arrayPad.js';
export * from './arraySlice.js';
export * from './arrayView.js';
export { dataFormatDimMap, dataFormatVecPermute, type DataFormatOptions } from './dataFormat.js';

export const ARRAY = {
  ...ARRAY_VIEW,
  ...ARRAY_MOVE,
  ...ARRAY_JOIN,
  ...ARRAY_SLICE,
  ...ARRAY_PAD,
  ...ARRAY_INDEX,
  ...ARRAY_BLOCK,
  ...ARRAY_ORDER,
  ...ARRAY_LEGACY,
  ...DATA_FORMAT,
};
