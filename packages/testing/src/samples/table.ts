/**
 * Cases of the family `table`. There are no samples, because tables are kept by a session. A resource input stands for
 * a table whose values have its shape; a handle by reference is two strings, which tell nothing of the table.
 */
import type { DType } from '@forerun/graph';
import type { ErrorCase, FamilySamples, OpCases, ShapeCase } from '../sample.js';

function cases(shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return {
    testedElsewhere: 'it acts through a session: session/test/tables.gpu.test.ts fills tables and reads them',
    tolerance: 'exact',
    shapes,
    errors,
  };
}

const TYPES = { key_dtype: 'string', value_dtype: 'float32' };
const UNTYPED: ErrorCase = {
  inputs: '',
  attrs: { key_dtype: 'string' },
  message: /attribute "value_dtype" is missing/,
};

/** A table that is declared by its attributes alone. */
function declared(handle: string): OpCases {
  return cases([{ inputs: '', attrs: TYPES, outputs: handle }], [UNTYPED]);
}

/** A table with `keys` that it never holds, scalars or more. */
function dense(handle: string, keys: number): OpCases {
  const inputs = (key: string): string => new Array<string>(keys).fill(key).join(';');
  const attrs = { ...TYPES, key_dtype: 'float32' };
  return cases(
    [
      { inputs: inputs('[?]'), attrs, outputs: handle },
      { inputs: inputs('?'), attrs, outputs: handle },
    ],
    [
      {
        inputs: inputs('[]'),
        attrs: TYPES,
        message: /input "empty_key" must be string \(key_dtype\), .* is float32/,
      },
      { ...UNTYPED, inputs: inputs('[]'), attrs: {} },
    ],
  );
}

/** Cases of an op on a table in both forms: `rest` are the inputs behind the handle, `row` what the table holds. */
interface Form {
  /** The handle of a table with values of this shape, and the dtypes of it. */
  readonly handle: (row: string) => string;
  readonly dtype: DType;
  /** Whether the handle tells what the table holds. */
  readonly knows: boolean;
  /** A handle of a wrong kind and of a wrong rank. */
  readonly refusals: (rest: string) => Pick<ErrorCase, 'inputs' | 'message' | 'dtypes'>[];
}

const RESOURCE: Form = {
  handle: (row) => row,
  dtype: 'float32',
  knows: true,
  refusals: (rest) => [
    { inputs: `tensor[]${rest}`, message: /input "table_handle" must be resource, .* is float32/ },
  ],
};
const REFERENCE: Form = {
  handle: () => '[2]',
  dtype: 'string',
  knows: false,
  refusals: (rest) => [
    {
      inputs: `tensor[2]${rest}`,
      dtypes: ['string'],
      message: /input "table_handle" must be a reference variable, .* is string/,
    },
    {
      inputs: `[]${rest}`,
      dtypes: ['string'],
      message: /table_handle must have rank 1, got shape \[\]/,
    },
  ],
};

type Access = (form: Form) => OpCases;

const find: Access = ({ handle, dtype, knows, refusals }) => {
  const dtypes: readonly DType[] = [dtype, 'int32', 'float32'];
  return cases(
    [
      { inputs: `${handle('[3]')};[2,?];[3]`, dtypes, outputs: '[2,?,3]' },
      { inputs: `${handle('[3]')};?;?`, dtypes, outputs: '?' },
    ],
    [
      ...refusals(';[2];[]'),
      ...(knows
        ? [
            {
              inputs: '[3];[2];[4]',
              dtypes,
              message: /default_value has shape \[4\], a value of the table \[3\]/,
            },
            {
              inputs: '[3];[2];[3]',
              dtypes: ['float32', 'int32', 'int32'] as const,
              message: /the table holds float32, attribute "Tout" says int32/,
            },
          ]
        : []),
    ],
  );
};

const KEYS_NO_VECTOR = /keys must have rank 1, got shape \[2,1\]/;

/** Ops that take keys and values; `imports` where these replace all entries. */
const pairs =
  (imports: boolean): Access =>
  ({ handle, dtype, knows, refusals }) => {
    const dtypes: readonly DType[] = [dtype, 'int32', 'float32'];
    return cases(
      [
        { inputs: `${handle('[3]')};[2];[?,3]`, dtypes, outputs: '' },
        { inputs: `${handle('[3]')};?;?`, dtypes, outputs: '' },
      ],
      [
        ...refusals(';[2];[2]'),
        ...(imports
          ? [
              { inputs: `${handle('[3]')};[];[3]`, dtypes, message: /keys must have rank 1, got shape \[\]/ },
              {
                inputs: `${handle('[3]')};[2,1];[2,3,1]`,
                dtypes,
                message: /values of the buckets must have rank 2, got shape \[2,3,1\]/,
              },
            ]
          : []),
        ...(knows
          ? [
              {
                inputs: '[3];[2];[3,3]',
                dtypes,
                message: /values have shape \[3,3\]; for keys of shape \[2\] it must be \[2,3\]/,
              },
            ]
          : []),
      ],
    );
  };

const initialize: Access = ({ handle, dtype, refusals }) => {
  const dtypes: readonly DType[] = [dtype, 'int32', 'float32'];
  return cases(
    [
      { inputs: `${handle('[]')};[2];[?]`, dtypes, outputs: '' },
      { inputs: `${handle('[]')};?;?`, dtypes, outputs: '' },
    ],
    [
      ...refusals(';[2];[2]'),
      { inputs: `${handle('[]')};[2,1];[2,1]`, dtypes, message: KEYS_NO_VECTOR },
      {
        inputs: `${handle('[]')};[2];[3]`,
        dtypes,
        message: /values have shape \[3\]; for keys of shape \[2\] it must be \[2\]/,
      },
    ],
  );
};

const fromFile: Access = ({ handle, dtype, knows, refusals }) => {
  const dtypes: readonly DType[] = [dtype, 'string'];
  const attrs = { key_index: 0, value_index: 1 };
  const inputs = `${handle('[]')};[]`;
  return cases(
    [
      { inputs: `${knows ? '[2,?]' : '[?]'};?`, dtypes, attrs, outputs: '' },
      { inputs: `?;?`, dtypes, attrs, outputs: '' },
    ],
    [
      ...refusals(';[]').map((refusal) => ({ ...refusal, attrs })),
      { inputs: `${handle('[]')};[2]`, dtypes, attrs, message: /filename must have rank 0, got shape \[2\]/ },
      {
        inputs,
        dtypes,
        attrs: { ...attrs, value_index: 0 },
        message: /key_index and value_index are both 0/,
      },
      {
        inputs,
        dtypes,
        attrs: { ...attrs, delimiter: ', ' },
        message: /delimiter must be one character, got ", "/,
      },
      {
        inputs,
        dtypes,
        attrs: { ...attrs, key_index: -3 },
        message: /"key_index" must be at least -2, got -3/,
      },
    ],
  );
};

const size: Access = ({ dtype, knows, refusals }) =>
  cases(
    [
      { inputs: knows ? '[2,?]' : '[?]', dtypes: [dtype], outputs: '[]' },
      { inputs: '?', dtypes: [dtype], outputs: '[]' },
    ],
    refusals(''),
  );

const exported: Access = ({ dtype, knows, refusals }) => {
  const attrs = { Tkeys: 'string', Tvalues: 'float32' };
  return cases(
    [
      { inputs: knows ? '[?,3]' : '[?]', dtypes: [dtype], attrs, outputs: '?;?' },
      { inputs: '?', dtypes: [dtype], attrs, outputs: '?;?' },
    ],
    [
      ...refusals('').map((refusal) => ({ ...refusal, attrs })),
      ...(knows
        ? [
            {
              inputs: '[3]',
              attrs: { ...attrs, Tvalues: 'int32' },
              message: /the table holds float32, attribute "Tvalues" says int32/,
            },
          ]
        : []),
    ],
  );
};

export const TABLE_SAMPLES = {
  HashTable: declared('[2]'),
  HashTableV2: declared('[]'),
  AnonymousHashTable: declared('[]'),
  MutableHashTable: declared('[2]'),
  MutableHashTableV2: declared('[]'),
  MutableHashTableOfTensors: declared('[2]'),
  MutableHashTableOfTensorsV2: declared('[]'),
  MutableDenseHashTable: dense('[2]', 1),
  MutableDenseHashTableV2: dense('[]', 2),
  InitializeTable: initialize(REFERENCE),
  InitializeTableV2: initialize(RESOURCE),
  InitializeTableFromTextFile: fromFile(REFERENCE),
  InitializeTableFromTextFileV2: fromFile(RESOURCE),
  LookupTableFind: find(REFERENCE),
  LookupTableFindV2: find(RESOURCE),
  LookupTableInsert: pairs(false)(REFERENCE),
  LookupTableInsertV2: pairs(false)(RESOURCE),
  LookupTableImport: pairs(true)(REFERENCE),
  LookupTableImportV2: pairs(true)(RESOURCE),
  LookupTableRemoveV2: cases(
    [
      { inputs: '[3];[2,?]', outputs: '' },
      { inputs: '?;?', outputs: '' },
    ],
    [
      { inputs: '[3];[]', message: /keys must have rank 1 or more, got shape \[\]/ },
      { inputs: 'tensor[];[2]', message: /input "table_handle" must be resource, .* is float32/ },
    ],
  ),
  LookupTableSize: size(REFERENCE),
  LookupTableSizeV2: size(RESOURCE),
  LookupTableExport: exported(REFERENCE),
  LookupTableExportV2: exported(RESOURCE),
} satisfies FamilySamples;
