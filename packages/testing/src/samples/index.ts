/** All samples by op type. */
import type { OpName } from '@forerun/graph';
import type { OpCases, OpSamples } from '../sample.js';
import { ARRAY_SAMPLES } from './array.js';
import { BINARY_SAMPLES } from './binary.js';
import { CONV_SAMPLES } from './conv.js';
import { MATRIX_SAMPLES } from './matrix.js';
import { NN_SAMPLES } from './nn.js';
import { POOL_SAMPLES } from './pool.js';
import { RANDOM_SAMPLES } from './random.js';
import { REDUCTION_SAMPLES } from './reduction.js';
import { SHAPE_SAMPLES } from './shape.js';
import { SOURCE_SAMPLES } from './source.js';
import { STATE_SAMPLES } from './state.js';
import { TRAINING_SAMPLES } from './training.js';
import { UNARY_SAMPLES } from './unary.js';
import { NORM_SAMPLES } from './norm.js';
import { LINALG_SAMPLES } from './linalg.js';
import { IMAGE_SAMPLES } from './image.js';
import { SEGMENT_SAMPLES } from './segment.js';
import { SCATTER_SAMPLES } from './scatter.js';
import { SORT_SAMPLES } from './sort.js';
import { DYNAMIC_SAMPLES } from './dynamic.js';
import { CONTROL_SAMPLES } from './control.js';
import { LIST_SAMPLES } from './list.js';
import { DEBUG_SAMPLES } from './debug.js';
import { STRING_SAMPLES } from './string.js';
import { SUMMARY_SAMPLES } from './summary.js';
import { TABLE_SAMPLES } from './table.js';

export const SAMPLES: Readonly<Partial<Record<OpName, OpSamples | OpCases>>> = {
  ...SOURCE_SAMPLES,
  ...UNARY_SAMPLES,
  ...NORM_SAMPLES,
  ...LINALG_SAMPLES,
  ...IMAGE_SAMPLES,
  ...SEGMENT_SAMPLES,
  ...SCATTER_SAMPLES,
  ...SORT_SAMPLES,
  ...DYNAMIC_SAMPLES,
  ...CONTROL_SAMPLES,
  ...LIST_SAMPLES,
  ...DEBUG_SAMPLES,
  ...STRING_SAMPLES,
  ...SUMMARY_SAMPLES,
  ...TABLE_SAMPLES,
  ...BINARY_SAMPLES,
  ...ARRAY_SAMPLES,
  ...SHAPE_SAMPLES,
  ...REDUCTION_SAMPLES,
  ...MATRIX_SAMPLES,
  ...CONV_SAMPLES,
  ...POOL_SAMPLES,
  ...NN_SAMPLES,
  ...RANDOM_SAMPLES,
  ...STATE_SAMPLES,
  ...TRAINING_SAMPLES,
};
