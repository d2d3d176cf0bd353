/**
 * Hash tables (`tf.lookup`, `tf.contrib.lookup`): from keys to values, on the host. A table that is filled once has an
 * initializer, which the session runs as it does those of variables: `sess.run(fr.tablesInitializer())`.
 */
import { applyOp, convertToTensor, type NameOptions } from './apply.js';
import type { DType } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
import type { Operation } from './operation.js';
import { group, noOp } from './ops/source.js';
import { getDefaultGraph, nameScope } from './scopes.js';
import { TensorShape } from './shape.js';
import { Tensor, type TensorLike } from './tensor.js';
import { GraphKeys } from './variableKeys.js';

/** Dtypes that keys may have. */
const KEY_TYPES: ReadonlySet<DType> = new Set<DType>(['string', 'int32', 'int64']);

/** Which part of a line of a text file is meant; other columns are numbers from 0 (`tf.lookup.TextFileIndex`). */
export const TextFileIndex = { WHOLE_LINE: -2, LINE_NUMBER: -1 } as const;

/** What fills a table. */
export interface TableInitializer {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  /** The operation that fills `table`, also added to the collection `TABLE_INITIALIZERS`. */
  initialize(table: HashTableBase): Operation;
}

/** What all tables have. */
export abstract class HashTableBase {
  /** Scalar resource: the handle that ops on tables take. */
  readonly resourceHandle: Tensor;
  /** What keys without an entry are given; of the shape of one value. */
  readonly defaultValue: Tensor;

  protected constructor(
    readonly keyDtype: DType,
    readonly valueDtype: DType,
    defaultValue: TensorLike,
    make: (defaultValue: Tensor) => Tensor,
  ) {
    if (!KEY_TYPES.has(keyDtype)) {
      throw new InvalidArgumentError(`keys of tables are ${[...KEY_TYPES].join(', ')}, got ${keyDtype}`);
    }
    this.defaultValue = convertToTensor(defaultValue, { dtype: valueDtype, name: 'default_value' });
    this.resourceHandle = make(this.defaultValue);
  }

  get name(): string {
    return this.resourceHandle.op.name;
  }

  /** The values of `keys`, of their shape followed by that of one value. A run fails before the table is filled. */
  lookup(keys: TensorLike, { name = `${this.name}_lookup_table_find` }: NameOptions = {}): Tensor {
    const inputs = [this.resourceHandle, this.keys(keys), this.defaultValue];
    return applyOp('LookupTableFindV2', inputs, { name: localName(name) }).output(0);
  }

  /** How many keys there are: int64 scalar. */
  size({ name = `${this.name}_size` }: NameOptions = {}): Tensor {
    return applyOp('LookupTableSizeV2', [this.resourceHandle], { name: localName(name) }).output(0);
  }

  protected keys(keys: TensorLike): Tensor {
    const tensor = convertToTensor(keys, { dtype: keys instanceof Tensor ? undefined : this.keyDtype });
    if (tensor.dtype === this.keyDtype) return tensor;
    throw new InvalidArgumentError(
      `table "${this.name}" has ${this.keyDtype} keys, "${tensor.name}" is ${tensor.dtype}`,
    );
  }
}

/** The last part of a name: the scope comes from where the node is made. */
function localName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

export interface KeyValueTensorInitializerOptions extends NameOptions {
  /** Default: that of `keys`; int64 for numbers. */
  readonly keyDtype?: DType | undefined;
  /** Default: that of `values`. */
  readonly valueDtype?: DType | undefined;
}

/** Fills a table from keys and values of shape `[n]` (`tf.lookup.KeyValueTensorInitializer`). */
export class KeyValueTensorInitializer implements TableInitializer {
  readonly #keys: Tensor;
  readonly #values: Tensor;
  readonly #name: string;

  constructor(
    keys: TensorLike,
    values: TensorLike,
    { keyDtype, valueDtype, name = 'key_value_init' }: KeyValueTensorInitializerOptions = {},
  ) {
    this.#name = name;
    const dtype = keyDtype ?? (isNumbers(keys) ? 'int64' : undefined);
    [this.#keys, this.#values] = nameScope(name, () => [
      convertToTensor(keys, { dtype, name: 'keys' }),
      convertToTensor(values, { dtype: valueDtype, name: 'values' }),
    ]);
  }

  get keyDtype(): DType {
    return this.#keys.dtype;
  }

  get valueDtype(): DType {
    return this.#values.dtype;
  }

  initialize({ resourceHandle }: HashTableBase): Operation {
    const op = applyOp('InitializeTableV2', [resourceHandle, this.#keys, this.#values], { name: this.#name });
    getDefaultGraph().addToCollection(GraphKeys.TABLE_INITIALIZERS, op);
    return op;
  }
}

/** Whether keys are given as a list of numbers. */
function isNumbers(keys: TensorLike): boolean {
  return Array.isArray(keys) && keys.every((key) => typeof key === 'number' || typeof key === 'bigint');
}

export interface TextFileInitializerOptions extends NameOptions {
  /** How many lines count, at least so many must there be; default all. */
  readonly vocabSize?: number | undefined;
  /** One character between columns; default a tab. */
  readonly delimiter?: string | undefined;
}

/**
 * Fills a table from the lines of a text file (`tf.lookup.TextFileInitializer`). `keyIndex` and `valueIndex` name columns,
 * or `TextFileIndex.WHOLE_LINE` and `LINE_NUMBER`. The file is an asset: a SavedModel takes it along when its
 * path, in the collection `ASSET_FILEPATHS`, is given to the builder.
 */
export class TextFileInitializer implements TableInitializer {
  readonly #attrs;
  readonly #name: string;

  constructor(
    private readonly filename: TensorLike,
    readonly keyDtype: DType,
    keyIndex: number,
    readonly valueDtype: DType,
    valueIndex: number,
    { vocabSize = -1, delimiter = '\t', name = 'text_file_init' }: TextFileInitializerOptions = {},
  ) {
    checkColumn('keyIndex', keyIndex, keyDtype, 'string');
    checkColumn('valueIndex', valueIndex, valueDtype, 'string');
    this.#name = name;
    this.#attrs = { key_index: keyIndex, value_index: valueIndex, vocab_size: vocabSize, delimiter };
  }

  initialize({ resourceHandle }: HashTableBase): Operation {
    return nameScope(this.#name, () => {
      const path = convertToTensor(this.filename, { dtype: 'string', name: 'asset_filepath' });
      const graph = getDefaultGraph();
      graph.addToCollection(GraphKeys.ASSET_FILEPATHS, path);
      const inputs = [resourceHandle, path];
      const op = applyOp('InitializeTableFromTextFileV2', inputs, { name: 'init', attrs: this.#attrs });
      graph.addToCollection(GraphKeys.TABLE_INITIALIZERS, op);
      return op;
    });
  }
}

function checkColumn(name: string, index: number, dtype: DType, whole: DType): void {
  if (index === TextFileIndex.WHOLE_LINE && dtype !== whole) {
    throw new InvalidArgumentError(`${name}: a whole line is string, got ${dtype}`);
  }
  if (index === TextFileIndex.LINE_NUMBER && dtype !== 'int64') {
    throw new InvalidArgumentError(`${name}: the number of a line is int64, got ${dtype}`);
  }
}

/** A table that its initializer fills, once (`tf.lookup.StaticHashTable`, `tf.contrib.lookup.HashTable`). */
export class StaticHashTable extends HashTableBase {
  /** Fills the table. Running it again with the same entries does nothing, with others it fails. */
  readonly initializer: Operation;

  constructor(
    initializer: TableInitializer,
    defaultValue: TensorLike,
    { name = 'hash_table', sharedName = '' }: NameOptions & { readonly sharedName?: string } = {},
  ) {
    const { keyDtype, valueDtype } = initializer;
    const attrs = { shared_name: sharedName, key_dtype: keyDtype, value_dtype: valueDtype };
    super(keyDtype, valueDtype, defaultValue, ({ shape }) => {
      if (shape.rank !== null && shape.rank !== 0) {
        throw new InvalidArgumentError(
          `StaticHashTable: defaultValue must be a scalar, got shape ${shape.toString()}`,
        );
      }
      return applyOp('HashTableV2', [], { name, attrs }).output(0);
    });
    this.initializer = initializer.initialize(this);
  }
}

/** Any number of values of a shape. */
function joinedShape({ dims }: TensorShape): TensorShape {
  return dims === null ? TensorShape.UNKNOWN : new TensorShape([null, ...dims]);
}

export interface MutableHashTableOptions extends NameOptions {
  readonly sharedName?: string | undefined;
  /** Whether a `Saver` saves the entries along with the variables. Default true. */
  readonly checkpoint?: boolean | undefined;
}

/** A table whose entries are set by running `insert` (`tf.contrib.lookup.MutableHashTable`). It begins empty. */
export class MutableHashTable extends HashTableBase {
  /** `defaultValue` also tells the shape of every value. */
  constructor(
    keyDtype: DType,
    valueDtype: DType,
    defaultValue: TensorLike,
    { name = 'MutableHashTable', sharedName = '', checkpoint = true }: MutableHashTableOptions = {},
  ) {
    const attrs = { shared_name: sharedName, key_dtype: keyDtype, value_dtype: valueDtype };
    super(keyDtype, valueDtype, defaultValue, ({ shape }) =>
      shape.rank === 0
        ? applyOp('MutableHashTableV2', [], { name, attrs }).output(0)
        : applyOp('MutableHashTableOfTensorsV2', [], {
            name,
            attrs: { ...attrs, value_shape: shape },
          }).output(0),
    );
    if (checkpoint) getDefaultGraph().addToCollection(GraphKeys.SAVEABLE_OBJECTS, this);
  }

  /** An operation that sets the values of `keys`; of a key given twice the last value counts. */
  insert(
    keys: TensorLike,
    values: TensorLike,
    { name = `${this.name}_lookup_table_insert` }: NameOptions = {},
  ): Operation {
    const dtype = values instanceof Tensor ? undefined : this.valueDtype;
    const inputs = [this.resourceHandle, this.keys(keys), convertToTensor(values, { dtype })];
    return applyOp('LookupTableInsertV2', inputs, { name: localName(name) });
  }

  /** An operation that removes `keys`; those without an entry are no error. */
  remove(keys: TensorLike, { name = `${this.name}_lookup_table_remove` }: NameOptions = {}): Operation {
    return applyOp('LookupTableRemoveV2', [this.resourceHandle, this.keys(keys)], { name: localName(name) });
  }

  /** All keys, of shape `[n]`, and their values, `[n, ...]`, in the order in which they came. */
  export({ name = `${this.name}_lookup_table_export_values` }: NameOptions = {}): [Tensor, Tensor] {
    const attrs = { Tkeys: this.keyDtype, Tvalues: this.valueDtype };
    const op = applyOp('LookupTableExportV2', [this.resourceHandle], { name: localName(name), attrs });
    op.output(0).setShape([null]);
    op.output(1).setShape(joinedShape(this.defaultValue.shape));
    return [op.output(0), op.output(1)];
  }
}

/** The tables of the default graph whose entries a `Saver` saves. */
export function saveableTables(): MutableHashTable[] {
  const items = getDefaultGraph().getCollection(GraphKeys.SAVEABLE_OBJECTS);
  return items.filter((item) => item instanceof MutableHashTable);
}

/** An operation that fills all tables made so far (`tf.tables_initializer`). */
export function tablesInitializer({ name = 'init_all_tables' }: NameOptions = {}): Operation {
  const initializers = getDefaultGraph()
    .getCollection(GraphKeys.TABLE_INITIALIZERS)
    .filter((item) => item !== null) as Operation[];
  return initializers.length === 0 ? noOp({ name }) : group(initializers, { name });
}
