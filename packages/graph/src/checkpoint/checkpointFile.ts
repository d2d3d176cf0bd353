/** What readers of checkpoints of both versions have in common. */
import type { DType } from '../dtype.js';
import { NotFoundError } from '../errors.js';
import { nearestNames } from '../names.js';
import type { TensorValue } from '../value.js';
import type { Extent } from './orderedCode.js';

/** What a checkpoint says of one tensor before its elements are read. */
export interface CheckpointEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Stored bytes of its elements. */
  readonly size: number;
  /** The parts of a partitioned variable; in version 2 none for an ordinary tensor. */
  readonly slices: readonly (readonly Extent[])[];
}

/** An opened checkpoint. */
export interface CheckpointFile {
  /** Of the format: 1, or 2 for tensor bundles. */
  readonly version: 1 | 2;
  readonly numShards: number;
  /** Tensors by name, sorted. */
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  has(name: string): boolean;
  /** The entry called `name`. Throws `NotFoundError` with the nearest names. */
  entry(name: string): CheckpointEntry;
  /** Reads a tensor; partitioned variables are put together. Throws `DataLossError` for damaged bytes. */
  read(name: string): Promise<TensorValue>;
}

/** The entry called `name`. Throws `NotFoundError` with the nearest names. */
export function checkedEntryOf<E extends CheckpointEntry>(entries: ReadonlyMap<string, E>, name: string): E {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  const near = nearestNames(name, entries.keys()).map((n) => `"${n}"`);
  const hint = near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`;
  throw new NotFoundError(`the checkpoint has no tensor "${name}"${hint}`);
}
