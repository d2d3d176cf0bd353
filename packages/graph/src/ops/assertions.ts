/** `fr.debugging`: assertions about values, which fail in the run, or at once where the shapes tell already. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { isFloating, isInteger, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import type { Operation } from '../operation.js';
import { nameScope, withGraphOf } from '../scopes.js';
import { Tensor, isTensorConvertible, type TensorLike } from '../tensor.js';
import { abs } from './unary.js';
import { stack } from './arrayJoin.js';
import { add, mul, sub } from './binary.js';
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from './comparison.js';
import { assertThat } from './debug.js';
import { reduceAll, reduceAny } from './reduction.js';
import { rank as rankOf } from './shape.js';
import { noOp } from './source.js';

export interface AssertionOptions extends NameOptions {
  /** Said before the rule when the assertion fails. */
  readonly message?: string | undefined;
  /** Elements of each tensor that the error shows. Default 3. */
  readonly summarize?: number | undefined;
  /** Tensors that the error shows. Default: those compared. */
  readonly data?: readonly TensorLike[] | undefined;
}

type Compare = (x: Tensor, y: Tensor) => Tensor;

function asTensors(x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const known = [x, y].map((value) => (isTensorConvertible(value) ? value.asTensor() : value));
  const typed = known.find((value) => value instanceof Tensor);
  const dtype = typed instanceof Tensor ? typed.dtype : undefined;
  return [convertToTensor(x, { dtype }), convertToTensor(y, { dtype })];
}

/** An assertion that a comparison holds for all elements; shapes broadcast. */
function comparison(name: string, rule: string, compare: Compare) {
  return (x: TensorLike, y: TensorLike, options: AssertionOptions = {}): Operation => {
    const [a, b] = asTensors(x, y);
    const { message = '', summarize = 3, data } = options;
    return withGraphOf(a, () =>
      nameScope(options.name ?? name, () => {
        const shown = data ?? [
          `${message === '' ? '' : `${message} `}x ${rule} y does not hold: x and y are`,
          a,
          b,
        ];
        return assertThat(reduceAll(compare(a, b)), shown, { summarize });
      }),
    );
  };
}

/** An assertion that a comparison with 0 holds for all elements. */
function sign(name: string, rule: string, compare: Compare) {
  return (x: TensorLike, options: AssertionOptions = {}): Operation => {
    const [a, zero] = asTensors(x, 0);
    const { message = '', summarize = 3, data } = options;
    return withGraphOf(a, () =>
      nameScope(options.name ?? name, () => {
        const shown = data ?? [`${message === '' ? '' : `${message} `}x ${rule} 0 does not hold: x is`, a];
        return assertThat(reduceAll(compare(a, zero)), shown, { summarize });
      }),
    );
  };
}

/** Asserts x = y for all elements (`tf.debugging.assert_equal`), as an operation that fails when it runs. Shapes broadcast. */
export const assertEqual = comparison('assert_equal', '==', equal);
/** Asserts x != y for all elements (`tf.debugging.assert_none_equal`). */
export const assertNoneEqual = comparison('assert_none_equal', '!=', notEqual);
/** Asserts x < y for all elements (`tf.debugging.assert_less`). */
export const assertLess = comparison('assert_less', '<', less);
/** Asserts x <= y for all elements (`tf.debugging.assert_less_equal`). */
export const assertLessEqual = comparison('assert_less_equal', '<=', lessEqual);
/** Asserts x > y for all elements (`tf.debugging.assert_greater`). */
export const assertGreater = comparison('assert_greater', '>', greater);
/** Asserts x >= y for all elements (`tf.debugging.assert_greater_equal`). */
export const assertGreaterEqual = comparison('assert_greater_equal', '>=', greaterEqual);
/** Asserts that all elements are above 0 (`tf.debugging.assert_positive`). */
export const assertPositive = sign('assert_positive', '>', greater);
/** Asserts that all elements are below 0 (`tf.debugging.assert_negative`). */
export const assertNegative = sign('assert_negative', '<', less);
/** Asserts that no element is below 0 (`tf.debugging.assert_non_negative`). */
export const assertNonNegative = sign('assert_non_negative', '>=', greaterEqual);
/** Asserts that no element is above 0 (`tf.debugging.assert_non_positive`). */
export const assertNonPositive = sign('assert_non_positive', '<=', lessEqual);

export interface NearOptions extends AssertionOptions {
  /** Default 1e-6. */
  readonly rtol?: number | undefined;
  /** Default 1e-6. */
  readonly atol?: number | undefined;
}

/** Asserts |x - y| <= atol + rtol |y| for all elements (`tf.debugging.assert_near`); infinities are never near. */
export function assertNear(x: TensorLike, y: TensorLike, options: NearOptions = {}): Operation {
  const { rtol = 1e-6, atol = 1e-6, name = 'assert_near', ...rest } = options;
  const near: Compare = (a, b) => less(abs(sub(a, b)), add(mul(abs(b), rtol), atol));
  return comparison('assert_near', `is within ${atol} + ${rtol} |y| of`, near)(x, y, { ...rest, name });
}

function fail(what: string, { message = '' }: AssertionOptions): never {
  throw new InvalidArgumentError(`${message === '' ? '' : `${message}: `}${what}`);
}

/** A static check of ranks: nothing to run where it holds. Throws where the rank is known and another. */
function rankCheck(
  x: TensorLike,
  ranks: readonly number[],
  orMore: boolean,
  options: AssertionOptions,
): Operation {
  const t = convertToTensor(x);
  const { rank } = t.shape;
  const list = ranks.join(' or ');
  if (rank === null) {
    return withGraphOf(t, () =>
      nameScope(options.name ?? 'assert_rank', () => {
        const got = rankOf(t);
        const holds = ranks.map((want) => (orMore ? greaterEqual(got, want) : equal(got, want)));
        const one = reduceAny(stack(holds));
        return assertThat(one, [`x must have rank ${list}${orMore ? ' or more' : ''}, its rank is`, got]);
      }),
    );
  }
  const ok = ranks.some((want) => (orMore ? rank >= want : rank === want));
  if (!ok)
    fail(
      `${t.name} must have rank ${list}${orMore ? ' or more' : ''}, its shape is ${t.shape.toString()}`,
      options,
    );
  return withGraphOf(t, () => noOp({ name: options.name ?? 'static_checks_determined_all_ok' }));
}

/** Asserts the rank of x (`tf.debugging.assert_rank`): throws at once where the rank is known and another. */
export function assertRank(x: TensorLike, rank: number, options: AssertionOptions = {}): Operation {
  return rankCheck(x, [rank], false, options);
}

/** Asserts that x has `rank` dimensions or more (`tf.debugging.assert_rank_at_least`). */
export function assertRankAtLeast(x: TensorLike, rank: number, options: AssertionOptions = {}): Operation {
  return rankCheck(x, [rank], true, options);
}

/** Asserts that x has one of the ranks (`tf.debugging.assert_rank_in`). */
export function assertRankIn(
  x: TensorLike,
  ranks: readonly number[],
  options: AssertionOptions = {},
): Operation {
  return rankCheck(x, ranks, false, options);
}

/** Throws unless x is a scalar (`tf.debugging.assert_scalar`); gives x as a tensor. */
export function assertScalar(x: TensorLike, options: AssertionOptions = {}): Tensor {
  const t = convertToTensor(x);
  if (t.shape.rank !== 0) fail(`${t.name} must be a scalar, its shape is ${t.shape.toString()}`, options);
  return t;
}

/** Throws unless x is of `dtype` (`tf.debugging.assert_type`). */
export function assertType(x: TensorLike, dtype: DType, options: AssertionOptions = {}): Operation {
  const t = convertToTensor(x);
  if (t.dtype !== dtype) fail(`${t.name} must be ${dtype}, it is ${t.dtype}`, options);
  return withGraphOf(t, () => noOp({ name: options.name ?? 'statically_determined_correct_type' }));
}

/** Throws unless x holds integers (`tf.debugging.assert_integer`). */
export function assertInteger(x: TensorLike, options: AssertionOptions = {}): Operation {
  const t = convertToTensor(x);
  if (!isInteger(t.dtype)) fail(`${t.name} must hold integers, it is ${t.dtype}`, options);
  return withGraphOf(t, () => noOp({ name: options.name ?? 'statically_determined_is_integer' }));
}

/** Throws unless all tensors are of one floating-point dtype, which it gives (`tf.debugging.assert_same_float_dtype`). */
export function assertSameFloatDtype(tensors: readonly Tensor[], dtype?: DType): DType {
  const want = dtype ?? tensors[0]?.dtype ?? 'float32';
  const other = tensors.find((tensor) => tensor.dtype !== want);
  if (!isFloating(want)) fail(`expected a floating-point dtype, got ${want}`, {});
  if (other !== undefined) fail(`${other.name} must be ${want}, it is ${other.dtype}`, {});
  return want;
}
