/** Host steps of texts: hashes of them, and numbers as texts; all others of the family. */
import {
  fingerprint64,
  hash64,
  InternalError,
  InvalidArgumentError,
  isFloating,
  isInteger,
  sipHash64,
  TensorValue,
  toHostValue,
  UnimplementedError,
  type Attrs,
} from '@forerun/graph';
import { describe } from '../compiler/ir.js';
import type { HostStepFn } from './hostOps.js';
import { padded, printFloat, signOf } from './printf.js';
import { TEXT_FORMS } from './textForms.js';
import { TEXT_PARTS } from './textParts.js';
import { bytesOfText } from './texts.js';

type Hash = (bytes: Uint8Array, attrs: Attrs) => bigint;

function bucketed(hash: Hash): HostStepFn {
  return ({ name, attrs }, [input]) => {
    if (input?.dtype !== 'string') throw new InternalError(`"${name}": expected a string tensor`);
    const buckets = attrs.bigint('num_buckets');
    const bucketOf = (element: unknown): bigint => hash(bytesOfText(element), attrs) % buckets;
    return [new TensorValue('int64', input.shape, BigInt64Array.from([...input.data].map(bucketOf)))];
  };
}

function keyOf(attrs: Attrs): [bigint, bigint] {
  const key = attrs.get('key');
  const [k0 = 0, k1 = 0] = key.kind === 'list(int)' ? key.value : [];
  return [BigInt(k0), BigInt(k1)];
}

/** A number in decimal, as C's `printf` writes it with these flags. */
function decimal(value: number | bigint, attrs: Attrs): string {
  const [width, fill] = [attrs.int('width'), attrs.string('fill')];
  return padded(signOf(value < 0, fill), String(value < 0 ? -value : value), width, fill);
}

const asString: HostStepFn = (node, [input]) => {
  if (input === undefined) throw new InternalError(`"${node.name}" has no input`);
  const { dtype, shape, data } = input;
  if (dtype === 'string') return [input];
  const { attrs } = node;
  if (isFloating(dtype)) return [new TensorValue('string', shape, printed(input, attrs))];
  if (dtype !== 'bool' && !isInteger(dtype)) {
    throw new UnimplementedError(
      `${describe(node)}: numbers and booleans are written as texts, not ${dtype}`,
      { node: node.name },
    );
  }
  if (attrs.int('precision') >= 0 || attrs.bool('scientific') || attrs.bool('shortest')) {
    throw new InvalidArgumentError(`${describe(node)}: ${dtype} has no precision and no exponent`, {
      node: node.name,
    });
  }
  const text = (element: string | number | bigint | Uint8Array): string =>
    dtype === 'bool' ? String(Number(element) !== 0) : decimal(element as number | bigint, attrs);
  return [new TensorValue('string', shape, [...data].map(text))];
};

/** Floating-point numbers as texts. */
function printed(input: TensorValue, attrs: Attrs): string[] {
  const [precision, width] = [attrs.int('precision'), attrs.int('width')];
  const format = {
    notation: attrs.bool('shortest') ? 'g' : attrs.bool('scientific') ? 'e' : 'f',
    precision: precision < 0 ? undefined : precision,
    width: width < 0 ? undefined : width,
    fill: attrs.string('fill'),
  } as const;
  return Array.from(toHostValue(input)?.data ?? [], (value) => printFloat(value, format));
}

export const STRING_STEPS: Readonly<Record<string, HostStepFn>> = {
  StringToHashBucket: bucketed(hash64),
  StringToHashBucketFast: bucketed(fingerprint64),
  StringToHashBucketStrong: bucketed((bytes, attrs) => sipHash64(bytes, keyOf(attrs))),
  AsString: asString,
  ...TEXT_FORMS,
  ...TEXT_PARTS,
};
