/**
 * What tuning knows of one adapter, and its form in a file: for every kernel signature the chosen candidate and
 * how long each candidate took in relation to the default.
 */
import { DataLossError } from '@forerun/graph';
import { describeAdapter, type AdapterKey } from './adapterKey.js';

/** Grows when kernels change so much that old measurements say nothing. */
export const TABLE_VERSION = 1;

export interface TuningEntry {
  /** Name of the candidate to take. */
  readonly candidate: string;
  /** Time of each measured candidate over that of the default; `null`: it failed, or was too slow to compile. */
  readonly times: Readonly<Record<string, number | null>>;
}

/** By signature. */
export type TuningTable = ReadonlyMap<string, TuningEntry>;

/** The text of a file. Signatures are sorted, so that equal tables are equal files. */
export function formatTable(adapter: AdapterKey, table: TuningTable): string {
  const entries = Object.fromEntries([...table].sort(([a], [b]) => (a < b ? -1 : 1)));
  const content = { version: TABLE_VERSION, adapter: describeAdapter(adapter), entries };
  return `${JSON.stringify(content, null, 1)}\n`;
}

/**
 * Reads a file's text. A file of another version is empty to us; throws `DataLossError` saying what is wrong with one
 * that is damaged or of another adapter.
 */
export function parseTable(text: string, adapter: AdapterKey): TuningTable {
  const content = parseJson(text);
  if (!isRecord(content)) throw new DataLossError('it holds no object');
  if (typeof content.version !== 'number') throw new DataLossError('it has no version');
  if (content.version !== TABLE_VERSION) return new Map();
  if (content.adapter !== describeAdapter(adapter)) {
    throw new DataLossError(`it is for the adapter "${String(content.adapter)}"`);
  }
  if (!isRecord(content.entries)) throw new DataLossError('it has no entries');
  return new Map(
    Object.entries(content.entries).map(([signature, value]) => [signature, entry(signature, value)]),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DataLossError(`it is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function entry(signature: string, value: unknown): TuningEntry {
  if (isRecord(value) && typeof value.candidate === 'string' && isRecord(value.times)) {
    const times = Object.entries(value.times);
    if (times.every((pair): pair is [string, number | null] => isTime(pair[1]))) {
      return { candidate: value.candidate, times: Object.fromEntries(times) };
    }
  }
  throw new DataLossError(`the entry "${signature}" is damaged`);
}

function isTime(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value > 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `newer` over `older`; measurements of the same signature are put together. */
export function mergeTables(older: TuningTable, newer: TuningTable): TuningTable {
  const merged = new Map(older);
  for (const [signature, value] of newer) {
    const times = { ...older.get(signature)?.times, ...value.times };
    merged.set(signature, { candidate: value.candidate, times });
  }
  return merged;
}
