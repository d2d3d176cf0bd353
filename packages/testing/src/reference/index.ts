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

export const REFERENCES: Readonly<Partial<Record<OpName, Reference>>> = {
  ...SOURCE_REFERENCES,
  ...UNARY_REFERENCES,
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
