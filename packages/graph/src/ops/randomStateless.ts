/**
 * Random numbers that follow from a seed given as an input, and from nothing else: the same seed gives the
 * same numbers in every run. The seed is a vector of two integers, which may be computed.
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { isInteger, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { nameScope } from '../scopes.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { add, mul, sub } from './binary.js';
import { inferCategorical } from './randomDraws.js';
import { requestedShape, shapeTensor } from './randomSeeds.js';

const noGradient = notDifferentiable('its values are no smooth function of any input');

function checkSeed(c: InferContext, i: number): void {
  const shape = c.shape(i);
  if (shape.rank === null) return;
  if (shape.rank !== 1 || (shape.dim(0) ?? 2) !== 2) {
    c.fail(`seed must have shape [2], got ${shape.toString()}`);
  }
}

function inferStateless(c: InferContext): TensorShape[] {
  checkSeed(c, 1);
  return [requestedShape(c)];
}

function standard(summary: string): OpDef {
  return op({
    summary,
    inputs: ['shape: T', 'seed: Tseed'],
    outputs: ['output: dtype'],
    attrs: [
      'dtype: {float16, bfloat16, float32, float64} = float32',
      'T: index = int32',
      'Tseed: index = int64',
    ],
    infer: inferStateless,
    grad: noGradient,
  });
}

export const RANDOM_STATELESS = {
  StatelessRandomUniform: standard('Uniform random floats in [0, 1) that follow from a seed.'),
  StatelessRandomNormal: standard('Normal random floats that follow from a seed.'),
  StatelessTruncatedNormal: standard(
    'Normal random floats within two standard deviations that follow from a seed.',
  ),
  StatelessRandomUniformInt: op({
    summary: 'Uniform random integers in [minval, maxval) that follow from a seed.',
    inputs: ['shape: T', 'seed: Tseed', 'minval: dtype', 'maxval: dtype'],
    outputs: ['output: dtype'],
    attrs: ['dtype: index', 'T: index = int32', 'Tseed: index = int64'],
    infer: (c) => {
      for (const [i, name] of [
        [2, 'minval'],
        [3, 'maxval'],
      ] as const) {
        const { rank } = c.shape(i);
        if (rank !== null && rank !== 0)
          c.fail(`${name} must be a scalar, got shape ${c.shape(i).toString()}`);
      }
      const [low = NaN, high = NaN] = [c.constant(2)?.data[0], c.constant(3)?.data[0]];
      if (low >= high) c.fail(`minval must be below maxval, got ${low} and ${high}`);
      return inferStateless(c);
    },
    grad: noGradient,
  }),
  StatelessMultinomial: op({
    summary: 'Random class numbers by logits, that follow from a seed.',
    inputs: ['logits: T', 'num_samples: int32', 'seed: Tseed'],
    outputs: ['output: output_dtype'],
    attrs: [
      'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}',
      'Tseed: index = int64',
      'output_dtype: index = int64',
    ],
    infer: (c) => {
      checkSeed(c, 2);
      return inferCategorical(c);
    },
    grad: noGradient,
  }),
} satisfies Record<string, OpDef>;

/** What the stateless builders take last. */
export interface StatelessOptions extends NameOptions {
  readonly dtype?: DType | undefined;
}

/** Numbers become int32, as in TensorFlow. */
function seedTensor(seed: TensorLike): Tensor {
  return Array.isArray(seed)
    ? convertToTensor(seed, { dtype: 'int32', name: 'seed' })
    : convertToTensor(seed, { name: 'seed' });
}

/**
 * Uniform random numbers in [minval, maxval) from `seed`, two integers (`tf.random.stateless_uniform`). For
 * integer dtypes `maxval` is required; for floats it defaults to 1.
 */
export function statelessRandomUniform(
  shape: TensorLike,
  seed: TensorLike,
  {
    minval = 0,
    maxval,
    dtype = 'float32',
    name = 'stateless_random_uniform',
  }: StatelessOptions & { readonly minval?: TensorLike; readonly maxval?: TensorLike } = {},
): Tensor {
  if (isInteger(dtype) && maxval === undefined) {
    throw new InvalidArgumentError(`statelessRandomUniform: maxval must be given for dtype ${dtype}`);
  }
  return nameScope(name, (scope) => {
    const [size, pair] = [shapeTensor(shape), seedTensor(seed)];
    const low = convertToTensor(minval, { dtype, name: 'min' });
    const high = convertToTensor(maxval ?? 1, { dtype, name: 'max' });
    if (isInteger(dtype)) {
      return apply('StatelessRandomUniformInt', [size, pair, low, high], { name: scope });
    }
    const raw = apply('StatelessRandomUniform', [size, pair], { attrs: { dtype } });
    return add(mul(raw, sub(high, low)), low, { name: scope });
  });
}

type NormalOptions = StatelessOptions & { readonly mean?: TensorLike; readonly stddev?: TensorLike };

/** Normal random numbers from `seed`, two integers (`tf.random.stateless_normal`). */
export function statelessRandomNormal(
  shape: TensorLike,
  seed: TensorLike,
  options: NormalOptions = {},
): Tensor {
  return normal('StatelessRandomNormal', shape, seed, { name: 'stateless_random_normal', ...options });
}

/**
 * Normal random numbers from `seed`, two integers, of which those beyond two `stddev` from `mean` do not
 * occur (`tf.random.stateless_truncated_normal`).
 */
export function statelessTruncatedNormal(
  shape: TensorLike,
  seed: TensorLike,
  options: NormalOptions = {},
): Tensor {
  return normal('StatelessTruncatedNormal', shape, seed, {
    name: 'stateless_truncated_normal',
    ...options,
  });
}

function normal(type: string, shape: TensorLike, seed: TensorLike, options: NormalOptions): Tensor {
  const { mean = 0, stddev = 1, dtype = 'float32', name = type } = options;
  return nameScope(name, (scope) => {
    const [size, pair] = [shapeTensor(shape), seedTensor(seed)];
    const offset = convertToTensor(mean, { dtype, name: 'mean' });
    const scale = convertToTensor(stddev, { dtype, name: 'stddev' });
    const raw = apply(type, [size, pair], { attrs: { dtype } });
    return add(mul(raw, scale), offset, { name: scope });
  });
}

/**
 * `numSamples` class numbers for each row of `logits` from `seed`, two integers
 * (`tf.random.stateless_categorical`); otherwise as `categorical`.
 */
export function statelessCategorical(
  logits: TensorLike,
  numSamples: TensorLike,
  seed: TensorLike,
  { dtype = 'int64', name = 'stateless_categorical' }: StatelessOptions = {},
): Tensor {
  return nameScope(name, () => {
    const scores = convertToTensor(logits, { name: 'logits' });
    return apply('StatelessMultinomial', [scores, numSamples, seedTensor(seed)], {
      attrs: { output_dtype: dtype },
    });
  });
}
