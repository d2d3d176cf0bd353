/**
 * Records and builders of random numbers. Kernels are counter-based: the numbers follow from the
 * two seeds of the node, the session's random step and the element's position, on every adapter alike.
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { isInteger, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { shapeFromInput } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { getDefaultGraph, nameScope } from '../scopes.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

const SEEDS = ['seed: int = 0', 'seed2: int = 0'];
const noGradient = notDifferentiable('its values do not depend on any input');

function requestedShape(c: InferContext): TensorShape[] {
  const rank = c.shape(0).rank;
  if (rank !== null && rank !== 1) c.fail(`shape must be a vector, got shape ${c.shape(0).toString()}`);
  return [shapeFromInput(c, 0)];
}

/** A distribution of floats without parameters. */
function standard(summary: string): OpDef {
  return op({
    summary,
    inputs: ['shape: T'],
    outputs: ['output: dtype'],
    attrs: [...SEEDS, 'dtype: {float32, float16, bfloat16, float64}', 'T: {int32, int64}'],
    infer: requestedShape,
    grad: noGradient,
    stateful: true,
  });
}

function rejectEmptyInterval(c: InferContext): void {
  for (const [i, name] of [
    [1, 'minval'],
    [2, 'maxval'],
  ] as const) {
    const { rank } = c.shape(i);
    if (rank !== null && rank !== 0) c.fail(`${name} must be a scalar, got shape ${c.shape(i).toString()}`);
  }
  const [low = NaN, high = NaN] = [c.constant(1)?.data[0], c.constant(2)?.data[0]];
  if (low >= high) c.fail(`minval must be below maxval, got ${low} and ${high}`);
}

export const RANDOM = {
  RandomUniform: standard('Uniform random floats in [0, 1).'),
  RandomStandardNormal: standard('Random floats of the normal distribution with mean 0 and deviation 1.'),
  TruncatedNormal: standard('Normal random floats, restricted to two standard deviations.'),
  RandomUniformInt: op({
    summary: 'Uniform random integers in [minval, maxval).',
    inputs: ['shape: T', 'minval: Tout', 'maxval: Tout'],
    outputs: ['output: Tout'],
    attrs: [...SEEDS, 'Tout: {int32, int64}', 'T: {int32, int64}'],
    infer: (c) => {
      rejectEmptyInterval(c);
      return requestedShape(c);
    },
    grad: noGradient,
    stateful: true,
  }),
};

/** What the random builders take last. */
export interface RandomOptions extends NameOptions {
  readonly dtype?: DType;
  /** The op's own seed; see `getSeed`. */
  readonly seed?: number | undefined;
}

/** TensorFlow's graph seed where only an op has one. */
const DEFAULT_GRAPH_SEED = 87654321;
const MAX_INT32 = 2 ** 31 - 1;

/**
 * Sets the seed of the default graph (`tf.set_random_seed`): ops created afterwards without a seed of their
 * own derive one from it and from the number of ops in the graph. `null` removes it.
 */
export function setRandomSeed(seed: number | null): void {
  if (seed !== null) checkSeed(seed);
  getDefaultGraph().seed = seed;
}

/**
 * The seeds that an op records (`tf.get_seed`): graph seed and op seed; only an op seed: 87654321 and
 * it; only a graph seed: it and the number of ops so far. With neither, a pair is drawn here, while the
 * graph is built: every program run differs, as in TensorFlow, but a saved graph repeats itself.
 * Never (0, 0), which in files stands for "no seed".
 */
export function getSeed(opSeed: number | null): [number, number] {
  const graph = getDefaultGraph();
  if (opSeed !== null) checkSeed(opSeed);
  const [seed, seed2] = rawSeeds(graph.seed, opSeed, graph.operations.length);
  const pair: [number, number] = [truncateSeed(seed), truncateSeed(seed2)];
  return pair[0] === 0 && pair[1] === 0 ? [0, MAX_INT32] : pair;
}

function rawSeeds(graphSeed: number | null, opSeed: number | null, operations: number): [number, number] {
  if (graphSeed !== null) return [graphSeed, opSeed ?? operations];
  if (opSeed !== null) return [DEFAULT_GRAPH_SEED, opSeed];
  return [Math.floor(Math.random() * MAX_INT32), Math.floor(Math.random() * MAX_INT32)];
}

/** Python's remainder by 2^31 - 1. */
function truncateSeed(seed: number): number {
  return ((seed % MAX_INT32) + MAX_INT32) % MAX_INT32;
}

function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError(`a seed must be an integer, got ${seed}`);
}

function shapeTensor(shape: TensorLike): Tensor {
  return Array.isArray(shape)
    ? convertToTensor(shape, { dtype: 'int32', name: 'shape' })
    : convertToTensor(shape, { name: 'shape' });
}

/**
 * `standard op * scale + offset`, under one name. The order of creation is TensorFlow's, because seeds may count
 * nodes: parameters first, then the random op, then what is computed from them.
 */
function scaled(
  type: string,
  shape: TensorLike,
  { scope, dtype, seed }: { scope: string; dtype: DType; seed: number | null },
  parameters: () => readonly [scale: () => Tensor, offset: Tensor],
): Tensor {
  const size = shapeTensor(shape);
  const [scale, offset] = parameters();
  const [first, second] = getSeed(seed);
  const raw = apply(type, [size], { attrs: { dtype, seed: first, seed2: second } });
  return apply('Add', [apply('Mul', [raw, scale()], { name: 'mul' }), offset], { name: scope });
}

/**
 * Uniform random numbers in [minval, maxval) (`tf.random.uniform`). `shape` is a list or an int tensor.
 * For integer dtypes `maxval` is required; for floats it defaults to 1.
 */
export function randomUniform(
  shape: TensorLike,
  {
    minval = 0,
    maxval,
    dtype = 'float32',
    seed,
    name = 'random_uniform',
  }: RandomOptions & { readonly minval?: TensorLike; readonly maxval?: TensorLike } = {},
): Tensor {
  if (isInteger(dtype) && maxval === undefined) {
    throw new InvalidArgumentError(`randomUniform: maxval must be given for dtype ${dtype}`);
  }
  return nameScope(name, (scope) => {
    const bounds = (): [Tensor, Tensor] => [
      convertToTensor(minval, { dtype, name: 'min' }),
      convertToTensor(maxval ?? 1, { dtype, name: 'max' }),
    ];
    if (isInteger(dtype)) {
      const size = shapeTensor(shape);
      const [low, high] = bounds();
      const [first, second] = getSeed(seed ?? null);
      const attrs = { seed: first, seed2: second };
      return apply('RandomUniformInt', [size, low, high], { name: scope, attrs });
    }
    return scaled('RandomUniform', shape, { scope, dtype, seed: seed ?? null }, () => {
      const [low, high] = bounds();
      return [() => apply('Sub', [high, low], { name: 'sub' }), low];
    });
  });
}

type NormalOptions = RandomOptions & { readonly mean?: TensorLike; readonly stddev?: TensorLike };

/** Normal random numbers with `mean` (0) and `stddev` (1), which broadcast (`tf.random.normal`). */
export function randomNormal(shape: TensorLike, options: NormalOptions = {}): Tensor {
  return normal('RandomStandardNormal', shape, { name: 'random_normal', ...options });
}

/**
 * Normal random numbers of which those beyond two `stddev` from `mean` do not occur
 * (`tf.random.truncated_normal`).
 */
export function truncatedNormal(shape: TensorLike, options: NormalOptions = {}): Tensor {
  return normal('TruncatedNormal', shape, { name: 'truncated_normal', ...options });
}

function normal(type: string, shape: TensorLike, options: NormalOptions): Tensor {
  const { mean = 0, stddev = 1, dtype = 'float32', seed, name = type } = options;
  return nameScope(name, (scope) =>
    scaled(type, shape, { scope, dtype, seed: seed ?? null }, () => {
      const offset = convertToTensor(mean, { dtype, name: 'mean' });
      const scale = convertToTensor(stddev, { dtype, name: 'stddev' });
      return [() => scale, offset];
    }),
  );
}
