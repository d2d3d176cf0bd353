/**
 * Records and builders of the family `dynamic`: ops whose results are as large as the elements of their inputs
 * tell. Shapes are known where the values are; otherwise the session computes them on the host in the middle of a run.
 */
import { DYNAMIC_PARTITION } from './dynamicPartition.js';
import { DYNAMIC_UNIQUE } from './dynamicUnique.js';
import { DYNAMIC_WHERE } from './dynamicWhere.js';
import { RAGGED_DENSE } from './raggedDense.js';

export * from './dynamicPartition.js';
export * from './dynamicUnique.js';
export * from './dynamicWhere.js';

export const DYNAMIC = {
  ...DYNAMIC_WHERE,
  ...DYNAMIC_UNIQUE,
  ...DYNAMIC_PARTITION,
  ...RAGGED_DENSE,
};
