/** Tables in checkpoints: which of a saver's tables find their keys and values in a file, and putting them back. */
import {
  baseDType,
  TensorShape,
  type Operation,
  type SavedTable,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import type { WeightReader } from '@forerun/formats';
import { storedName, type Match, type NameMap } from '../weights/match.js';

interface FoundTable {
  readonly table: SavedTable;
  /** What its keys and values are called in the file. */
  readonly stored: readonly [keys: string, values: string];
}

/** Tables with their entries in a file, and what stands in the way of others. */
export interface TableMatch extends Pick<Match, 'missing' | 'mismatched' | 'skipped'> {
  readonly found: readonly FoundTable[];
}

/** Looks for the keys and values of every table. Nothing is read. */
export function matchTables(
  tables: readonly SavedTable[],
  reader: WeightReader,
  map: NameMap | undefined,
): TableMatch {
  const found: FoundTable[] = [];
  const missing: { key: string; stored: string }[] = [];
  const mismatched: { key: string; stored: string; text: string }[] = [];
  const skipped: string[] = [];
  for (const table of tables) {
    const [keys, values] = table.stored.map((key) => storedName(map, key));
    if (keys === null || keys === undefined || values === null || values === undefined) {
      skipped.push(...table.stored);
      continue;
    }
    const stored = [keys, values] as const;
    const absent = stored.flatMap((name, i) => (reader.entries.has(name) ? [] : [{ key: table.stored[i] ?? name, stored: name }])); // prettier-ignore
    const texts = absent.length > 0 ? [] : misfits(table, stored, reader);
    if (absent.length === 0 && texts.length === 0) found.push({ table, stored });
    missing.push(...absent);
    mismatched.push(...texts);
  }
  return { found, missing, mismatched, skipped };
}

/** Shapes of the keys and values of `count` entries. Dense tables are stored in buckets, with their values in rows. */
function shapesOf(
  {
    restore: {
      inputs: [handle],
    },
  }: SavedTable,
  count: number,
): TensorShape[] {
  const row = handle?.handle?.shape ?? TensorShape.UNKNOWN;
  if (handle?.op.type.startsWith('MutableDenseHashTable') === true)
    return [new TensorShape([count, 1]), new TensorShape([count, row.size])];
  const values = row.dims === null ? TensorShape.UNKNOWN : new TensorShape([count, ...row.dims]);
  return [new TensorShape([count]), values];
}

/** Entries of other dtypes than the table's, or of which keys and values do not go together. */
function misfits(
  table: SavedTable,
  stored: readonly [string, string],
  reader: WeightReader,
): { key: string; stored: string; text: string }[] {
  const { restore, exported, stored: keys } = table;
  const shapes = shapesOf(table, reader.entries.get(stored[0])?.shape[0] ?? 0);
  return stored.flatMap((name, i) => {
    const [entry, own, key] = [reader.entries.get(name), exported[i], keys[i]];
    if (entry === undefined || own === undefined || key === undefined) return [];
    const wanted = shapes[i] ?? TensorShape.UNKNOWN;
    const dtype = baseDType(own.dtype);
    if (entry.dtype === dtype && wanted.isCompatibleWith(new TensorShape(entry.shape))) return [];
    const [handle] = restore.inputs;
    const text = `"${key}": stored ${entry.dtype} [${entry.shape.join(',')}], table "${handle?.op.name ?? ''}" ${dtype} ${wanted.toString()}`;
    return [{ key, stored: name, text }];
  });
}

/** The match of a saver's variables with that of its tables. */
export function withTables(variables: Match, tables: TableMatch): Match {
  return {
    found: variables.found,
    missing: [...variables.missing, ...tables.missing],
    mismatched: [...variables.mismatched, ...tables.mismatched],
    skipped: [...variables.skipped, ...tables.skipped],
  };
}

/** The operations that put entries back, with what to feed them. */
export async function tableEntries(
  { found }: TableMatch,
  reader: { readonly read: (name: string) => Promise<TensorValue> },
): Promise<(readonly [Operation, ReadonlyMap<Tensor, TensorValue>])[]> {
  const entries: (readonly [Operation, ReadonlyMap<Tensor, TensorValue>])[] = [];
  for (const { table, stored } of found) {
    const feeds = new Map<Tensor, TensorValue>();
    for (const [i, name] of stored.entries()) {
      const tensor = table.restore.inputs[i + 1];
      if (tensor !== undefined) feeds.set(tensor, await reader.read(name));
    }
    entries.push([table.restore, feeds]);
  }
  return entries;
}
