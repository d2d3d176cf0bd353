/** Kernels of the family `table`: hash tables live on the host, and the session carries out what is done to them. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const onHost = hostOp('the session keeps tables on the host');

export const TABLE_KERNELS = {
  HashTable: onHost,
  HashTableV2: onHost,
  AnonymousHashTable: onHost,
  MutableHashTable: onHost,
  MutableHashTableV2: onHost,
  MutableHashTableOfTensors: onHost,
  MutableHashTableOfTensorsV2: onHost,
  MutableDenseHashTable: onHost,
  MutableDenseHashTableV2: onHost,
  InitializeTable: onHost,
  InitializeTableV2: onHost,
  InitializeTableFromTextFile: onHost,
  InitializeTableFromTextFileV2: onHost,
  LookupTableFind: onHost,
  LookupTableFindV2: onHost,
  LookupTableInsert: onHost,
  LookupTableInsertV2: onHost,
  LookupTableImport: onHost,
  LookupTableImportV2: onHost,
  LookupTableRemoveV2: onHost,
  LookupTableSize: onHost,
  LookupTableSizeV2: onHost,
  LookupTableExport: onHost,
  LookupTableExportV2: onHost,
} satisfies Partial<Record<OpName, Kernel>>;
