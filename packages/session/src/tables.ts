/** The session's hash tables: maps on the host, alive until the session closes. */
import {
  allocateData,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  sizeOf,
  TensorShape,
  TensorValue,
  UnimplementedError,
  type DType,
  type Operation,
} from '@forerun/graph';
import type { TableSpec, VariableRef } from './compiler/ir.js';
import {
  bucketCount,
  bucketsOf,
  keyOf,
  requireBuckets,
  reservedKey,
  type DenseSpec,
  type Element,
} from './denseBuckets.js';

/** Types of the ops that declare a table over a resource. */
export const TABLES: ReadonlySet<string> = new Set([
  'HashTableV2',
  'AnonymousHashTable',
  'MutableHashTableV2',
  'MutableHashTableOfTensorsV2',
  'MutableDenseHashTableV2',
]);

export function isTable(type: string): boolean {
  return TABLES.has(type);
}

/** The table that an op declares. Tables of one shared name are one. */
export function tableRef(op: Operation): VariableRef {
  const { attrs, name, type } = op;
  const shared = attrs.has('shared_name') ? attrs.string('shared_name') : '';
  const isStatic = type === 'AnonymousHashTable' || type.startsWith('HashTable');
  return {
    key: `table:${shared || name}`,
    dtype: attrs.type('value_dtype'),
    shape: attrs.has('value_shape') ? attrs.shape('value_shape') : TensorShape.SCALAR,
    table: { keyDtype: attrs.type('key_dtype'), isStatic, dense: denseSpec(op) },
  };
}

/** What a node declares of a dense table. Throws `UnimplementedError` where the keys of empty buckets are no constants. */
function denseSpec({ attrs, inputs, type, name }: Operation): DenseSpec | undefined {
  if (!type.startsWith('MutableDenseHashTable')) return undefined;
  const [emptyKey, deletedKey = null] = inputs.map(({ op }) => {
    const key = op.type === 'Const' ? op.attrs.tensor('value').data[0] : undefined;
    if (key !== undefined) return key;
    throw new UnimplementedError(
      `${type} "${name}": the keys of buckets without an entry must be constants`,
      { node: name },
    );
  });
  const buckets = attrs.int('initial_num_buckets');
  requireBuckets(buckets);
  return { emptyKey: emptyKey ?? 0, deletedKey, buckets, maxLoad: attrs.float('max_load_factor') };
}

function elementsOf({ data }: TensorValue): Element[] {
  return [...data];
}

interface Entry {
  readonly key: Element;
  readonly row: readonly Element[];
}

/** Keys with a value each, in the order in which they came. */
export class HashTable {
  #entries = new Map<string | number | bigint, Entry>();
  #initialized: boolean;
  readonly #rowShape: readonly number[];
  readonly #width: number;
  /** How many buckets a dense table has at least. */
  #buckets: number;
  private readonly keyDtype: DType;
  private readonly isStatic: boolean;
  private readonly dense: DenseSpec | undefined;

  constructor(
    readonly name: string,
    { keyDtype, isStatic, dense }: TableSpec,
    private readonly valueDtype: DType,
    shape: TensorShape,
  ) {
    this.keyDtype = keyDtype;
    this.isStatic = isStatic;
    this.dense = dense;
    this.#rowShape = shape.toStatic();
    this.#width = sizeOf(this.#rowShape);
    this.#initialized = !isStatic;
    this.#buckets = dense?.buckets ?? 0;
  }

  /** Throws `InvalidArgumentError` unless the table is of the declared kind and dtypes. */
  check({ key, dtype, shape, table }: VariableRef): void {
    const same =
      table?.keyDtype === this.keyDtype &&
      dtype === this.valueDtype &&
      table.isStatic === this.isStatic &&
      shape.isCompatibleWith(new TensorShape(this.#rowShape));
    if (same) return;
    throw new InvalidArgumentError(
      `table "${key.slice(6)}" goes from ${String(table?.keyDtype)} to ${dtype} ${shape.toString()} here, ` +
        `but the session holds one from ${this.keyDtype} to ${this.valueDtype} [${this.#rowShape.join(',')}]`,
    );
  }

  private requireInitialized(): void {
    if (this.#initialized) return;
    throw new FailedPreconditionError(
      `the table "${this.name}" is not initialized. Run its initializer first: await sess.run(fr.tablesInitializer())`,
    );
  }

  private requireMutable(what: string): void {
    if (!this.isStatic) return;
    throw new InvalidArgumentError(
      `the table "${this.name}" is filled by its initializer and cannot ${what}`,
    );
  }

  /** Throws `InvalidArgumentError` for tensors of other dtypes than the table has. */
  private requireTypes(keys: TensorValue, values: TensorValue): void {
    if (keys.dtype === this.keyDtype && values.dtype === this.valueDtype) return;
    throw new InvalidArgumentError(
      `the table "${this.name}" goes from ${this.keyDtype} to ${this.valueDtype}, not from ${keys.dtype} to ${values.dtype}`,
    );
  }

  private pairs(keys: TensorValue, values: TensorValue): [string | number | bigint, Entry][] {
    this.requireTypes(keys, values);
    if (values.data.length !== keys.data.length * this.#width) {
      throw new InvalidArgumentError(
        `the table "${this.name}" is given ${keys.data.length} keys and values of shape [${values.shape.join(',')}]`,
      );
    }
    const [all, rows] = [elementsOf(keys), elementsOf(values)];
    return all.map((key, i) => {
      const row = rows.slice(i * this.#width, (i + 1) * this.#width);
      return [keyOf(key), { key, row }];
    });
  }

  /**
   * Fills a table once. Doing it again with the same entries changes nothing; with others it throws `FailedPreconditionError`, as
   * a key with two values throws `InvalidArgumentError`.
   */
  initialize(keys: TensorValue, values: TensorValue): void {
    const entries = new Map<string | number | bigint, Entry>();
    for (const [key, entry] of this.pairs(keys, values)) {
      const known = entries.get(key);
      if (known !== undefined && !sameRow(known, entry)) {
        throw new InvalidArgumentError(
          `the table "${this.name}" is given two values for the key ${shown(entry.key)}: ${shownRow(known)} and ${shownRow(entry)}`,
        );
      }
      entries.set(key, entry);
    }
    if (this.isStatic && this.#initialized && !sameEntries(this.#entries, entries)) {
      throw new FailedPreconditionError(`the table "${this.name}" was initialized with other entries`);
    }
    this.#entries = entries;
    this.#initialized = true;
  }

  /**
   * Replaces all entries; of a key given twice the last value counts. A table that is filled once is initialized. A dense table
   * takes buckets, as it exports them.
   */
  import(keys: TensorValue, values: TensorValue): void {
    const { dense } = this;
    if ((keys.shape.length === 2) !== (dense !== undefined)) {
      throw new InvalidArgumentError(
        `the table "${this.name}" is ${dense === undefined ? 'not dense' : 'dense'} and cannot import keys of shape [${keys.shape.join(',')}]`,
      );
    }
    if (this.isStatic) {
      this.initialize(keys, values);
      return;
    }
    const pairs = this.pairs(keys, values);
    if (dense === undefined) {
      this.#entries = new Map(pairs);
      return;
    }
    requireBuckets(pairs.length);
    this.#entries = new Map(pairs.filter(([, { key }]) => reservedKey(key, dense) === null));
    this.#buckets = pairs.length;
  }

  /** Throws `InvalidArgumentError` for a key that a dense table uses itself. */
  private requireFree(keys: TensorValue): void {
    const { dense } = this;
    if (dense === undefined) return;
    for (const key of elementsOf(keys)) {
      const use = reservedKey(key, dense);
      if (use === null) continue;
      throw new InvalidArgumentError(`the table "${this.name}" uses the key ${shown(key)} itself, as ${use}`);
    }
  }

  insert(keys: TensorValue, values: TensorValue): void {
    this.requireMutable('take entries');
    this.requireFree(keys);
    for (const [key, entry] of this.pairs(keys, values)) this.#entries.set(key, entry);
  }

  remove(keys: TensorValue): void {
    this.requireMutable('lose entries');
    this.requireFree(keys);
    for (const key of elementsOf(keys)) this.#entries.delete(keyOf(key));
  }

  find(keys: TensorValue, fallback: TensorValue): TensorValue {
    this.requireInitialized();
    this.requireTypes(keys, fallback);
    this.requireFree(keys);
    const missing: Entry = { key: 0, row: elementsOf(fallback) };
    const found = elementsOf(keys).map((key) => this.#entries.get(keyOf(key)) ?? missing);
    return this.rows([...keys.shape, ...this.#rowShape], found);
  }

  get size(): number {
    this.requireInitialized();
    return this.#entries.size;
  }

  export(): [TensorValue, TensorValue] {
    this.requireInitialized();
    const entries = [...this.#entries.values()];
    if (this.dense !== undefined) return this.exportBuckets(entries, this.dense);
    const keys = valueOf(this.keyDtype, [entries.length], (i) => entries[i]?.key);
    return [keys, this.rows([entries.length, ...this.#rowShape], entries)];
  }

  private exportBuckets(entries: readonly Entry[], dense: DenseSpec): [TensorValue, TensorValue] {
    const count = bucketCount(entries.length, dense, this.#buckets);
    this.#buckets = count;
    const places = bucketsOf(entries.map(({ key }) => key), count); // prettier-ignore
    const buckets = new Array<Entry | undefined>(count);
    places.forEach((place, i) => (buckets[place] = entries[i]));
    const keys = valueOf(this.keyDtype, [count, 1], (i) => buckets[i]?.key ?? dense.emptyKey);
    const nothing = this.valueDtype === 'string' ? '' : this.valueDtype === 'int64' ? 0n : 0;
    const width = this.#width;
    const values = valueOf(this.valueDtype, [count, width], (i) => buckets[Math.floor(i / width)]?.row[i % width] ?? nothing); // prettier-ignore
    return [keys, values];
  }

  private rows(shape: readonly number[], entries: readonly Entry[]): TensorValue {
    const width = this.#width;
    return valueOf(this.valueDtype, shape, (i) => entries[Math.floor(i / width)]?.row[i % width]);
  }
}

function valueOf(
  dtype: DType,
  shape: readonly number[],
  element: (i: number) => Element | undefined,
): TensorValue {
  const count = sizeOf(shape);
  if (dtype === 'string') {
    return new TensorValue(
      dtype,
      shape,
      Array.from({ length: count }, (_, i) => element(i) as string | Uint8Array),
    );
  }
  const data = allocateData(dtype, count);
  for (let i = 0; i < count; i++) data[i] = element(i) as number;
  return new TensorValue(dtype, shape, data);
}

function sameRow(a: Entry, b: Entry): boolean {
  return a.row.every((element, i) => Object.is(keyOf(element), keyOf(b.row[i] ?? 0)));
}

function sameEntries(
  a: ReadonlyMap<string | number | bigint, Entry>,
  b: ReadonlyMap<string | number | bigint, Entry>,
): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([key, entry]) => {
    const other = b.get(key);
    return other !== undefined && sameRow(entry, other);
  });
}

function shown(element: Element): string {
  const key = keyOf(element);
  return typeof key === 'string' ? JSON.stringify(key) : String(key);
}

function shownRow({ row }: Entry): string {
  return row.length === 1 && row[0] !== undefined ? shown(row[0]) : `[${row.map(shown).join(', ')}]`;
}

export class TableStore {
  readonly #tables = new Map<string, HashTable>();

  /** The table behind a handle, made on first use. Throws `InvalidArgumentError` when there is another of its name. */
  table(ref: VariableRef): HashTable {
    const known = this.#tables.get(ref.key);
    known?.check(ref);
    if (known !== undefined) return known;
    const spec = ref.table ?? { keyDtype: 'string', isStatic: true };
    const made = new HashTable(ref.key.slice(6), spec, ref.dtype, ref.shape);
    this.#tables.set(ref.key, made);
    return made;
  }

  /** Forgets a table. Throws `NotFoundError` when there is none, unless `ignoreMissing`. */
  destroy(key: string, ignoreMissing: boolean): void {
    if (this.#tables.delete(key) || ignoreMissing) return;
    throw new NotFoundError(`there is no table "${key.slice(6)}" to destroy`);
  }

  clear(): void {
    this.#tables.clear();
  }
}
