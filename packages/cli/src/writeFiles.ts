/** Files that commands write: each under a temporary name first, so that none is ever half there. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, FileError, messageOf } from './errors.js';

/** Files by path, each in parts that follow one another. */
export type OutFiles = ReadonlyMap<string, readonly Uint8Array[]>;

/** A file that was written. */
export interface Written {
  readonly path: string;
  readonly bytes: number;
}

/** Writes the files in order. Directories that a model consists of are made, others must be there. Throws `FileError`. */
export async function writeFiles(files: OutFiles, modelDirectory?: string): Promise<Written[]> {
  const written: Written[] = [];
  for (const [path, parts] of files) {
    if (modelDirectory !== undefined) await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, parts);
    written.push({ path, bytes: parts.reduce((sum, { length }) => sum + length, 0) });
  }
  return written;
}

async function writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.tempstate${process.pid}`;
  try {
    const file = await open(temporary, 'w');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    const reason = codeOf(error) === 'ENOENT' ? `there is no directory "${dirname(path)}"` : messageOf(error);
    throw new FileError(`${path}: ${reason}`, { cause: error });
  }
}
