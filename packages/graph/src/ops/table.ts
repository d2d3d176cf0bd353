/**
 * Records of hash tables, which the session keeps on the host: the tables themselves, what fills them and what looks
 * things up. Each op has two forms: over a resource (`V2`), and over a reference in files of TensorFlow before 1.4.
 * `lookup.ts` builds them.
 */
import { noOutputs, scalarShape, withRank, withRankAtLeast } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef, type OpSpec } from '../opDef.js';
import { TensorShape } from '../shape.js';

const NO_GRADIENT = notDifferentiable('what a table holds is found by key, not computed');

/** What the handle of a table is passed around as. */
type Form = 'resource' | 'Ref(string)';

const SHARING = ['container: string = ""', 'shared_name: string = ""', 'use_node_name_sharing: bool = false'];
const TYPES = ['key_dtype: type', 'value_dtype: type'];
const ROWS = 'value_shape: shape = []';
const BUCKETS = [
  ...SHARING,
  ...TYPES,
  ROWS,
  'initial_num_buckets: int = 131072',
  'max_load_factor: float = 0.8',
];

function table(summary: string, form: Form, more: Pick<OpSpec, 'inputs' | 'attrs'> = {}): OpDef {
  return op({
    summary,
    inputs: more.inputs ?? [],
    outputs: [`table_handle: ${form}`],
    attrs: more.attrs ?? [...SHARING, ...TYPES],
    infer: form === 'resource' ? scalarShape : () => [new TensorShape([2])],
    grad: NO_GRADIENT,
    handles: ({ attrs }) => [
      {
        dtype: attrs.type('value_dtype'),
        shape: attrs.has('value_shape') ? attrs.shape('value_shape') : TensorShape.SCALAR,
      },
    ],
    stateful: true,
  });
}

/** An op on a table: besides the handle it takes `inputs`. */
function access(
  summary: string,
  form: Form,
  inputs: readonly string[],
  rest: Pick<OpSpec, 'outputs' | 'attrs' | 'infer'>,
): OpDef {
  return op({
    summary,
    inputs: [`table_handle: ${form}`, ...inputs],
    grad: NO_GRADIENT,
    stateful: true,
    ...rest,
  });
}

/** Shape of the value under one key. Refuses a handle of another rank and a table of other values than attribute `values` says. */
function rowShape(c: InferContext, values: string): TensorShape {
  checkHandle(c);
  const handle = c.handle(0);
  const asked = c.attrs.type(values);
  if (handle !== null && handle.dtype !== asked)
    c.fail(`the table holds ${handle.dtype}, attribute "${values}" says ${asked}`);
  return handle?.shape ?? TensorShape.UNKNOWN;
}

/** A handle is a scalar, or by reference two strings. */
function checkHandle(c: InferContext): void {
  withRank(c, 0, c.dtypes[0] === 'resource' ? 0 : 1, 'table_handle');
}

function inferFind(c: InferContext): TensorShape[] {
  const row = rowShape(c, 'Tout');
  if (!c.shape(2).isCompatibleWith(row)) {
    c.fail(`default_value has shape ${c.shape(2).toString()}, a value of the table ${row.toString()}`);
  }
  return [joined(c.shape(1), row.mergeWith(c.shape(2)) ?? row)];
}

function joined(keys: TensorShape, row: TensorShape): TensorShape {
  if (keys.dims === null || row.dims === null) return TensorShape.UNKNOWN;
  return new TensorShape([...keys.dims, ...row.dims]);
}

/** Values go with keys, one row each. */
function inferPairs(c: InferContext, row = rowShape(c, 'Tout')): TensorShape[] {
  const expected = joined(c.shape(1), row);
  if (!c.shape(2).isCompatibleWith(expected)) {
    c.fail(
      `values have shape ${c.shape(2).toString()}; for keys of shape ${c.shape(1).toString()} it must be ${expected.toString()}`,
    );
  }
  return noOutputs();
}

/** What is imported: keys in a vector with their values, or the buckets of a dense table, one in a row. */
function inferImport(c: InferContext): TensorShape[] {
  if (c.shape(1).rank !== 2) return inferFill(c);
  rowShape(c, 'Tout');
  withRank(c, 2, 2, 'values of the buckets');
  return noOutputs();
}

function inferFill(c: InferContext): TensorShape[] {
  withRank(c, 1, 1, 'keys');
  return inferPairs(c);
}

/** A table that is filled once has one scalar under each key. */
function inferInitial(c: InferContext): TensorShape[] {
  withRank(c, 1, 1, 'keys');
  return inferPairs(c, rowShape(c, 'Tval').mergeWith(TensorShape.SCALAR) ?? TensorShape.SCALAR);
}

function inferTextFile(c: InferContext): TensorShape[] {
  checkHandle(c);
  withRank(c, 1, 0, 'filename');
  const [key, value] = [c.attrs.int('key_index'), c.attrs.int('value_index')];
  if (c.attrs.string('delimiter').length !== 1) {
    c.fail(`delimiter must be one character, got ${JSON.stringify(c.attrs.string('delimiter'))}`);
  }
  if (key === value && key >= -1) c.fail(`key_index and value_index are both ${key}`);
  return noOutputs();
}

const PAIRS = ['keys: Tin', 'values: Tout'];
const PAIR_TYPES = ['Tin: type', 'Tout: type'];

const initialize = (form: Form): OpDef =>
  access('Fills a table that is filled once.', form, ['keys: Tkey', 'values: Tval'], {
    attrs: ['Tkey: type', 'Tval: type'],
    infer: inferInitial,
  });

const initializeFromFile = (form: Form): OpDef =>
  access('Fills a table from the lines of a file.', form, ['filename: string'], {
    attrs: [
      'key_index: int >= -2',
      'value_index: int >= -2',
      'vocab_size: int >= -1 = -1',
      'delimiter: string = "\t"',
      'offset: int = 0',
    ],
    infer: inferTextFile,
  });

const find = (form: Form): OpDef =>
  access('The values of keys in a table.', form, ['keys: Tin', 'default_value: Tout'], {
    outputs: ['values: Tout'],
    attrs: PAIR_TYPES,
    infer: inferFind,
  });

const insert = (form: Form): OpDef =>
  access('Sets the values of keys in a table.', form, PAIRS, {
    attrs: PAIR_TYPES,
    infer: (c) => inferPairs(c),
  });

const importPairs = (form: Form): OpDef =>
  access('Replaces what a table holds.', form, PAIRS, { attrs: PAIR_TYPES, infer: inferImport });

const size = (form: Form): OpDef =>
  access('How many keys a table has.', form, [], {
    outputs: ['size: int64'],
    infer: (c) => {
      checkHandle(c);
      return scalarShape();
    },
  });

const exportPairs = (form: Form): OpDef =>
  access('All keys of a table and their values.', form, [], {
    outputs: ['keys: Tkeys', 'values: Tvalues'],
    attrs: ['Tkeys: type', 'Tvalues: type'],
    infer: (c) => {
      rowShape(c, 'Tvalues');
      // Dense tables give all their buckets, one in a row.
      return [TensorShape.UNKNOWN, TensorShape.UNKNOWN];
    },
  });

const STATIC = 'A table that is filled once.';
const MUTABLE = 'A table whose entries can be set.';
const OF_TENSORS = 'A table of tensors whose entries can be set.';
const DENSE = 'A table of tensors whose entries can be set, for keys of which one is never used.';

export const TABLE = {
  HashTable: table(STATIC, 'Ref(string)'),
  HashTableV2: table(STATIC, 'resource'),
  AnonymousHashTable: table('A table that is filled once, of this node alone.', 'resource', { attrs: TYPES }),
  MutableHashTable: table(MUTABLE, 'Ref(string)'),
  MutableHashTableV2: table(MUTABLE, 'resource'),
  MutableHashTableOfTensors: table(OF_TENSORS, 'Ref(string)', { attrs: [...SHARING, ...TYPES, ROWS] }),
  MutableHashTableOfTensorsV2: table(OF_TENSORS, 'resource', { attrs: [...SHARING, ...TYPES, ROWS] }),
  MutableDenseHashTable: table(DENSE, 'Ref(string)', { inputs: ['empty_key: key_dtype'], attrs: BUCKETS }),
  MutableDenseHashTableV2: table(DENSE, 'resource', {
    inputs: ['empty_key: key_dtype', 'deleted_key: key_dtype'],
    attrs: BUCKETS,
  }),
  InitializeTable: initialize('Ref(string)'),
  InitializeTableV2: initialize('resource'),
  InitializeTableFromTextFile: initializeFromFile('Ref(string)'),
  InitializeTableFromTextFileV2: initializeFromFile('resource'),
  LookupTableFind: find('Ref(string)'),
  LookupTableFindV2: find('resource'),
  LookupTableInsert: insert('Ref(string)'),
  LookupTableInsertV2: insert('resource'),
  LookupTableImport: importPairs('Ref(string)'),
  LookupTableImportV2: importPairs('resource'),
  LookupTableRemoveV2: access('Removes keys from a table.', 'resource', ['keys: Tin'], {
    attrs: ['Tin: type'],
    infer: (c) => {
      checkHandle(c);
      withRankAtLeast(c, 1, 1, 'keys');
      return noOutputs();
    },
  }),
  LookupTableSize: size('Ref(string)'),
  LookupTableSizeV2: size('resource'),
  LookupTableExport: exportPairs('Ref(string)'),
  LookupTableExportV2: exportPairs('resource'),
} satisfies Record<string, OpDef>;
