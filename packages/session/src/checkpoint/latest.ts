/** Which checkpoints a directory holds: its list `checkpoint`, and whether their files are whole. */
import {
  BundleReader,
  CHECKPOINT_STATE_FILE,
  dataPath,
  DataLossError,
  indexPath,
  InvalidArgumentError,
  readCheckpointState,
} from '@forerun/graph';
import { baseName, fileKind, fileSize, openCheckpoint, readFileIfPresent } from './files.js';

export interface CheckpointListOptions {
  /** Name of the list in the directory; default `checkpoint`. */
  readonly latestFilename?: string;
}

/** What the list of a directory says (`CheckpointState`). */
export interface CheckpointState {
  /** Prefix of the newest checkpoint. */
  readonly modelCheckpointPath: string;
  /** Prefixes of all that are kept, the newest last. */
  readonly allModelCheckpointPaths: readonly string[];
}

/**
 * What a directory's list of checkpoints says, or `null` when it has none (`tf.train.get_checkpoint_state`). Relative paths are
 * completed with the directory; whether the files are there is not looked at, as `latestCheckpoint` does. Throws
 * `InvalidArgumentError` naming the list when it is malformed.
 */
export async function getCheckpointState(
  checkpointDir: string,
  { latestFilename = CHECKPOINT_STATE_FILE }: CheckpointListOptions = {},
): Promise<CheckpointState | null> {
  const state = await readList(checkpointDir, latestFilename);
  if (state === null) return null;
  const complete = (path: string): string => (isAbsolute(path) ? path : `${checkpointDir}/${path}`);
  const newest = complete(state.modelCheckpointPath);
  const all = state.allModelCheckpointPaths.map(complete);
  return {
    modelCheckpointPath: newest,
    allModelCheckpointPaths: all.includes(newest) ? all : [...all, newest],
  };
}

async function readList(directory: string, latestFilename: string): Promise<CheckpointState | null> {
  const list = `${directory}/${latestFilename}`;
  const bytes = await readFileIfPresent(list);
  return bytes === undefined ? null : stateOf(list, new TextDecoder().decode(bytes));
}

/**
 * The prefix of the newest checkpoint that a directory's list names (`tf.train.latest_checkpoint`),
 * or `null` when there is no list or its newest files are gone. A list with paths of another place, in a
 * directory that was moved, means the files of the same name beside it. Throws `InvalidArgumentError` naming
 * the list when it is malformed. When the newest is torn, because copying it was interrupted, the newest complete one is taken with a
 * warning; throws `DataLossError` when there is none.
 */
export async function latestCheckpoint(
  directory: string,
  { latestFilename = CHECKPOINT_STATE_FILE }: CheckpointListOptions = {},
): Promise<string | null> {
  const state = await readList(directory, latestFilename);
  if (state === null) return null;
  const { modelCheckpointPath, allModelCheckpointPaths } = state;
  const newest = await presentPrefix(directory, modelCheckpointPath);
  if (newest === null || (await incompleteness(newest)) === null) return newest;
  // A copy that was interrupted: the one before it is whole.
  for (const path of [...allModelCheckpointPaths].reverse()) {
    const prefix = await presentPrefix(directory, path);
    if (prefix === null || prefix === newest || (await incompleteness(prefix)) !== null) continue;
    console.warn(`forerun: ${await incompleteness(newest)}; "${prefix}" is the latest that is complete`);
    return prefix;
  }
  throw new DataLossError(
    `${await incompleteness(newest)}, and "${directory}/${latestFilename}" names no other that is complete`,
  );
}

/**
 * Whether there is a checkpoint of this prefix, of version 2 or 1 (`tf.train.checkpoint_exists`). Throws
 * `InvalidArgumentError` for what is no path.
 */
export async function checkpointExists(checkpointPrefix: string): Promise<boolean> {
  if (typeof checkpointPrefix !== 'string' || checkpointPrefix === '') {
    throw new InvalidArgumentError(
      `checkpointExists: expected the prefix of a checkpoint, got "${checkpointPrefix}"`,
    );
  }
  const kinds = await Promise.all([fileKind(indexPath(checkpointPrefix)), fileKind(checkpointPrefix)]);
  return kinds.includes('file');
}

/** The prefix that a path of the list means, when its index is there. */
async function presentPrefix(directory: string, path: string): Promise<string | null> {
  const candidates = isAbsolute(path) ? [path, `${directory}/${baseName(path)}`] : [`${directory}/${path}`];
  for (const prefix of candidates) {
    if ((await fileKind(indexPath(prefix))) === 'file') return prefix;
  }
  return null;
}

/** What is wrong with the files of a checkpoint, `null` when all are as long as the index says. */
async function incompleteness(prefix: string): Promise<string | null> {
  try {
    const { reader, close } = await openCheckpoint(prefix);
    await close();
    const needed = new Map<number, number>();
    for (const entry of reader.entries.values()) {
      if (!(reader instanceof BundleReader) || entry.slices.length > 0) continue;
      const { shardId, offset, size } = reader.entry(entry.name);
      needed.set(shardId, Math.max(needed.get(shardId) ?? 0, offset + size));
    }
    for (const [shard, bytes] of needed) {
      const path = dataPath(prefix, shard, reader.numShards);
      const size = (await fileSize(path)) ?? -1;
      if (size < bytes)
        return `the checkpoint "${prefix}" is incomplete: "${path}" ${size < 0 ? 'is missing' : `has ${size} of ${bytes} bytes`}`;
    }
    return null;
  } catch (error) {
    if (error instanceof DataLossError) return `the checkpoint "${prefix}" is damaged: ${error.message}`;
    throw error;
  }
}

function stateOf(list: string, text: string): CheckpointState {
  try {
    return readCheckpointState(text);
  } catch (cause) {
    if (!(cause instanceof InvalidArgumentError)) throw cause;
    throw new InvalidArgumentError(`"${list}" is malformed: ${cause.message}`, { cause });
  }
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:/.test(path);
}
