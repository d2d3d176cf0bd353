/**
 * Dense hash tables as TensorFlow exports them: all buckets, most of which hold the key that is never used. An entry lies in
 * the bucket that the hash of its key says, or in the next free one by quadratic probing, and TensorFlow relies on it when it
 * imports them (`core/kernels/lookup_table_op.cc`).
 */
import { hash64, InvalidArgumentError, type TensorValue } from '@forerun/graph';

export type Element = TensorValue['data'][number];

/** What a dense hash table is declared as. */
export interface DenseSpec {
  /** The key of buckets without an entry. */
  readonly emptyKey: Element;
  /** The key of buckets whose entry was removed; older tables have none. */
  readonly deletedKey: Element | null;
  /** How many buckets it begins with, a power of two. */
  readonly buckets: number;
  /** It gets more buckets when a greater part of them would hold entries. */
  readonly maxLoad: number;
}

/** Text and its bytes are one key. */
export function keyOf(element: Element): string | number | bigint {
  if (!(element instanceof Uint8Array)) return element;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(element);
  } catch {
    // Not UTF-8: no text is equal to it. A lone surrogate keeps it apart from all texts.
    return `\ud800${[...element].join()}`;
  }
}

/** Why an element cannot be a key of the table; `null` when it can. */
export function reservedKey(key: Element, { emptyKey, deletedKey }: DenseSpec): string | null {
  if (Object.is(keyOf(key), keyOf(emptyKey))) return 'the key of empty buckets';
  const isDeleted = deletedKey !== null && Object.is(keyOf(key), keyOf(deletedKey));
  return isDeleted ? 'the key of removed entries' : null;
}

/** How many buckets hold `entries`, at least `least`. */
export function bucketCount(entries: number, { maxLoad }: DenseSpec, least: number): number {
  let count = least;
  while (entries > count * maxLoad) count *= 2;
  return count;
}

/** Throws `InvalidArgumentError` unless `count` may be a number of buckets. */
export function requireBuckets(count: number): void {
  if (count >= 1 && Number.isInteger(Math.log2(count))) return;
  throw new InvalidArgumentError(`a dense table has a power of two of buckets, not ${count}`);
}

/** The bucket of each of `keys`, which differ, among `count`. */
export function bucketsOf(keys: readonly Element[], count: number): number[] {
  const taken = new Uint8Array(count);
  return keys.map((key) => {
    let bucket = Number(BigInt.asUintN(32, hashOf(key))) & (count - 1);
    for (let probes = 1; taken[bucket] === 1; probes++) bucket = (bucket + probes) & (count - 1);
    taken[bucket] = 1;
    return bucket;
  });
}

function hashOf(key: Element): bigint {
  if (typeof key === 'string') return hash64(new TextEncoder().encode(key));
  return key instanceof Uint8Array ? hash64(key) : BigInt(key);
}
