/**
 * What all random builders share: the rule for seeds, which is TensorFlow's, and how a shape is given.
 */
import { convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { shapeFromInput } from '../inferHelpers.js';
import type { InferContext } from '../opDef.js';
import { getDefaultGraph } from '../scopes.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

/** The attributes of every random op that draws from the session's random step. */
export const SEEDS = ['seed: int = 0', 'seed2: int = 0'] as const;

/** The shape that input 0, a vector, asks for. */
export function requestedShape(c: InferContext): TensorShape {
  const { rank } = c.shape(0);
  if (rank !== null && rank !== 1) c.fail(`shape must be a vector, got shape ${c.shape(0).toString()}`);
  return shapeFromInput(c, 0);
}

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
  const [seed, seed2] = rawSeeds(graph.seed, opSeed, graph.seedCount);
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

/** A shape given as a list or as a tensor of integers. */
export function shapeTensor(shape: TensorLike): Tensor {
  return Array.isArray(shape)
    ? convertToTensor(shape, { dtype: 'int32', name: 'shape' })
    : convertToTensor(shape, { name: 'shape' });
}

/** The seeds of `getSeed` as attributes. */
export function seedAttrs(opSeed: number | undefined): { seed: number; seed2: number } {
  const [seed, seed2] = getSeed(opSeed ?? null);
  return { seed, seed2 };
}
