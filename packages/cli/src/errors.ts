/** The two ways in which a command fails on purpose, and the exit codes that tell them apart. */

/** Everything went well. */
export const EXIT_OK = 0;
/** The file is bad, or what was asked for is not in it. */
export const EXIT_FAILED = 1;
/** The command line makes no sense. */
export const EXIT_USAGE = 2;

/** The file is bad, or what was asked for is not there. */
export class FileError extends Error {}

/** The command line makes no sense. */
export class UsageError extends Error {}

/** A check that was asked for ended badly; what was found is printed already. */
export class CheckFailed extends Error {}

/** What went wrong, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
