/** Ops on texts: hashes of them, by which words without an entry in a table are numbered, and numbers as texts. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type OpDef } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { STRING_FORMS } from './stringForms.js';
import { STRING_PARTS } from './stringParts.js';

export * from './stringForms.js';
export * from './stringParts.js';

const NO_GRADIENT = notDifferentiable('texts have no derivatives');

function bucketed(hash: string, input: string, more: readonly string[] = []): OpDef {
  return op({
    summary: `The bucket of each text among several, by ${hash}.`,
    inputs: [`${input}: string`],
    outputs: ['output: int64'],
    attrs: ['num_buckets: int >= 1', ...more],
    infer: (c) => {
      const key = more.length > 0 ? c.attrs.ints('key') : [0, 0];
      if (key.length !== 2) c.fail(`attribute "key" must have two numbers, got ${key.length}`);
      return sameShape(c);
    },
    grad: NO_GRADIENT,
  });
}

export const STRING = {
  ...STRING_FORMS,
  ...STRING_PARTS,
  StringToHashBucket: bucketed('TensorFlow’s first hash', 'string_tensor'),
  StringToHashBucketFast: bucketed('FarmHash’s fingerprint', 'input'),
  StringToHashBucketStrong: bucketed('SipHash under a key', 'input', ['key: list(int)']),
  AsString: op({
    summary: 'Each number as a text.',
    inputs: ['input: T'],
    outputs: ['output: string'],
    attrs: [
      'T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128, float32, float64, bool, variant, float16, bfloat16, string}',
      'precision: int = -1',
      'scientific: bool = false',
      'shortest: bool = false',
      'width: int = -1',
      'fill: string = ""',
    ],
    infer: (c) => {
      const fill = c.attrs.string('fill');
      if (!['', ' ', '+', '-', '0', '#'].includes(fill))
        c.fail(
          `attribute "fill" must be one of " ", "+", "-", "0", "#" or empty, got ${JSON.stringify(fill)}`,
        );
      if (c.attrs.bool('scientific') && c.attrs.bool('shortest'))
        c.fail('attributes "scientific" and "shortest" exclude each other');
      return sameShape(c);
    },
    grad: NO_GRADIENT,
  }),
} satisfies Record<string, OpDef>;

/**
 * The bucket of each text, 0 … `numBuckets` - 1, as int64 of the shape of `input` (`tf.strings.to_hash_bucket_fast`). It is
 * FarmHash's `Fingerprint64` of the text in UTF-8, or of the bytes, modulo `numBuckets`, and the same everywhere for all time.
 */
export function stringToHashBucketFast(
  input: TensorLike,
  numBuckets: number,
  { name }: NameOptions = {},
): Tensor {
  return apply('StringToHashBucketFast', [input], { name, attrs: { num_buckets: numBuckets } });
}

/**
 * As `stringToHashBucketFast`, by SipHash under a secret key of two numbers of 64 bits, so that nobody who lacks it can choose texts
 * of one bucket (`tf.strings.to_hash_bucket_strong`).
 */
export function stringToHashBucketStrong(
  input: TensorLike,
  numBuckets: number,
  key: readonly [number | bigint, number | bigint],
  { name }: NameOptions = {},
): Tensor {
  const attrs = {
    num_buckets: numBuckets,
    key: { kind: 'list(int)', value: key.map(BigInt) } as const,
  };
  return apply('StringToHashBucketStrong', [input], { name, attrs });
}

/** As `stringToHashBucketFast`, by the hash of TensorFlow's first versions (`tf.strings.to_hash_bucket`). */
export function stringToHashBucket(
  stringTensor: TensorLike,
  numBuckets: number,
  { name }: NameOptions = {},
): Tensor {
  return apply('StringToHashBucket', [stringTensor], { name, attrs: { num_buckets: numBuckets } });
}

export interface AsStringOptions extends NameOptions {
  /** Digits of a floating-point number after the point, with `shortest` significant ones; default 6. */
  readonly precision?: number;
  /** Floating-point numbers with an exponent, as `%e` of C's `printf`; default `%f`. */
  readonly scientific?: boolean;
  /** Floating-point numbers as `%g`: with an exponent where that is shorter. */
  readonly shortest?: boolean;
  /** Least length of a text; default none. */
  readonly width?: number;
  /**
   * How shorter ones are filled: `' '` or nothing from the left, `'-'` from the right, `'0'` by zeros; `'+'` gives every number a
   * sign, `'#'` every floating-point number a point.
   */
  readonly fill?: '' | ' ' | '+' | '-' | '0' | '#';
}

/** Each number as a text in decimal, each boolean as `true` or `false` (`tf.strings.as_string`). A run refuses other dtypes. */
export function asString(
  input: TensorLike,
  { precision = -1, scientific = false, shortest = false, width = -1, fill = '', name }: AsStringOptions = {},
): Tensor {
  const attrs = { precision, scientific, shortest, width, fill };
  return apply('AsString', [convertToTensor(input)], { name, attrs });
}
