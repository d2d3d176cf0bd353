/**
 * The registry: every op family merged into one table. Loading this module hands the table to the
 * graph (see opTable.ts), the one import side effect of the package.
 */
import type { OpDef } from './opDef.js';
import * as builders from './ops/index.js';
import { ARRAY } from './ops/array.js';
import { BINARY } from './ops/binary.js';
import { CONV } from './ops/conv.js';
import { MATRIX } from './ops/matrix.js';
import { NN } from './ops/nn.js';
import { POOL } from './ops/pool.js';
import { RANDOM } from './ops/random.js';
import { REDUCTION } from './ops/reduction.js';
import { SHAPE } from './ops/shape.js';
import { SOURCE } from './ops/source.js';
import { STATE } from './ops/state.js';
import { TRAINING } from './ops/training.js';
import { UNARY } from './ops/unary.js';
import { NORM } from './ops/norm.js';
import { LINALG } from './ops/linalg.js';
import { IMAGE } from './ops/image.js';
import { SEGMENT } from './ops/segment.js';
import { SCATTER } from './ops/scatter.js';
import { SORT } from './ops/sort.js';
import { DYNAMIC } from './ops/dynamic.js';
import { CONTROL } from './ops/control.js';
import { LIST } from './ops/list.js';
import { DEBUG } from './ops/debug.js';
import { STRING } from './ops/string.js';
import { SUMMARY } from './ops/summary.js';
import { TABLE } from './ops/table.js';
import { provideOps } from './opTable.js';

/** The families under the names that kernels, samples and references use for theirs. */
export const FAMILIES = {
  source: SOURCE,
  unary: UNARY,
  binary: BINARY,
  array: ARRAY,
  shape: SHAPE,
  reduction: REDUCTION,
  matrix: MATRIX,
  conv: CONV,
  pool: POOL,
  nn: NN,
  random: RANDOM,
  state: STATE,
  training: TRAINING,
  norm: NORM,
  linalg: LINALG,
  image: IMAGE,
  segment: SEGMENT,
  scatter: SCATTER,
  sort: SORT,
  dynamic: DYNAMIC,
  control: CONTROL,
  list: LIST,
  debug: DEBUG,
  string: STRING,
  summary: SUMMARY,
  table: TABLE,
} as const;

/** Every registered op by type. */
export const OPS = {
  ...SOURCE,
  ...UNARY,
  ...BINARY,
  ...ARRAY,
  ...SHAPE,
  ...REDUCTION,
  ...MATRIX,
  ...CONV,
  ...POOL,
  ...NN,
  ...RANDOM,
  ...STATE,
  ...TRAINING,
  ...NORM,
  ...LINALG,
  ...IMAGE,
  ...SEGMENT,
  ...SCATTER,
  ...SORT,
  ...DYNAMIC,
  ...CONTROL,
  ...LIST,
  ...DEBUG,
  ...STRING,
  ...SUMMARY,
  ...TABLE,
} satisfies Record<string, OpDef>;

export type OpName = keyof typeof OPS;

provideOps(OPS);

export { builders };
