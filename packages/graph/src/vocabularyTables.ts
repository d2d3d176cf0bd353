/**
 * Tables from words to numbers and back: words without an entry get a number of several after those of the others, by their
 * hash (`tf.lookup.StaticVocabularyTable`, `tf.contrib.lookup.index_table_from_tensor` and its kin).
 */
import { convertToTensor, type NameOptions } from './apply.js';
import type { DType } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
import {
  KeyValueTensorInitializer,
  StaticHashTable,
  TextFileIndex,
  TextFileInitializer,
  type TableInitializer,
} from './lookup.js';
import { builders } from './registry.js';
import type { Operation } from './operation.js';
import { nameScope } from './scopes.js';
import { Tensor, type TensorLike } from './tensor.js';

/** How words without an entry are hashed. */
export interface HasherSpec {
  readonly hasher: 'fasthash' | 'stronghash';
  /** Of `stronghash`: two numbers of 64 bits. */
  readonly key?: readonly [number | bigint, number | bigint] | undefined;
}

/** FarmHash's fingerprint (`tf.lookup.experimental` calls it FastHashSpec). */
export const FastHashSpec: HasherSpec = { hasher: 'fasthash' };

/** SipHash under a key (`tf.contrib.lookup.StrongHashSpec`). */
export function StrongHashSpec(key: readonly [number | bigint, number | bigint]): HasherSpec {
  return { hasher: 'stronghash', key };
}

export interface VocabularyTableOptions extends NameOptions {
  /** Dtype of what is looked up: string, or integers where the table's keys are int64. Default: that of the initializer. */
  readonly lookupKeyDtype?: DType | undefined;
  /** Default `FastHashSpec`. */
  readonly hasherSpec?: HasherSpec | undefined;
}

/**
 * A table from words to numbers 0 … n-1 in which all other words have numbers too: n plus their hash modulo `numOovBuckets`
 * (`tf.lookup.StaticVocabularyTable`). Without an initializer all words are hashed. Integers are hashed as texts in decimal.
 */
export class StaticVocabularyTable {
  readonly #table: StaticHashTable | null;
  readonly #hasher: HasherSpec;
  readonly keyDtype: DType;
  readonly valueDtype: DType = 'int64';
  readonly name: string;

  /** Throws `InvalidArgumentError` for fewer than one bucket, values other than int64 and keys other than string, int32 and int64. */
  constructor(
    initializer: TableInitializer | null,
    private readonly numOovBuckets: number,
    {
      lookupKeyDtype,
      hasherSpec = FastHashSpec,
      name = 'StaticVocabularyTable',
    }: VocabularyTableOptions = {},
  ) {
    if (!Number.isInteger(numOovBuckets) || numOovBuckets < 1)
      throw new InvalidArgumentError(`${name}: numOovBuckets must be at least 1, got ${numOovBuckets}`);
    if (initializer !== null && initializer.valueDtype !== 'int64')
      throw new InvalidArgumentError(
        `${name}: values must be int64, the initializer has ${initializer.valueDtype}`,
      );
    this.keyDtype = lookupKeyDtype ?? initializer?.keyDtype ?? 'string';
    requireKey(name, this.keyDtype, initializer?.keyDtype);
    this.#hasher = hasherSpec;
    this.name = name;
    this.#table = initializer === null ? null : nameScope(name, () => new StaticHashTable(initializer, -1n));
  }

  /** Fills the table; `null` where all words are hashed. */
  get initializer(): Operation | null {
    return this.#table?.initializer ?? null;
  }

  /** How many numbers there are, those of other words included: int64 scalar. */
  size({ name = `${localName(this.name)}_Size` }: NameOptions = {}): Tensor {
    const others = builders.constant(this.numOovBuckets, { dtype: 'int64' });
    return this.#table === null ? others : builders.add(this.#table.size(), others, { name });
  }

  /** The numbers of `keys`: int64, of their shape. */
  lookup(keys: TensorLike, { name = `${localName(this.name)}_Lookup` }: NameOptions = {}): Tensor {
    const given = convertToTensor(keys, keys instanceof Tensor ? {} : { dtype: this.keyDtype });
    if (given.dtype !== this.keyDtype) {
      throw new InvalidArgumentError(
        `table "${this.name}" has ${this.keyDtype} keys, "${given.name}" is ${given.dtype}`,
      );
    }
    return nameScope(name, () => {
      const known = this.#table;
      const values = known?.keyDtype === 'int64' ? builders.cast(given, 'int64') : given;
      const buckets = this.bucket(values.dtype === 'string' ? values : builders.asString(values));
      if (known === null) return buckets;
      const ids = known.lookup(values);
      const found = builders.notEqual(ids, known.defaultValue);
      return builders.where(found, ids, builders.add(buckets, known.size()));
    });
  }

  private bucket(texts: Tensor): Tensor {
    const { hasher, key } = this.#hasher;
    const options = { name: 'hash_bucket' };
    if (hasher === 'fasthash') return builders.stringToHashBucketFast(texts, this.numOovBuckets, options);
    if (key === undefined)
      throw new InvalidArgumentError(`${this.name}: stronghash needs a key of two numbers`);
    return builders.stringToHashBucketStrong(texts, this.numOovBuckets, key, options);
  }
}

function requireKey(name: string, asked: DType, own: DType | undefined): void {
  if (asked !== 'string' && asked !== 'int32' && asked !== 'int64')
    throw new InvalidArgumentError(`${name}: keys are string, int32 or int64, got ${asked}`);
  if (own !== undefined && (own === 'string') !== (asked === 'string'))
    throw new InvalidArgumentError(`${name}: the initializer has ${own} keys, lookups are to take ${asked}`);
}

/** The last part of a name: the scope comes from where the node is made. */
function localName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

export interface IndexTableOptions extends NameOptions {
  /** How many numbers there are for other words; default 0. */
  readonly numOovBuckets?: number | undefined;
  /** The number of other words where there are no buckets; default -1. */
  readonly defaultValue?: number | bigint | undefined;
  /** Default `FastHashSpec`. */
  readonly hasherSpec?: HasherSpec | undefined;
  /** Dtype of the words; default string. */
  readonly keyDtype?: DType | undefined;
}

function indexTable(
  initializer: TableInitializer,
  { numOovBuckets = 0, defaultValue = -1, hasherSpec, keyDtype }: IndexTableOptions,
  name: string,
): StaticHashTable | StaticVocabularyTable {
  if (numOovBuckets > 0) {
    const table = { lookupKeyDtype: keyDtype, hasherSpec, name };
    return new StaticVocabularyTable(initializer, numOovBuckets, table);
  }
  if (numOovBuckets < 0)
    throw new InvalidArgumentError(`${name}: numOovBuckets must not be negative, got ${numOovBuckets}`);
  return new StaticHashTable(initializer, BigInt(defaultValue), { name });
}

/**
 * A table from words to their places in `vocabularyList`, a list of texts or integers (`tf.contrib.lookup.index_table_from_tensor`).
 * Other words get `defaultValue`, or one of `numOovBuckets` numbers after the last. Fill it by `tablesInitializer`.
 */
export function indexTableFromTensor(
  vocabularyList: TensorLike,
  { name = 'string_to_index', ...options }: IndexTableOptions = {},
): StaticHashTable | StaticVocabularyTable {
  const words = convertToTensor(vocabularyList, { dtype: options.keyDtype });
  const keys = words.dtype === 'int32' ? builders.cast(words, 'int64') : words;
  const initializer = new KeyValueTensorInitializer(keys, places(keys));
  return indexTable(initializer, { keyDtype: words.dtype, ...options }, name);
}

/** 0 … n-1 for a vector of n elements. */
function places(words: Tensor): Tensor {
  const count = builders.cast(builders.size(words), 'int64');
  return builders.range(builders.constant(0n, { dtype: 'int64' }), count);
}

export interface IndexTableFromFileOptions extends IndexTableOptions {
  /** How many lines count; default all. */
  readonly vocabSize?: number | undefined;
  /** The column of the words; default the whole line. */
  readonly keyColumnIndex?: number | undefined;
  /** The column of the numbers; default that of the line. */
  readonly valueColumnIndex?: number | undefined;
  /** One character between columns; default a tab. */
  readonly delimiter?: string | undefined;
}

/** As `indexTableFromTensor`, with a word in each line of a file (`tf.contrib.lookup.index_table_from_file`). */
export function indexTableFromFile(
  vocabularyFile: TensorLike,
  { name = 'string_to_index', ...options }: IndexTableFromFileOptions = {},
): StaticHashTable | StaticVocabularyTable {
  const { keyColumnIndex = TextFileIndex.WHOLE_LINE, valueColumnIndex = TextFileIndex.LINE_NUMBER } = options;
  const { keyDtype = 'string', vocabSize, delimiter } = options;
  const own = keyDtype === 'int32' ? 'int64' : keyDtype;
  const initializer = new TextFileInitializer(
    vocabularyFile,
    own,
    keyColumnIndex,
    'int64',
    valueColumnIndex,
    {
      vocabSize,
      delimiter,
    },
  );
  return indexTable(initializer, options, name);
}

export interface StringTableOptions extends NameOptions {
  /** What numbers without a word are given; default `UNK`. */
  readonly defaultValue?: string | undefined;
}

/** A table from places in `vocabularyList` back to the texts there (`tf.contrib.lookup.index_to_string_table_from_tensor`). */
export function indexToStringTableFromTensor(
  vocabularyList: TensorLike,
  { defaultValue = 'UNK', name = 'index_to_string' }: StringTableOptions = {},
): StaticHashTable {
  const words = convertToTensor(vocabularyList, { dtype: 'string' });
  return new StaticHashTable(new KeyValueTensorInitializer(places(words), words), defaultValue, { name });
}

/** As `indexToStringTableFromTensor`, with a text in each line of a file (`tf.contrib.lookup.index_to_string_table_from_file`). */
export function indexToStringTableFromFile(
  vocabularyFile: TensorLike,
  {
    defaultValue = 'UNK',
    vocabSize,
    name = 'index_to_string',
  }: StringTableOptions & { readonly vocabSize?: number | undefined } = {},
): StaticHashTable {
  const { LINE_NUMBER, WHOLE_LINE } = TextFileIndex;
  const initializer = new TextFileInitializer(vocabularyFile, 'int64', LINE_NUMBER, 'string', WHOLE_LINE, {
    vocabSize,
  });
  return new StaticHashTable(initializer, defaultValue, { name });
}
