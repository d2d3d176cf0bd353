/** Reads the index of a checkpoint and sees to it that its data files are as long as the index says. */
import { open, stat } from 'node:fs/promises';
import { detectWeights } from '@forerun/formats';
import { BundleReader, dataPath, dtypeBytes, indexPath, sizeOf, type BundleEntry } from '@forerun/graph';
import { FileError } from './errors.js';
import type { LoadedCheckpoint } from './load.js';

/** The checkpoint with this prefix. Throws `FileError` when a data file is missing or cut off. */
export async function loadCheckpoint(prefix: string): Promise<LoadedCheckpoint> {
  // Loaded here because graph files can be read without it, and faster.
  const { openCheckpoint } = await import('@forerun/session');
  const { reader, close } = await openCheckpoint(prefix);
  await close();
  const { version, numShards } = reader;
  const head = { kind: 'checkpoint', path: prefix, format: `checkpoint V${version}`, numShards } as const;
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

const HEAD_BYTES = 16;

/** A file of weights of another framework; `undefined` when it is something else. */
export async function loadWeightsFile(path: string): Promise<LoadedCheckpoint | undefined> {
  if (detectWeights(await headOf(path)) === undefined) return undefined;
  const { openWeights } = await import('@forerun/session');
  const { reader, format, close } = await openWeights(path);
  await close();
  const entries = [...reader.entries.values()].map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    size: sizeOf(shape) * dtypeBytes(dtype),
    slices: [],
  }));
  const { size } = await stat(path);
  return { kind: 'checkpoint', path, format, numShards: 1, entries, bytes: size };
}

/** The first bytes of a file. */
async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
