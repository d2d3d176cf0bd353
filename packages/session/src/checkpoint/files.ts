/**
 * File access. Files are read from Node's file system or with `fetch`, and written in Node alone: elsewhere that throws. Every
 * file is written under a temporary name, flushed and renamed, so that a torn write is never seen.
 */
import { checkpointPrefix, dataPath, DataLossError, NotFoundError, UnavailableError } from '@forerun/graph';
import {
  BundleReader,
  indexPath,
  memorySource,
  V1CheckpointReader,
  type CheckpointFile,
  type RandomAccessSource,
} from '@forerun/graph';
import { fetchIfPresent, fileSystem, isRemote } from './remote.js';

type Fs = typeof import('node:fs/promises');
type FileHandle = Awaited<ReturnType<Fs['open']>>;

/** Bytes that the system reads in one call. */
const LARGEST_READ = 2 ** 30;

function fs(): Fs {
  const found = fileSystem();
  if (found !== undefined) return found;
  throw new UnavailableError(
    'there is no file system here: Node (20.16 or later) has one, a page has not. The functions that give bytes work in both',
  );
}

/** Writes `parts` one after the other as one file, atomically. Makes missing directories. */
export async function writeFileAtomically(
  path: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const { mkdir, open, rename, rm } = fs();
  await mkdir(directoryOf(path), { recursive: true });
  const temporary = `${path}.tempstate${Math.random().toString(36).slice(2, 12)}`;
  const file = await open(temporary, 'w');
  try {
    for await (const part of parts) await file.writeFile(part);
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncDirectory(directoryOf(path));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a rename last. Systems that cannot open directories need no such thing. */
async function syncDirectory(path: string): Promise<void> {
  const { open } = fs();
  const directory = await open(path, 'r').catch(() => undefined);
  if (directory === undefined) return;
  try {
    await directory.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP'].includes(String(errorCode(error)))) throw error;
  } finally {
    await directory.close();
  }
}

/** The bytes of a file, by its path or URL, or `undefined` when it does not exist. */
export async function readFileIfPresent(path: string): Promise<Uint8Array | undefined> {
  if (isRemote(path)) return fetchIfPresent(path);
  const { open } = fs();
  try {
    const file = await open(path);
    try {
      return await bytesOf(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** `readFile` reads in pieces, and waits for its turn before each. Files that do not tell their size are left to it. */
async function bytesOf(file: FileHandle): Promise<Uint8Array> {
  const { size } = await file.stat();
  if (size === 0 || size > LARGEST_READ) return file.readFile();
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === size ? bytes : bytes.slice(0, filled);
}

/** The names in a directory; none when it does not exist. */
export async function directoryEntries(path: string): Promise<string[]> {
  const { readdir } = fs();
  try {
    return await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The code of a system error. */
function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** Deletes files; those that are not there are no error. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  const { rm } = fs();
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

/** The directory part of a path or URL, `.` when there is none. */
export function directoryOf(pathOrUrl: string): string {
  const path = isRemote(pathOrUrl) ? pathOrUrl.replace(/[?#].*$/s, '') : pathOrUrl;
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return slash < 0 ? '.' : path.slice(0, slash) || '/';
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** An opened checkpoint and what closes its files. */
export interface OpenCheckpoint {
  readonly reader: CheckpointFile;
  readonly prefix: string;
  close(): Promise<void>;
}

/**
 * Opens a checkpoint by prefix or by the path of any of its files.
 * Throws `NotFoundError` when there is none, `DataLossError` when it is damaged.
 */
export async function openCheckpoint(path: string): Promise<OpenCheckpoint> {
  const prefix = checkpointPrefix(path);
  const index = await readFileIfPresent(indexPath(prefix));
  if (index === undefined) return openV1(path, prefix);
  const closers: (() => Promise<void>)[] = [];
  const reader = new BundleReader(index, async (shard, numShards) => {
    const { source, close } = await openShard(dataPath(prefix, shard, numShards));
    closers.push(close);
    return source;
  });
  return {
    reader,
    prefix,
    close: async () => {
      for (const close of closers) await close();
    },
  };
}

/** A checkpoint of version 1: the file itself, or its shards. */
async function openV1(path: string, prefix: string): Promise<OpenCheckpoint> {
  const files = await v1Files(path);
  if (files.length === 0) throw await missingCheckpoint(path, prefix);
  const reader = new V1CheckpointReader(await Promise.all(files.map((file) => readWhole(file))));
  return { reader, prefix: path, close: () => Promise.resolve() };
}

async function readWhole(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path);
  if (bytes !== undefined) return bytes;
  throw new NotFoundError(`the checkpoint's file "${path}" is gone`);
}

async function v1Files(path: string): Promise<string[]> {
  if (isRemote(path)) return (await fetchIfPresent(path)) === undefined ? [] : [path];
  if ((await fileKind(path)) === 'file') return [path];
  const directory = directoryOf(path);
  if ((await fileKind(directory)) !== 'directory') return [];
  const { readdir } = fs();
  const shard = /^(.*)-(\d{5})-of-(\d{5})$/;
  const names = (await readdir(directory)).filter((name) => shard.exec(name)?.[1] === baseName(path)).sort();
  const count = Number(shard.exec(names[0] ?? '')?.[3] ?? 0);
  if (names.length !== count) {
    throw new DataLossError(`the checkpoint "${path}" has ${names.length} of its ${count} shards`);
  }
  return names.map((name) => `${directory}/${name}`);
}

async function missingCheckpoint(path: string, prefix: string): Promise<Error> {
  const hint =
    (await fileKind(path)) === 'directory'
      ? ': it is a directory; give the prefix, or use fr.train.latestCheckpoint(directory)'
      : `: ${indexPath(prefix)} does not exist. Give the prefix that save() returned, such as "out/model.ckpt-100"`;
  return new NotFoundError(`there is no checkpoint at "${path}"${hint}`);
}

/** What a path leads to; `undefined` when there is nothing. What a URL leads to shows when it is read. */
export async function fileKind(path: string): Promise<'file' | 'directory' | undefined> {
  if (isRemote(path)) return 'file';
  const { stat } = fs();
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Bytes of a file; `undefined` when it does not exist. */
export async function fileSize(path: string): Promise<number | undefined> {
  if ((await fileKind(path)) !== 'file') return undefined;
  if (isRemote(path)) return (await fetchIfPresent(path))?.byteLength;
  return (await fs().stat(path)).size;
}

/** An opened file of which parts can be read, and what closes it. */
export interface OpenFile {
  readonly source: RandomAccessSource;
  close(): Promise<void>;
}

/** Opens a file to read parts of it; what a URL leads to is fetched whole. Throws `NotFoundError` when it cannot be opened. */
export async function openFile(path: string): Promise<OpenFile> {
  if (isRemote(path)) return openFetched(path);
  const { open } = fs();
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new NotFoundError(`the file "${path}" cannot be opened`, { cause });
  });
  const { size } = await file.stat();
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
  return { source: { size, read }, close: () => file.close() };
}

async function openFetched(url: string): Promise<OpenFile> {
  const bytes = await fetchIfPresent(url);
  if (bytes === undefined) throw new NotFoundError(`there is no file at "${url}"`);
  return { source: memorySource(bytes), close: () => Promise.resolve() };
}

async function openShard(path: string): Promise<OpenFile> {
  try {
    return await openFile(path);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new DataLossError(`the checkpoint's data file "${path}" cannot be opened`, { cause });
  }
}
