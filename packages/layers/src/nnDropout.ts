/** `nn.dropout`. */
import {
  InvalidArgumentError,
  Tensor,
  cast,
  convertToTensor,
  div,
  greaterEqual,
  identity,
  isTensorConvertible,
  mul,
  nameScope,
  randomUniform,
  shape,
  sub,
  type NameOptions,
  type TensorLike,
} from '@forerun/graph';

export interface DropoutOptions extends NameOptions {
  /** Probability of keeping an element: a number or a scalar, which may be fed. */
  readonly keepProb?: TensorLike | undefined;
  /** Probability of dropping an element; an alternative to `keepProb`. */
  readonly rate?: TensorLike | undefined;
  /** Shape of the random decisions, which broadcasts to that of `x`; default: that of `x`. */
  readonly noiseShape?: readonly number[] | Tensor | undefined;
  readonly seed?: number | undefined;
}

/**
 * Sets random elements to zero and scales the others by 1 / keepProb, so that the expected sum stays
 * (`tf.nn.dropout`; Srivastava et al., 2014). `dropout(x, keepProb)` or `dropout(x, { rate })`.
 * Throws `InvalidArgumentError` unless exactly one probability is given, and for one outside its range.
 */
export function dropout(
  x: TensorLike,
  keepProbOrOptions: number | Tensor | DropoutOptions,
  more: DropoutOptions = {},
): Tensor {
  const options = isProbability(keepProbOrOptions)
    ? { ...more, keepProb: keepProbOrOptions }
    : keepProbOrOptions;
  const { name = 'dropout', noiseShape, seed } = options;
  return nameScope(name, () => {
    const value = convertToTensor(x);
    const keep = keepProbability(options);
    if (keep === 1) return identity(value);
    const noise = randomUniform(noiseShape ?? noiseShapeOf(value), { dtype: value.dtype, seed });
    // Noise is uniform in [0, 1): it is at least 1 - keep with probability keep.
    const drop = typeof keep === 'number' ? 1 - keep : sub(1, keep);
    const scale = typeof keep === 'number' ? 1 / keep : div(1, keep);
    const kept = cast(greaterEqual(noise, drop), value.dtype);
    return mul(mul(value, scale), kept, { name: 'mul_1' });
  });
}

function noiseShapeOf(value: Tensor): readonly number[] | Tensor {
  return value.shape.isFullyDefined ? value.shape.toStatic() : shape(value);
}

function isProbability(value: number | Tensor | DropoutOptions): value is number | Tensor {
  return typeof value === 'number' || value instanceof Tensor || isTensorConvertible(value);
}

/** The probability of keeping, as a number where it is one. */
function keepProbability({ keepProb, rate }: DropoutOptions): TensorLike {
  if ((keepProb === undefined) === (rate === undefined)) {
    throw new InvalidArgumentError('dropout: give either keepProb or rate');
  }
  const given = keepProb ?? rate;
  if (typeof given === 'number') {
    const keep = keepProb === undefined ? 1 - given : given;
    if (!(keep > 0 && keep <= 1)) {
      const what = keepProb === undefined ? 'rate must be in [0, 1)' : 'keepProb must be in (0, 1]';
      throw new InvalidArgumentError(`dropout: ${what}, got ${given}`);
    }
    return keep;
  }
  return keepProb ?? sub(1, rate ?? 0);
}
