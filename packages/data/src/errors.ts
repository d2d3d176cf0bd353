/**
 * The one error class of this package. It imports no other package, so it carries the same canonical
 * codes as the errors of `@forerun/graph` in `code` instead of sharing their classes.
 */

/** Canonical code of a `DataError`, with TensorFlow's names. */
export type DataErrorCode = 'INVALID_ARGUMENT' | 'NOT_FOUND' | 'DATA_LOSS' | 'UNIMPLEMENTED';

/** A wrong argument, a missing file, damaged file content, or something this environment cannot do. */
export class DataError extends Error {
  /** `INVALID_ARGUMENT`, `NOT_FOUND`, `DATA_LOSS` or `UNIMPLEMENTED`. */
  readonly code: DataErrorCode;

  constructor(code: DataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataError';
    this.code = code;
  }
}

/** Throws `INVALID_ARGUMENT` unless `value` is an integer of at least `least` (Infinity where `infinite`). */
export function checkCount(what: string, value: number, least: number, infinite = false): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  if (infinite && value === Infinity) return;
  throw new DataError(
    'INVALID_ARGUMENT',
    `${what} must be an integer >= ${least}${infinite ? ' or Infinity' : ''}, got ${value}`,
  );
}

/** What a caught error says, also when it comes from another realm (a test runner's, a frame's). */
export function reasonOf(error: unknown): string {
  const told = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(told);
}
