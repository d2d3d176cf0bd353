/**
 * The error family of Forerun. One class per TensorFlow error kind, so that a program can tell a
 * mistake in its input (`InvalidArgumentError`) from a damaged file (`DataLossError`) or a missing
 * feature (`UnimplementedError`). Messages name the op, the node, the rule and the values.
 */

/** Base class of every error that Forerun raises on purpose. `code` is TensorFlow's canonical code name. */
export class ForerunError extends Error {
  /** TensorFlow's canonical error code, for example `INVALID_ARGUMENT`. */
  readonly code: string = 'UNKNOWN';
  /** Name of the graph node the error is about, when there is one. */
  readonly node: string | undefined;

  constructor(message: string, options: ErrorOptions & { node?: string | undefined } = {}) {
    super(message, options);
    this.name = new.target.name;
    this.node = options.node;
  }
}

/** An argument, feed, attribute or file content is wrong whatever the state of the system. */
export class InvalidArgumentError extends ForerunError {
  override readonly code = 'INVALID_ARGUMENT';
}

/** A named thing (node, tensor, file, checkpoint key) does not exist. */
export class NotFoundError extends ForerunError {
  override readonly code = 'NOT_FOUND';
}

/** A thing that is being created exists already. */
export class AlreadyExistsError extends ForerunError {
  override readonly code = 'ALREADY_EXISTS';
}

/** The operation is right but the state is not: an uninitialized variable, a closed session. */
export class FailedPreconditionError extends ForerunError {
  override readonly code = 'FAILED_PRECONDITION';
}

/** The op, dtype or case is known but not supported here. */
export class UnimplementedError extends ForerunError {
  override readonly code = 'UNIMPLEMENTED';
}

/** Memory, bindings or another bounded resource does not suffice. */
export class ResourceExhaustedError extends ForerunError {
  override readonly code = 'RESOURCE_EXHAUSTED';
}

/** Stored data is truncated or corrupted. */
export class DataLossError extends ForerunError {
  override readonly code = 'DATA_LOSS';
}

/** An iteration or an index went past the valid range. */
export class OutOfRangeError extends ForerunError {
  override readonly code = 'OUT_OF_RANGE';
}

/** The operation was interrupted, for example because the device was lost. */
export class AbortedError extends ForerunError {
  override readonly code = 'ABORTED';
}

/** No adapter, device or driver is available. */
export class UnavailableError extends ForerunError {
  override readonly code = 'UNAVAILABLE';
}

/** An invariant of Forerun itself is broken: a bug to report. */
export class InternalError extends ForerunError {
  override readonly code = 'INTERNAL';
}
