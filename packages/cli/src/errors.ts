/** The two ways in which a command fails on purpose, and the exit codes that tell them apart. */

import { types } from 'node:util';
import type { ModelReport } from './modelReport.js';

/** Everything went well. */
export const EXIT_OK = 0;
/** The file is bad, or what was asked for is not in it. */
export const EXIT_FAILED = 1;
/** The command line makes no sense. */
export const EXIT_USAGE = 2;

/** The file is bad, or what was asked for is not there. */
export class FileError extends Error {}

/** A sound model that holds what is not known here; `report` tells what there is. */
export class UnsupportedModel extends FileError {
  constructor(
    message: string,
    readonly report: ModelReport,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command line makes no sense. */
export class UsageError extends Error {}

/** A check that was asked for ended badly; what was found is printed already. */
export class CheckFailed extends Error {}

/** What went wrong, whatever was thrown. */
export function messageOf(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error);
}

/** The code of an error of the system or of Forerun (`ENOENT`), if it has one. */
export function codeOf(error: unknown): unknown {
  return types.isNativeError(error) && 'code' in error ? error.code : undefined;
}
