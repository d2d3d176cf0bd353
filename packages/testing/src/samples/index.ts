/** All samples by op type. */
import type { OpName } from '@forerun/graph';
import type { OpSamples } from '../sample.js';
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

export const SAMPLES: Readonly<Partial<Record<OpName, OpSamples | { readonly testedElsewhere: string }>>> = {
  ...SOURCE_SAMPLES,
  ...UNARY_SAMPLES,
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
