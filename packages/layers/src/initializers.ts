/**
 * Initial values of variables. Each function makes an `Initializer` (`tf.zeros_initializer()` …), which
 * the variable calls with its shape and dtype; the values are computed when the session initializes.
 */
import {
  InvalidArgumentError,
  checkOptions,
  convertToTensor,
  constant,
  fill,
  isFloating,
  isTypedArray,
  ones,
  randomNormal,
  randomUniform,
  sizeOf,
  truncatedNormal,
  zeros,
  type DType,
  type NestedArray,
  type NumericData,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';

export type { Initializer } from './initializer.js';

export interface InitializerOptions {
  /** Dtype when the variable does not say one. Default float32. */
  readonly dtype?: DType | undefined;
}

export interface RandomInitializerOptions extends InitializerOptions {
  /** Op seed; with the graph's seed it decides the numbers. */
  readonly seed?: number | undefined;
}

/** All zeros (`tf.zeros_initializer`). */
export function zerosInitializer({ dtype: own = 'float32' }: InitializerOptions = {}): Initializer {
  return (shape, { dtype = own } = {}) => zeros(shape, { dtype });
}

/** All ones (`tf.ones_initializer`). */
export function onesInitializer({ dtype: own = 'float32' }: InitializerOptions = {}): Initializer {
  return (shape, { dtype = own } = {}) => ones(shape, { dtype });
}

/**
 * A constant (`tf.constant_initializer`): one number for all elements, or a list with as many elements
 * as the variable has. Throws `InvalidArgumentError` when the number of elements differs.
 */
export function constantInitializer(
  value: NestedArray | NumericData = 0,
  { dtype: own = 'float32' }: InitializerOptions = {},
): Initializer {
  return (shape, { dtype = own } = {}) => {
    if (typeof value === 'number') return fill(shape, convertToTensor(value, { dtype }));
    return constant(isTypedArray(value) ? value : flattened(value), { dtype, shape });
  };
}

/** The elements of nested arrays in one list. */
function flattened(value: NestedArray): NestedArray[] {
  return Array.isArray(value) ? (value as readonly NestedArray[]).flatMap(flattened) : [value];
}

type UniformOptions = RandomInitializerOptions & { readonly minval?: number; readonly maxval?: number };

/** Uniform in [minval, maxval) (`tf.random_uniform_initializer`). Default range -0.05 to 0.05. */
export function randomUniformInitializer(options: UniformOptions = {}): Initializer {
  const {
    minval = -0.05,
    maxval = 0.05,
    seed,
    dtype: own = 'float32',
  } = checkOptions('randomUniformInitializer', options, '{ minval: -1, maxval: 1 }');
  return (shape, { dtype = own } = {}) => randomUniform(shape, { minval, maxval, dtype, seed });
}

interface NormalOptions extends RandomInitializerOptions {
  readonly mean?: number;
  readonly stddev?: number;
}

/** Normal with `mean` 0 and `stddev` 0.05 by default (`tf.random_normal_initializer`). */
export function randomNormalInitializer(options: NormalOptions = {}): Initializer {
  const {
    mean = 0,
    stddev = 0.05,
    seed,
    dtype: own = 'float32',
  } = checkOptions('randomNormalInitializer', options, '{ stddev: 0.1 }');
  return (shape, { dtype = own } = {}) => randomNormal(shape, { mean, stddev, dtype, seed });
}

/** Normal, redrawn beyond two standard deviations (`tf.truncated_normal_initializer`). Default `stddev` 0.05. */
export function truncatedNormalInitializer(options: NormalOptions = {}): Initializer {
  const {
    mean = 0,
    stddev = 0.05,
    seed,
    dtype: own = 'float32',
  } = checkOptions('truncatedNormalInitializer', options, '{ stddev: 0.1 }');
  return (shape, { dtype = own } = {}) => truncatedNormal(shape, { mean, stddev, dtype, seed });
}

export interface VarianceScalingOptions extends RandomInitializerOptions {
  /** Default 1. */
  readonly scale?: number;
  /** What the variance is divided by: inputs, outputs or their mean per unit. Default `fan_in`. */
  readonly mode?: 'fan_in' | 'fan_out' | 'fan_avg';
  /** Default `truncated_normal`; `normal` means the same. */
  readonly distribution?: 'truncated_normal' | 'normal' | 'untruncated_normal' | 'uniform';
}

/** Standard deviation of a standard normal distribution cut off at two standard deviations. */
const TRUNCATED_STDDEV = 0.879_625_661_034_239_78;

/**
 * Zero mean and variance `scale / fan` (`tf.variance_scaling_initializer`). Throws
 * `InvalidArgumentError` for a scale that is not positive and dtypes that are not floating-point.
 */
export function varianceScalingInitializer({
  scale = 1,
  mode = 'fan_in',
  distribution = 'truncated_normal',
  seed,
  dtype: own = 'float32',
}: VarianceScalingOptions = {}): Initializer {
  if (!(scale > 0)) throw new InvalidArgumentError(`variance scaling: scale must be positive, got ${scale}`);
  return (shape, { dtype = own } = {}) => {
    if (!isFloating(dtype)) {
      throw new InvalidArgumentError(`variance scaling: the variable must be floating-point, it is ${dtype}`);
    }
    const [fanIn, fanOut] = computeFans(shape);
    const fan = { fan_in: fanIn, fan_out: fanOut, fan_avg: (fanIn + fanOut) / 2 }[mode];
    const variance = scale / Math.max(1, fan);
    if (distribution === 'uniform') {
      const limit = Math.sqrt(3 * variance);
      return randomUniform(shape, { minval: -limit, maxval: limit, dtype, seed });
    }
    const stddev = Math.sqrt(variance);
    if (distribution === 'untruncated_normal') return randomNormal(shape, { stddev, dtype, seed });
    return truncatedNormal(shape, { stddev: stddev / TRUNCATED_STDDEV, dtype, seed });
  };
}

/** Units that feed one output and that one input feeds: the last two dimensions, times the window before them. */
function computeFans(shape: readonly number[]): [number, number] {
  const [last = 1, before = last] = [...shape].reverse();
  const window = sizeOf(shape.slice(0, -2));
  return [before * window, last * window];
}

/** Uniform within sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010): the default of `getVariable`. */
export function glorotUniformInitializer(options: RandomInitializerOptions = {}): Initializer {
  return varianceScalingInitializer({ ...options, mode: 'fan_avg', distribution: 'uniform' });
}

/** Truncated normal of variance 2 / (fan in + fan out) (Glorot and Bengio, 2010). */
export function glorotNormalInitializer(options: RandomInitializerOptions = {}): Initializer {
  return varianceScalingInitializer({ ...options, mode: 'fan_avg' });
}

/** Truncated normal of variance 2 / fan in (He et al., 2015). */
export function heNormalInitializer(options: RandomInitializerOptions = {}): Initializer {
  return varianceScalingInitializer({ ...options, scale: 2 });
}

/** Uniform of variance 2 / fan in (He et al., 2015). */
export function heUniformInitializer(options: RandomInitializerOptions = {}): Initializer {
  return varianceScalingInitializer({ ...options, scale: 2, distribution: 'uniform' });
}

/** Truncated normal of variance 1 / fan in (LeCun et al., 1998). */
export function lecunNormalInitializer(options: RandomInitializerOptions = {}): Initializer {
  return varianceScalingInitializer(options);
}

/** Uniform of variance 1 / fan in (LeCun et al., 1998). */
export function lecunUniformInitializer(options: RandomInitializerOptions = {}): Initializer {
  return varianceScalingInitializer({ ...options, distribution: 'uniform' });
}

/**
 * Uniform in +-factor * sqrt(3 / n), n being the number of inputs: all dimensions but the last multiplied
 * (`tf.uniform_unit_scaling_initializer`; Sussillo and Abbott, 2014). The scale of the inputs is kept; `factor` 1 is for
 * linear layers, about 1.43 for relu.
 */
export function uniformUnitScalingInitializer(
  options: RandomInitializerOptions & { readonly factor?: number } = {},
): Initializer {
  const {
    factor = 1,
    seed,
    dtype: own = 'float32',
  } = checkOptions('uniformUnitScalingInitializer', options, '{ factor: 1.43 }');
  return (shape, { dtype = own } = {}) => {
    const limit = factor * Math.sqrt(3 / Math.max(1, sizeOf(shape.slice(0, -1))));
    return randomUniform(shape, { minval: -limit, maxval: limit, dtype, seed });
  };
}

/** `gain` on the diagonal of a matrix, zeros elsewhere (`tf.initializers.identity`). Throws unless the rank is 2. */
export function identityInitializer({
  gain = 1,
  dtype: own = 'float32',
}: InitializerOptions & { readonly gain?: number } = {}): Initializer {
  return (shape, { dtype = own } = {}) => {
    const [rows, columns] = shape;
    if (rows === undefined || columns === undefined || shape.length !== 2) {
      throw new InvalidArgumentError(
        `identity initializer: the variable must be a matrix, its shape is [${shape.join(',')}]`,
      );
    }
    const data = new Float32Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = gain;
    return constant(data, { dtype, shape });
  };
}
