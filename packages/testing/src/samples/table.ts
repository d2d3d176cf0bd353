/** Samples of the family `table`: there are none, because the ops act through a session. */
import type { FamilySamples } from '../sample.js';

const elsewhere = { testedElsewhere: 'session/test/tables.gpu.test.ts fills tables in sessions' };

export const TABLE_SAMPLES = {
  HashTable: elsewhere,
  HashTableV2: elsewhere,
  AnonymousHashTable: elsewhere,
  MutableHashTable: elsewhere,
  MutableHashTableV2: elsewhere,
  MutableHashTableOfTensors: elsewhere,
  MutableHashTableOfTensorsV2: elsewhere,
  MutableDenseHashTable: elsewhere,
  MutableDenseHashTableV2: elsewhere,
  InitializeTable: elsewhere,
  InitializeTableV2: elsewhere,
  InitializeTableFromTextFile: elsewhere,
  InitializeTableFromTextFileV2: elsewhere,
  LookupTableFind: elsewhere,
  LookupTableFindV2: elsewhere,
  LookupTableInsert: elsewhere,
  LookupTableInsertV2: elsewhere,
  LookupTableImport: elsewhere,
  LookupTableImportV2: elsewhere,
  LookupTableRemoveV2: elsewhere,
  LookupTableSize: elsewhere,
  LookupTableSizeV2: elsewhere,
  LookupTableExport: elsewhere,
  LookupTableExportV2: elsewhere,
} satisfies FamilySamples;
