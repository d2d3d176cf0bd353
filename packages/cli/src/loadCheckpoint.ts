/** Reads the index of a checkpoint and sees to it that its data files are as long as the index says. */
import { stat } from 'node:fs/promises';
import { BundleReader, dataPath, indexPath, type BundleEntry } from '@forerun/graph';
import { FileError } from './errors.js';
import type { LoadedCheckpoint } from './load.js';

/** The checkpoint with this prefix. Throws `FileError` when a data file is missing or cut off. */
export async function loadCheckpoint(prefix: string): Promise<LoadedCheckpoint> {
  // Loaded here because graph files can be read without it, and faster.
  const { openCheckpoint } = await import('@forerun/session');
  const { reader, close } = await openCheckpoint(prefix);
  await close();
  const { version, numShards } = reader;
  const head = { kind: 'checkpoint', path: prefix, version, numShards } as const;
  if (!(reader instanceof BundleReader)) {
    const bytes = await stat(prefix).then(
      ({ size }) => size,
      () => 0,
    );
    return { ...head, entries: [...reader.entries.values()], bytes };
  }
  const entries = [...reader.entries.values()];
  let bytes = (await stat(indexPath(prefix))).size;
  for (let shard = 0; shard < reader.numShards; shard++) {
    bytes += await checkShard(dataPath(prefix, shard, reader.numShards), neededBytes(entries, shard));
  }
  return { ...head, entries, bytes };
}

/** The end of the last tensor in a shard. */
function neededBytes(entries: readonly BundleEntry[], shard: number): number {
  const stored = entries.filter(({ slices, shardId }) => slices.length === 0 && shardId === shard);
  return stored.reduce((end, { offset, size }) => Math.max(end, offset + size), 0);
}

async function checkShard(path: string, needed: number): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new FileError(`${path}: the checkpoint's data file is missing`);
  if (found.size >= needed) return found.size;
  throw new FileError(
    `${path}: the checkpoint's data file is truncated: it has ${found.size} bytes, its index speaks of ${needed}`,
  );
}
