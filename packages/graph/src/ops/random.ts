/**
 * Records and builders of random numbers. Kernels are counter-based: the numbers follow from the
 * two seeds of the node, the session's random step and the element's position, on every adapter alike.
 */
import { apply, convertToTensor } from '../apply.js';
import { isInteger, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { nameScope } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { CANDIDATES } from './candidateSampling.js';
import { RANDOM_DRAWS } from './randomDraws.js';
import { SEEDS, getSeed, requestedShape, shapeTensor, type RandomOptions } from './randomSeeds.js';
import { RANDOM_STATELESS } from './randomStateless.js';

export * from './candidateSampling.js';
export * from './randomDraws.js';
export * from './randomStateless.js';
export { getSeed, setRandomSeed, type RandomOptions } from './randomSeeds.js';

const noGradient = notDifferentiable('its values do not depend on any input');

/** A distribution of floats without parameters. */
function standard(summary: string): OpDef {
  return op({
    summary,
    inputs: ['shape: T'],
    outputs: ['output: dtype'],
    attrs: [...SEEDS, 'dtype: {float32, float16, bfloat16, float64}', 'T: {int32, int64}'],
    infer: (c) => [requestedShape(c)],
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
      return [requestedShape(c)];
    },
    grad: noGradient,
    stateful: true,
  }),
  ...RANDOM_DRAWS,
  ...RANDOM_STATELESS,
  ...CANDIDATES,
};

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
