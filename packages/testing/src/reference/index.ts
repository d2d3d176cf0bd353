/** All references by op type. */
import type { OpName } from '@forerun/graph';
import type { Reference } from '../sample.js';
import { ARRAY_REFERENCES } from './array.js';
import { BINARY_REFERENCES } from './binary.js';
import { CONV_REFERENCES } from './conv.js';
import { MATRIX_REFERENCES } from './matrix.js';
import { NN_REFERENCES } from './nn.js';
import { POOL_REFERENCES } from './pool.js';
import { RANDOM_REFERENCES } from './random.js';
import { REDUCTION_REFERENCES } from './reduction.js';
import { SHAPE_REFERENCES } from './shape.js';
import { SOURCE_REFERENCES } from './source.js';
import { STATE_REFERENCES } from './state.js';
import { TRAINING_REFERENCES } from './training.js';
import { UNARY_REFERENCES } from './unary.js';
import { NORM_REFERENCES } from './norm.js';
import { LINALG_REFERENCES } from './linalg.js';
import { IMAGE_REFERENCES } from './image.js';
import { SEGMENT_REFERENCES } from './segment.js';
import { SCATTER_REFERENCES } from './scatter.js';
import { SORT_REFERENCES } from './sort.js';
import { DYNAMIC_REFERENCES } from './dynamic.js';
import { CONTROL_REFERENCES } from './control.js';
import { LIST_REFERENCES } from './list.js';
import { DEBUG_REFERENCES } from './debug.js';
import { STRING_REFERENCES } from './string.js';
import { SUMMARY_REFERENCES } from './summary.js';
import { TABLE_REFERENCES } from './table.js';

export const REFERENCES: Readonly<Partial<Record<OpName, Reference>>> = {
  ...SOURCE_REFERENCES,
  ...UNARY_REFERENCES,
  ...NORM_REFERENCES,
  ...LINALG_REFERENCES,
  ...IMAGE_REFERENCES,
  ...SEGMENT_REFERENCES,
  ...SCATTER_REFERENCES,
  ...SORT_REFERENCES,
  ...DYNAMIC_REFERENCES,
  ...CONTROL_REFERENCES,
  ...LIST_REFERENCES,
  ...DEBUG_REFERENCES,
  ...STRING_REFERENCES,
  ...SUMMARY_REFERENCES,
  ...TABLE_REFERENCES,
  ...BINARY_REFERENCES,
  ...ARRAY_REFERENCES,
  ...SHAPE_REFERENCES,
  ...REDUCTION_REFERENCES,
  ...MATRIX_REFERENCES,
  ...CONV_REFERENCES,
  ...POOL_REFERENCES,
  ...NN_REFERENCES,
  ...RANDOM_REFERENCES,
  ...STATE_REFERENCES,
  ...TRAINING_REFERENCES,
};
