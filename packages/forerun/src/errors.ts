/** `fr.errors`: the error classes. */
export {
  AbortedError,
  AlreadyExistsError,
  DataLossError,
  FailedPreconditionError,
  ForerunError,
  InternalError,
  InvalidArgumentError,
  NotFoundError,
  OutOfRangeError,
  ResourceExhaustedError,
  UnavailableError,
  UnimplementedError,
} from '@forerun/graph';
