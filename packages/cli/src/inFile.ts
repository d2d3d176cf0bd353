/** Errors about what a file holds, told with the file's name. */
import { ForerunError, InternalError } from '@forerun/graph';
import { FileError, messageOf } from './errors.js';

/** Runs `read`; what it finds wrong with the content becomes a `FileError` that begins with `path`. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ForerunError) || error instanceof InternalError) throw error;
    throw new FileError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}
