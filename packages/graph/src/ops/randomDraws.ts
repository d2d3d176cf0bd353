/**
 * Random numbers whose distribution is an input: gamma, Poisson, categorical, truncated normal with its own
 * limits; and random permutations. How they are drawn, and why alike on every adapter, is told
 * beside the kernels.
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { broadcastShape, sameShape, withRank } from '../inferHelpers.js';
import {
  gradientMissing,
  notDifferentiable,
  op,
  type GradContext,
  type InferContext,
  type OpDef,
} from '../opDef.js';
import { nameScope } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { zerosLike } from './fill.js';
import { add, maximum, realDiv } from './binary.js';
import { SEEDS, requestedShape, seedAttrs, shapeTensor, type RandomOptions } from './randomSeeds.js';

const IS_DISCRETE = notDifferentiable('its values are whole numbers');
const HALF_TO_DOUBLE = '{float16, float32, float64}';
const POISSON_TYPES = '{float16, float32, float64, int32, int64}';

/** As many draws as input 0 says for each element of the parameter, input 1. */
function drawsPerParameter(c: InferContext): TensorShape[] {
  return [requestedShape(c).concat(c.shape(1))];
}

/** `num_samples`, input 1, draws for each row of logits. */
export function inferCategorical(c: InferContext): TensorShape[] {
  const logits = withRank(c, 0, 2, 'logits');
  withRank(c, 1, 0, 'num_samples');
  const count = c.constant(1)?.data[0] ?? NaN;
  if (count < 0) c.fail(`num_samples must not be negative, got ${count}`);
  if (logits.dim(1) === 0 && logits.dim(0) !== 0 && count > 0) {
    c.fail(`there are no classes to draw from: logits have shape ${logits.toString()}`);
  }
  return [new TensorShape([logits.dim(0), Number.isNaN(count) ? null : count])];
}

/** Parameters are scalars, or vectors with an element per row of the output. */
function inferTruncated(c: InferContext): TensorShape[] {
  const shape = requestedShape(c);
  if (shape.rank === 0) c.fail('shape must have an element at least, got a scalar shape');
  ['means', 'stdevs', 'minvals', 'maxvals'].forEach((name, k) => {
    const parameter = c.shape(k + 1);
    if (parameter.rank === null || parameter.rank === 0) return;
    if (parameter.rank > 1) c.fail(`${name} must be a scalar or a vector, got shape ${parameter.toString()}`);
    const [length, rows] = [parameter.dim(0), shape.rank === null ? null : shape.dim(0)];
    if (length !== null && length !== 1 && rows !== null && length !== rows) {
      c.fail(`${name} has ${length} elements, the output has ${rows} rows`);
    }
  });
  return [shape];
}

/**
 * The derivative of each sample by its alpha, summed over the samples of one alpha:
 * dalpha = sum(dy * dsample/dalpha).
 */
function gammaGrad({ ops, input, output, dy }: GradContext): (Tensor | null)[] {
  const alpha = input(1);
  const leading = ops.size(input(0)); // dimensions that count the draws
  const ones = ops.ones(ops.reshape(leading, [1]), { dtype: 'int32' });
  const aligned = ops.reshape(alpha, ops.concat([ones, ops.shape(alpha)], 0));
  const byAlpha = apply('RandomGammaGrad', [aligned, output(0)]);
  return [null, ops.reduceSum(ops.mul(dy, byAlpha), { axis: ops.range(leading) })];
}

export const RANDOM_DRAWS = {
  RandomGamma: op({
    summary: 'Random floats of gamma distributions with shapes alpha and rate 1.',
    inputs: ['shape: S', 'alpha: T'],
    outputs: ['output: T'],
    attrs: [...SEEDS, 'S: {int32, int64}', `T: ${HALF_TO_DOUBLE}`],
    infer: drawsPerParameter,
    grad: gammaGrad,
    stateful: true,
  }),

  RandomGammaGrad: op({
    summary: 'Derivative of a gamma sample by alpha, at a fixed probability of smaller ones.',
    inputs: ['alpha: T', 'sample: T'],
    outputs: ['output: T'],
    attrs: ['T: {float32, float64}'],
    infer: broadcastShape,
    grad: gradientMissing('the derivative of a gamma sample has no derivative here, nor in TensorFlow'),
  }),

  RandomPoisson: op({
    summary: 'Random numbers of Poisson distributions; replaced by RandomPoissonV2.',
    inputs: ['shape: S', 'rate: dtype'],
    outputs: ['output: dtype'],
    attrs: [...SEEDS, 'S: {int32, int64}', `dtype: ${HALF_TO_DOUBLE}`],
    infer: drawsPerParameter,
    grad: IS_DISCRETE,
    stateful: true,
  }),

  RandomPoissonV2: op({
    summary: 'Random numbers of Poisson distributions with the given rates.',
    inputs: ['shape: S', 'rate: R'],
    outputs: ['output: dtype'],
    attrs: [
      ...SEEDS,
      'S: {int32, int64}',
      `R: ${POISSON_TYPES} = float64`,
      `dtype: ${POISSON_TYPES} = int64`,
    ],
    infer: drawsPerParameter,
    grad: IS_DISCRETE,
    stateful: true,
  }),

  Multinomial: op({
    summary: 'Random class numbers, drawn with probabilities in proportion to exp(logits).',
    inputs: ['logits: T', 'num_samples: int32'],
    outputs: ['output: output_dtype'],
    attrs: [
      ...SEEDS,
      'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}',
      'output_dtype: index = int64',
    ],
    infer: inferCategorical,
    grad: IS_DISCRETE,
    stateful: true,
  }),

  RandomShuffle: op({
    summary: 'The slices along the first dimension in random order.',
    inputs: ['value: T'],
    outputs: ['output: T'],
    attrs: [...SEEDS, 'T: type'],
    infer: sameShape,
    grad: notDifferentiable('TensorFlow defines none: its order is not known to the gradient'),
    stateful: true,
  }),

  ParameterizedTruncatedNormal: op({
    summary: 'Normal random floats between limits of their own, by rows.',
    inputs: ['shape: T', 'means: dtype', 'stdevs: dtype', 'minvals: dtype', 'maxvals: dtype'],
    outputs: ['output: dtype'],
    attrs: [...SEEDS, 'dtype: {float16, bfloat16, float32, float64}', 'T: {int32, int64}'],
    infer: inferTruncated,
    grad: notDifferentiable('TensorFlow defines none'),
    stateful: true,
  }),
} satisfies Record<string, OpDef>;

/** The smallest normal float32: what a gamma sample is at least. */
const TINY = 2 ** -126;

/**
 * Gamma random numbers (`tf.random.gamma`): `shape` draws for each element of `alpha + beta`, so the result
 * has the shape `shape` followed by that of `alpha` broadcast with `beta` (rates, default 1). Gradients flow to
 * `alpha`, by implicit reparameterization (Figurnov, Mohamed and Mnih, 2018), and to `beta`.
 */
export function randomGamma(
  shape: TensorLike,
  alpha: TensorLike,
  {
    beta = 1,
    dtype = 'float32',
    seed,
    name = 'random_gamma',
  }: RandomOptions & { readonly beta?: TensorLike | undefined } = {},
): Tensor {
  return nameScope(name, (scope) => {
    const size = shapeTensor(shape);
    const shapes = convertToTensor(alpha, { dtype, name: 'alpha' });
    const rates = convertToTensor(beta, { dtype, name: 'beta' });
    const broadcast = add(shapes, zerosLike(rates));
    const samples = apply('RandomGamma', [size, broadcast], { attrs: seedAttrs(seed) });
    return maximum(TINY, realDiv(samples, rates), { name: scope });
  });
}

/**
 * Poisson random numbers (`tf.random.poisson`): `shape` draws for each element of `lam`, the rates, so
 * the result has the shape `shape` followed by that of `lam`. `dtype` is that of the result.
 */
export function randomPoisson(
  lam: TensorLike,
  shape: TensorLike,
  { dtype = 'float32', seed, name = 'random_poisson' }: RandomOptions = {},
): Tensor {
  return nameScope(name, () => {
    const size = shapeTensor(shape);
    return apply('RandomPoissonV2', [size, convertToTensor(lam)], { attrs: { ...seedAttrs(seed), dtype } });
  });
}

/**
 * `value` with its slices along the first dimension in random order (`tf.random.shuffle`): every one
 * occurs once. No gradient flows, as in TensorFlow.
 */
export function randomShuffle(
  value: TensorLike,
  { seed, name }: NameOptions & { readonly seed?: number | undefined } = {},
): Tensor {
  return apply('RandomShuffle', [convertToTensor(value)], { name, attrs: seedAttrs(seed) });
}

interface CategoricalOptions extends NameOptions {
  /** int64 (default) or int32. */
  readonly dtype?: DType | undefined;
  readonly seed?: number | undefined;
}

/**
 * `numSamples` random class numbers for each row of `logits` `[batch, classes]`, with
 * probabilities in proportion to exp(logits) (`tf.random.categorical`). A class whose probability is below
 * 2^-31 of the likeliest's, or whose logit is not finite, is never drawn.
 */
export function categorical(
  logits: TensorLike,
  numSamples: TensorLike,
  { dtype = 'int64', seed, name = 'categorical' }: CategoricalOptions = {},
): Tensor {
  return nameScope(name, () => {
    const scores = convertToTensor(logits, { name: 'logits' });
    const attrs = { ...seedAttrs(seed), output_dtype: dtype };
    return apply('Multinomial', [scores, numSamples], { attrs });
  });
}

/** The older name of `categorical` (`tf.multinomial`). */
export function multinomial(
  logits: TensorLike,
  numSamples: TensorLike,
  {
    outputDtype,
    name = 'multinomial',
    ...options
  }: Omit<CategoricalOptions, 'dtype'> & { readonly outputDtype?: DType | undefined } = {},
): Tensor {
  return categorical(logits, numSamples, { ...options, dtype: outputDtype, name });
}

/**
 * Normal random numbers in [minvals, maxvals] (TensorFlow's `parameterized_truncated_normal`). Each
 * parameter is a scalar or has an element per row of the output. NaN where stddevs are not positive or the
 * interval is empty.
 */
export function parameterizedTruncatedNormal(
  shape: TensorLike,
  {
    means = 0,
    stddevs = 1,
    minvals = -2,
    maxvals = 2,
    dtype = 'float32',
    seed,
    name = 'parameterized_truncated_normal',
  }: RandomOptions & {
    readonly means?: TensorLike;
    readonly stddevs?: TensorLike;
    readonly minvals?: TensorLike;
    readonly maxvals?: TensorLike;
  } = {},
): Tensor {
  return nameScope(name, (scope) => {
    const size = shapeTensor(shape);
    const parameters = [means, stddevs, minvals, maxvals].map((value) => convertToTensor(value, { dtype }));
    return apply('ParameterizedTruncatedNormal', [size, ...parameters], {
      name: scope,
      attrs: seedAttrs(seed),
    });
  });
}
